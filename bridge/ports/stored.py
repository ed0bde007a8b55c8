"""Everything that is stored, page by page, for the one flow that recomputes it all."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Digest, Instant, LeafIndex, RecordId, TreeSize
from bridge.core.log.tiles import Tile
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.core.search.index import IndexRow
from bridge.ports.anchors import Attempt
from bridge.ports.logbook import PublishedHead

__all__ = [
    "Stored",
    "StoredAccess",
    "StoredCurrent",
    "StoredEvent",
    "StoredRecord",
    "StoredRefusal",
    "StoredRevision",
    "StoredStamp",
    "StoredVersion",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One row of the records, and the leaf that was promised for it."""

    seq: int
    id: RecordId
    feed: str
    number: int
    sender: str
    pinned: str
    """Profile that the door chose; with `charset` and the source it gives the bundle again."""
    charset: str
    dialect: str
    message_type: str
    control_id: str
    resend_key: bytes | None
    received: Instant
    source: bytes
    source_digest: bytes
    bundle: bytes
    bundle_digest: bytes
    mapping: Digest
    apply: str
    """The stored word, whether or not it is one of ours."""
    header: bytes
    salts: bytes
    answer: bytes
    leaf: bytes | None
    """In the log or waiting for it; None when there is none."""
    index: LeafIndex | None = None
    """Of its leaf in the log; None while it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRefusal:
    """One refused input, as far as its parts say the same."""

    id: str
    sender: str
    control_id: str
    source: bytes
    where: str
    reason: str
    resend_key: bytes | None
    request: tuple[tuple[str, str], ...]
    state: str
    retried_as: str | None
    dismissed_because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event of the log, and what a marker's interval really holds."""

    id: str
    kind: int
    name: str
    begin: LeafIndex
    end: TreeSize
    at: Instant
    documents: Mapping[str, bytes]
    salts: bytes
    leaf: bytes | None
    records: int
    last_number: int
    last_control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStamp:
    """One stamp beside the checkpoint that it must be of."""

    size: TreeSize
    kind: str
    state: str
    token: bytes
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """One resource version as it is served."""

    ref: ResourceRef
    number: int
    deleted: bool
    body: bytes
    """Empty for a deletion."""
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevision:
    """What applying one record did, with that record's bundle."""

    seq: int
    id: str
    record: RecordId
    bundle: bytes
    apply: Apply | None
    """None when the stored word is none of ours."""
    at: Instant
    header: bytes
    salts: bytes
    resources_root: Digest
    leaf: bytes | None
    versions: tuple[StoredVersion, ...]
    """As stored, by place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccess:
    """One row of the access log, and the leaf that was promised for it."""

    seq: int
    id: str
    at: Instant
    event: bytes
    salts: bytes
    patients: tuple[str, ...]
    """Under whom the access can be found, sorted."""
    leaf: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCurrent:
    """What one resource is served as now, and what a search finds it by."""

    ref: ResourceRef
    body: bytes
    """Empty for a deletion."""
    rows: tuple[IndexRow, ...]
    rules: str
    """Name of the rules that made the rows; empty when none is known."""


class Stored(Protocol):
    """PostgreSQL, for reading alone. Nothing it says is believed: fsck recomputes it.

    Needs an open unit. What is written meanwhile may or may not be seen; rows are never changed, so
    a finding is real either way.
    """

    def unit(self) -> AbstractContextManager[None]:
        """The transaction in which one page is read."""

    def records(self, after: int, limit: int) -> Sequence[StoredRecord]:
        """Records with a `seq` above `after`, in order."""

    def record(self, record: RecordId) -> StoredRecord | None:
        """One record."""

    def newest(self, sender: str, dialect: str, before: int, limit: int) -> Sequence[StoredRecord]:
        """Records of a sender and dialect with a `seq` below `before`, newest first.

        An empty sender is any; `before` 0 begins with the newest.
        """

    def refusals(self, after: str, limit: int) -> Sequence[StoredRefusal]:
        """Refused inputs with an `id` above `after`, in order."""

    def owed_otherwise(self) -> str | None:
        """A record or refusal to which another answer is owed than it got; None when none is."""

    def revisions(self, after: int, limit: int) -> Sequence[StoredRevision]:
        """Revisions with a `seq` above `after`, in order."""

    def before(
        self, revision: int, refs: Sequence[ResourceRef]
    ) -> Mapping[ResourceRef, StoredVersion]:
        """The newest version of each resource made by an earlier revision; absent when none."""

    def accesses(self, after: int, limit: int) -> Sequence[StoredAccess]:
        """Accesses with a `seq` above `after`, in order."""

    def currents(self, after: ResourceRef | None, limit: int) -> Sequence[StoredCurrent]:
        """Resources that come after this one by type and id, in order; from the first for None."""

    def events(self, after: str, limit: int) -> Sequence[StoredEvent]:
        """Events of the log with an `id` above `after`, in order, counted again."""

    def tiles(self, after: Tile, limit: int) -> Sequence[tuple[Tile, bytes]]:
        """Stored tiles behind this one, in order of level, number and width."""

    def stamps(self, after: tuple[int, str], limit: int) -> Sequence[StoredStamp]:
        """Stamps behind this checkpoint size and kind, in order."""

    def attempts(self, after: int, limit: int) -> Sequence[Attempt]:
        """Anchoring attempts with an `id` above `after`, in order."""

    def checkpoints(self, after: int, limit: int) -> Sequence[PublishedHead]:
        """Published checkpoints of more than `after` leaves, by size."""

    def changed_mapping(self) -> Digest | None:
        """A mapping whose document is not what its digest says; None when there is none."""

    def stray(self) -> str | None:
        """A row that nothing accounts for; None when there is none.

        A leaf, pending or not, without its record, revision, access or event, an event without its
        leaf, a record that neither was applied nor waits, a wait, a stalled lane or a stamp for
        nothing, a retried refusal without its record, a version without its revision or its
        resource or out of its place, a time that is not its revision's, a resource that points at
        another version than its newest, a search row without its resource, a checkpoint beyond the
        head.
        """
