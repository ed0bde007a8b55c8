"""Everything that is stored, page by page, for the one flow that recomputes it all."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Digest, Instant, LeafIndex, RecordId
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.core.search.index import IndexRow
from bridge.ports.logbook import PublishedHead

__all__ = [
    "Stored",
    "StoredAccess",
    "StoredCurrent",
    "StoredRecord",
    "StoredRevision",
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
    received: Instant
    source: bytes
    source_digest: bytes
    bundle: bytes
    bundle_digest: bytes
    mapping: Digest
    header: bytes
    salts: bytes
    leaf: bytes | None
    """In the log or waiting for it; None when there is none."""
    index: LeafIndex | None = None
    """Of its leaf in the log; None while it waits."""


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

    def checkpoints(self, after: int, limit: int) -> Sequence[PublishedHead]:
        """Published checkpoints of more than `after` leaves, by size."""

    def changed_mapping(self) -> Digest | None:
        """A mapping whose document is not what its digest says; None when there is none."""

    def stray(self) -> str | None:
        """A row that nothing accounts for; None when there is none.

        A leaf without its record, revision, access or event, an event without its leaf, a version
        without its revision or its resource, a time that is not its revision's, a resource that
        points at another version than its newest, a search row without its resource, a checkpoint
        beyond the head.
        """
