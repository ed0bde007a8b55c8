"""A `receive_group` that keeps messages in memory and can be down, slow or broken on purpose."""

import threading
from collections.abc import Sequence

from adapters.hl7v2.ack import acknowledge
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, RecordId, sha256
from bridge.core.record.bundle import Apply, CanonicalBundle
from bridge.flows.receive import Inbound, Offer, Received
from bridge.ports.dialect import Accepted, Refused
from tests.fakes.sources import FixedClock
from workers.mllp.gathering import ReceiveGroup, Reception

__all__ = ["MemoryFeed", "adt", "as_they_are"]

BUNDLE = CanonicalBundle(
    canonical=b"{}",
    source=Digest(bytes(32)),
    mapping=Digest(bytes(32)),
    apply=Apply.MERGE,
    message_type="ADT^A01^ADT_A01",
    control_id="1",
    lanes=("lane",),
)


def adt(control_id: str, *, accept: str = "", application: str = "", extra: bytes = b"") -> bytes:
    """An ADT^A01 with MSH-10, MSH-15 and MSH-16 as said."""
    msh = f"MSH|^~\\&|LAB|HOSP|US|X|20261122||ADT^A01^ADT_A01|{control_id}|P|2.5.1"
    return f"{msh}|||{accept}|{application}\rPID|1||42\r".encode() + extra


def as_they_are(receive_group: ReceiveGroup) -> Reception:
    """Nothing is prepared before the transaction."""
    return Reception(prepare=lambda inbound: inbound, receive_group=receive_group)


class MemoryFeed:
    """Keeps what does not hold the word BAD; the same bytes twice are a duplicate."""

    def __init__(self) -> None:
        """Work well until told otherwise."""
        self.kept: dict[bytes, Received] = {}
        self.groups: list[int] = []
        self.senders: set[str] = set()
        self.numbers: list[int] = []
        self.down = False
        self.crash_on: bytes | None = None
        self.lose_results = False
        self.gate = threading.Event()
        """Cleared, a group waits for it."""
        self.gate.set()
        self.entered = threading.Event()

    def __call__(self, works: Sequence[Inbound | Offer]) -> list[Received]:
        """Store the group, or none of it."""
        group = [one.inbound if isinstance(one, Offer) else one for one in works]
        self.entered.set()
        self.gate.wait(10)
        self.groups.append(len(group))
        if self.down:
            raise BridgeError(
                "store-unavailable", Fault.PEER, what="no database", where="dsn", do="start it"
            )
        if self.crash_on is not None and any(self.crash_on in one.raw for one in group):
            raise ZeroDivisionError
        self.senders.update(one.sender for one in group)
        self.numbers += [one.number for one in group]
        results = [self._receive(one) for one in group]
        return results[:-1] if self.lose_results else results

    def _receive(self, one: Inbound) -> Received:
        earlier = self.kept.get(one.raw)
        if earlier is not None:
            status = "duplicate" if earlier.status == "stored" else earlier.status
            return Received(
                record=earlier.record, answer=earlier.answer, status=status, reason=earlier.reason
            )
        record, at = RecordId(sha256(one.raw).hex()), FixedClock().at
        if b"BAD" in one.raw or not one.raw.startswith(b"MSH|"):
            reason = BridgeError(
                "segment-order", Fault.SENDER, what="bad", where="PID[1]", do="mend it"
            )
            answer = acknowledge(one.raw, Refused(record=record, reason=reason), at=at)
            kept = Received(record=record, answer=answer, status="quarantined", reason=reason)
        else:
            answer = acknowledge(one.raw, Accepted(record=record, bundle=BUNDLE), at=at)
            kept = Received(record=record, answer=answer, status="stored", bundle=BUNDLE)
        self.kept[one.raw] = kept
        return kept
