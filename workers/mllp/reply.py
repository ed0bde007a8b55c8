"""What leaves for one message: the stored answer, or what MSH-15 and MSH-16 ask for instead."""

from adapters.hl7v2.ack import answer, asks_enhanced, due, wants_answer
from adapters.hl7v2.header import Header
from adapters.hl7v2.mllp import Discarded, frame
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.flows.receive import Received

__all__ = ["addresses", "discarded", "late", "owed_nothing", "put_off", "refusal", "replies"]

UNAVAILABLE = "node-unavailable"
DISCARD_REASONS = {
    "mllp-frame-bound": (
        Fault.SENDER,
        "the message is longer than this listener takes",
        "send it in parts, or ask the operator to raise the bound of frames",
    ),
    "mllp-frame-shed": (
        Fault.PEER,
        "this node has no memory left for messages of this size",
        "send the message again later",
    ),
}


def addresses(header: Header, *, enhanced: bool, to: str) -> tuple[str, str]:
    """Where the application acknowledgement goes if the message is stored, and if it is refused.

    Empty where none is owed, or where it goes on the connection.
    """
    if not (to and enhanced and wants_answer(header) and asks_enhanced(header)):
        return "", ""
    stored, refused = due(header, refused=False), due(header, refused=True)
    return to if stored.application else "", to if refused.application else ""


def replies(
    header: Header, received: Received, *, at: Instant, enhanced: bool, elsewhere: bool = False
) -> bytes:
    """The frames that answer a durable message: none, one, or accept and application in order.

    Args:
        header: of the message.
        received: what became of it; its `answer` is the one of original mode.
        at: MSH-7 of an accept acknowledgement.
        enhanced: this listener honours MSH-15 and MSH-16.
        elsewhere: the application acknowledgement goes to an address of its own.
    """
    if not wants_answer(header):
        return b""
    if not (enhanced and asks_enhanced(header)):
        return frame(received.answer)
    owed = due(header, refused=received.status == "quarantined")
    frames = b""
    if owed.accept:
        accept = answer(
            header, at=at, mode="enhanced", record=received.record, reason=received.reason
        )
        frames += frame(accept)
    if owed.application and not elsewhere:
        frames += frame(received.answer)
    return frames


def refusal(header: Header, reason: BridgeError, *, at: Instant, enhanced: bool) -> bytes:
    """The frame that answers a message of which nothing was kept."""
    if not wants_answer(header):
        return b""
    if not (enhanced and asks_enhanced(header)):
        return frame(answer(header, at=at, reason=reason))
    owed = due(header, refused=True)
    if owed.accept:
        return frame(answer(header, at=at, reason=reason, mode="enhanced"))
    return frame(answer(header, at=at, reason=reason)) if owed.application else b""


def owed_nothing(header: Header, *, enhanced: bool) -> bool:
    """No outcome would be answered, so the sender cannot know that it must send again."""
    if not wants_answer(header):
        return True
    if not (enhanced and asks_enhanced(header)):
        return False
    outcomes = (due(header, refused=True), due(header, refused=False))
    return not any(owed.accept or owed.application for owed in outcomes)


def put_off(
    header: Header, cause: BaseException, *, at: Instant, enhanced: bool, silent: bool
) -> bytes:
    """The frame that answers a message that could not be stored; empty where none is to leave.

    Only an accept acknowledgement can say "again", by CR. An engine that gets AE or AR puts the
    message aside and goes on with the next; one whose line breaks sends it again, in its order.

    Args:
        header: of the message.
        cause: why; it stays in the log.
        at: MSH-7 of the answer.
        enhanced: this listener honours MSH-15 and MSH-16.
        silent: this listener answers an outage by closing the line, where it owes no CR.
    """
    reason = _unstored(cause)
    says_again = enhanced and asks_enhanced(header) and due(header, refused=True).accept
    if silent and reason.code == UNAVAILABLE and not says_again:
        return b""
    return refusal(header, reason, at=at, enhanced=enhanced)


def discarded(event: Discarded) -> BridgeError:
    """Why a frame was read to its end and not kept."""
    fault, what, do = DISCARD_REASONS[event.code]
    where = f"byte {event.offset} of the stream, {event.size} bytes"
    return BridgeError(event.code, fault, what=what, where=where, do=do)


def late(within_s: float, size_bytes: int) -> BridgeError:
    """Why a frame that was begun is waited for no longer."""
    return BridgeError(
        "mllp-frame-timeout",
        Fault.SENDER,
        what=f"a message was not finished within {within_s:g} seconds",
        where=f"{size_bytes} bytes of it are here",
        do="send it again; look for a slow or broken line",
    )


def _unstored(cause: BaseException) -> BridgeError:
    """What a sender is told when its message could not be stored."""
    code, what = "node-failed", "this node failed while it stored the message"
    if isinstance(cause, BridgeError) and cause.fault is Fault.PEER:
        code, what = UNAVAILABLE, "this node cannot store messages at the moment"
    return BridgeError(
        code, Fault.PEER, what=what, where="storage", do="send the message again later"
    )
