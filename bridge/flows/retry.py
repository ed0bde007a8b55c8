"""A refused input once more, after somebody mended the mapping or the profile."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.flows.receive import Inbound, Received, receive
from bridge.ports.dialect import Dialect
from bridge.ports.intake import Intake
from bridge.ports.reading import Reading
from bridge.ports.sources import Clock, Entropy

__all__ = ["Retry", "retry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which refusal, and as what message of which feed."""

    refused: RecordId
    feed: str
    number: int


def retry(
    asked: Retry,
    *,
    dialects: Mapping[str, Dialect],
    reading: Reading,
    intake: Intake,
    clock: Clock,
    entropy: Entropy,
) -> Received:
    """Receive the kept bytes again as they came, with the rules of today.

    The record that this makes gets a new id; the refusal is closed and names it. An input that is
    refused again stays open. A crash between both leaves the refusal open: to retry it again finds
    the record as a resend, where the input has a control id.

    Raises:
        BridgeError: `not-found`, `retry-closed` when it was retried before, `store-unavailable`.
    """
    with reading.unit():
        refusal, source = reading.refusal(asked.refused), reading.source(asked.refused)
    if refusal is None or source is None:
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what="there is no such refused input",
            where="record",
            do="take its id from the list of refusals",
        )
    if refusal.state != "open":
        raise BridgeError(
            "retry-closed",
            Fault.SENDER,
            what=f"this input is {refusal.state} already",
            where="record",
            do="look at the record that it became",
        )
    inbound = Inbound(
        raw=source,
        feed=asked.feed,
        number=asked.number,
        sender=refusal.pinned,
        charset=refusal.charset,
    )
    dialect = dialects[refusal.dialect]
    (received,) = receive([inbound], dialect=dialect, intake=intake, clock=clock, entropy=entropy)
    if received.status != "quarantined":
        with intake.unit():
            intake.retried(asked.refused, received.record)
    return received
