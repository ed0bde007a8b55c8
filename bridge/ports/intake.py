"""The append-only side of the database: records, quarantine, and the promises made with them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Digest, Instant, RecordId
from bridge.core.record.bundle import CanonicalBundle

__all__ = ["Appended", "Intake", "NewRecord", "Quarantined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """Everything of one accepted message that becomes durable in the same commit."""

    id: RecordId
    feed: str
    """Listener or door with the start of its process, such as `mllp-2575/018f...`."""
    number: int
    """Rises by one for each message of the feed; a gap is a duplicate or a refusal."""
    sender: str
    pinned: str
    """Profile that the door chose; with `charset` and the source it gives the bundle again."""
    charset: str
    """As the transport said it."""
    dialect: str
    received: Instant
    source: bytes
    bundle: CanonicalBundle
    bundle_digest: Digest
    """Of its canonical bytes, as the leaf has it."""
    header: bytes
    """Canonical JSON that the `header` claim covers."""
    salts: bytes
    """4 x 32 bytes in the order of `claims.RECORD_NAMES`."""
    leaf: bytes
    answer: bytes
    resend_key: Digest | None
    """Of sender, control id and source bytes; None for input that may rightly be sent twice."""
    sequence: int | None = None
    """MSH-13."""
    deliver_to: str = ""
    """Where the answer is owed; it becomes owed in the same commit, a resend owes it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A refused input: kept whole, with its reason, until someone retries or dismisses it."""

    id: RecordId
    feed: str
    number: int
    sender: str
    pinned: str
    charset: str
    dialect: str
    received: Instant
    message_type: str
    control_id: str
    source: bytes
    code: str
    where: str
    reason: str
    answer: bytes
    resend_key: Digest | None
    """Of sender, control id, reason and source: a sender that repeats itself fills nothing."""
    request: tuple[tuple[str, str], ...] = ()
    """What the HTTP request of a FHIR write said beside its body; a retry says it again."""
    deliver_to: str = ""
    """As of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of one offered record or refusal."""

    id: RecordId
    """Of the stored row: the earlier one when this was a resend."""
    answer: bytes
    duplicate: bool


class Intake(Protocol):
    """PostgreSQL. Trusted for durability and order, not for integrity: fsck re-derives it.

    Appends only; takes no lock beyond its own rows; several processes may append at once.
    """

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def append(self, records: Sequence[NewRecord]) -> tuple[Appended, ...]:
        """Store records, their lanes and pending leaves; one entry a record, in order.

        A resend stores nothing and returns what the first one was answered. A control id that the
        sender used before for other bytes, and gaps of its MSH-13, are noted with the record; its
        mapping is kept by digest, its unmapped codes are counted.
        Records of one call get rising sequence numbers in the order given. Needs an open unit.

        Raises:
            BridgeError: when the unit ends, as `Database.unit` says: `store-conflict` when two
                callers offer the same resends in opposite order.
        """

    def holds(self, one: NewRecord) -> RecordId | None:
        """The record that has this sender and control id with other bytes, unless this is a resend.

        A read of what is committed: two that arrive at the same moment in two processes do not
        see each other.
        """

    def quarantine(self, refused: Sequence[Quarantined]) -> tuple[Appended, ...]:
        """Store refused inputs; one entry each, in order. Promises nothing to the log.

        The same input refused for the same reason is counted on the first row, whose id and answer
        come back. Needs an open unit.
        """

    def retried(self, refused: RecordId, stored: RecordId) -> bool:
        """Close an open refusal with the record that it became; False when it was not open."""

    def dismissed(self, refused: RecordId, reason: str) -> bool:
        """Close an open refusal for good; False when it was not open. Needs an open unit."""
