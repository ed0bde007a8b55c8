"""What waits for a person: a refused input once more or put away, a stalled lane set going.

Each is one transaction with the event that says who did it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.core.policy.access import OVERSIGHT, Caller, allow
from bridge.core.policy.audit import Interaction, Shown
from bridge.flows.noting import note_access
from bridge.flows.receive import SHARE, Inbound, Received, keep, prepare
from bridge.flows.write import Ports, receive_and_project
from bridge.ports.dialect import Dialect
from bridge.ports.reading import Reading, Refusal

__all__ = ["Retry", "dismiss", "resume", "retry"]

MAX_REASON = 1_000
"""Characters: a few sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which refusal, and as what message of which feed."""

    refused: RecordId
    feed: str
    number: int


def retry(
    asked: Retry,
    *,
    caller: Caller,
    dialects: Mapping[str, Dialect],
    ports: Ports,
    reading: Reading,
) -> Received:
    """Receive the kept bytes again as they came, with the rules of today.

    The record that this makes gets a new id; in the same transaction the refusal is closed and
    names it. An input that is refused again stays open and is counted on its row.

    Args:
        asked: what to retry.
        caller: who asks; needs a role of oversight.
        dialects: by name, of what is received and projected later; all else is a FHIR write.
        ports: of the node; its units are those of `reading`.
        reading: where refusals are.

    Raises:
        BridgeError: `access-refused`, `not-found`, `retry-closed` when somebody closed it before,
            those of `flows.write`: the refusal stays open.
    """
    allow(caller, OVERSIGHT)
    with reading.unit():
        refusal, source = reading.refusal(asked.refused), reading.source(asked.refused)
    if refusal is None or source is None:
        raise _unknown()
    if refusal.state != "open":
        raise _closed(refusal.state)
    inbound = _inbound(asked, refusal, source)

    def close(record: RecordId) -> None:
        if not ports.intake.retried(asked.refused, record):
            raise _closed("closed")
        _note(asked.refused, "retry", caller, reading, ports)

    if refusal.dialect not in dialects:
        received = receive_and_project(inbound, ports, close).received
    else:
        dialect, at, random = (
            dialects[refusal.dialect],
            ports.clock.now(),
            ports.entropy.take(SHARE),
        )
        offer = prepare(inbound, dialect=dialect, at=at, random=random)
        (received,) = keep([offer], ports.intake, close)
    if received.status == "quarantined":
        with reading.unit():
            _note(asked.refused, "retry", caller, reading, ports)
    return received


def dismiss(
    refused: RecordId, reason: str, *, caller: Caller, ports: Ports, reading: Reading
) -> None:
    """Close an open refusal for good; its bytes stay.

    Raises:
        BridgeError: `access-refused`, `dismiss-reason`, `not-found`, `retry-closed`.
    """
    allow(caller, OVERSIGHT)
    if not reason.strip() or len(reason) > MAX_REASON or "\0" in reason:
        raise BridgeError(
            "dismiss-reason",
            Fault.SENDER,
            what=f"a reason of 1 to {MAX_REASON} characters is needed",
            where="reason",
            do="say why this input needs no retry, without naming a patient",
        )
    with reading.unit():
        refusal = reading.refusal(refused)
        if refusal is None:
            raise _unknown()
        if not ports.intake.dismissed(refused, reason):
            raise _closed(refusal.state)
        _note(refused, "dismiss", caller, reading, ports)


def resume(record: RecordId, *, caller: Caller, ports: Ports, reading: Reading) -> bool:
    """Let the lanes run that this stored record stopped; False when it stopped none.

    The next projection tries the record again; when it still cannot be applied, the lanes stop
    again with the reason of then.
    """
    allow(caller, OVERSIGHT)
    with reading.unit():
        if not ports.versions.resume_record(record):
            return False
        _note(record, "retry", caller, reading, ports)
    return True


def _inbound(asked: Retry, refusal: Refusal, source: bytes) -> Inbound:
    return Inbound(
        raw=source,
        feed=asked.feed,
        number=asked.number,
        sender=refusal.pinned,
        charset=refusal.charset,
        request=refusal.request,
    )


def _note(record: RecordId, verb: str, caller: Caller, reading: Reading, ports: Ports) -> None:
    shown = Shown(
        interaction=Interaction.OPERATION,
        names=(f"records/{record}/{verb}",),
        patients=reading.patients_of(reading.touched(record)),
    )
    note_access(shown, caller=caller, reading=reading, clock=ports.clock, entropy=ports.entropy)


def _unknown() -> BridgeError:
    return BridgeError(
        "not-found",
        Fault.SENDER,
        what="there is no such refused input",
        where="record",
        do="take its id from the list of refusals",
    )


def _closed(state: str) -> BridgeError:
    return BridgeError(
        "retry-closed",
        Fault.SENDER,
        what=f"this input is {state} already",
        where="record",
        do="look at its status: it names the record that it became, or why it was put away",
    )
