"""The projected side of the database: lanes of waiting records, resource versions, their index."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, Instant, RecordId
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import State, Version
from bridge.core.search.index import IndexRow
from bridge.core.search.query import SearchQuery

__all__ = ["NewRevision", "NewVersion", "Reindexing", "Stalled", "Versions", "Waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A stored record that stands at the head of all its lanes, which are locked for this unit."""

    seq: int
    """Of the record: the order within a lane."""
    record: RecordId
    bundle: bytes
    apply: Apply
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """One new version as it is stored."""

    version: Version
    salt: bytes
    index: tuple[IndexRow, ...] | None
    """Search rows of the newest version; None for one that was overtaken in the same batch."""
    replaces: bool
    """Whether the resource had a version before this batch, whose search rows must go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """What applying one record did; durable together with the record's leaving its lanes."""

    id: RecordId
    """A UUID of version 7 of its own: the subject of its leaf."""
    waiting: Waiting
    at: Instant
    header: bytes
    salts: bytes
    """2 x 32 bytes in the order of `claims.REVISION_NAMES`."""
    resources_root: Digest
    leaf: bytes
    versions: tuple[NewVersion, ...]
    """In order of name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """A lane that waits for a person."""

    lane: str
    record: RecordId
    code: str
    reason: str
    since: Instant
    waiting: int
    """Records in the lane, the stalled one included."""


class Versions(Protocol):
    """PostgreSQL. Trusted for order and isolation, not for integrity: fsck re-derives it.

    Any number of workers may project at once: a lane has one worker at a time, held by a lock that
    ends with the unit; records that are not visible yet are found by a later call.
    """

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def claim(self, limit: int) -> tuple[Waiting, ...]:
        """At most `limit` waiting records in order, whose lanes nobody else holds or has stalled.

        Never waits. Records of one lane may follow each other. Needs an open unit.
        """

    def claim_lanes(self, lanes: Sequence[str]) -> None:
        """Wait until these lanes are ours for this unit. Call before any write of the unit."""

    def waiting_in(self, lanes: Sequence[str], limit: int) -> tuple[Waiting, ...]:
        """What waits in lanes that this unit holds, in order, up to the first that must not move.

        Raises:
            BridgeError: `lane-stalled` when one of the lanes waits for a person.
        """

    def current(self, refs: Sequence[ResourceRef]) -> Mapping[ResourceRef, State]:
        """Lock these resources for this unit, in one order for every worker, and read them.

        One entry a reference, also for a resource that does not exist yet.
        """

    def filed_under(self, places: Sequence[ResourceRef]) -> Sequence[ResourceRef]:
        """Present resources that are filed under these visits and accounts, by the index.

        Sees what this unit kept; locks nothing.
        """

    def find(self, query: SearchQuery) -> tuple[str, ...]:
        """Ids of present resources that match, at most 2: none, one, or ambiguous.

        Sees what this unit wrote; with the lane of the condition held, no other unit can create a
        second match for the same condition.
        """

    def made_by(self, record: RecordId) -> Mapping[ResourceRef, bool]:
        """What a projected record changed; True where there was none before, or a deleted one."""

    def keep(self, revisions: Sequence[NewRevision]) -> None:
        """Store revisions, versions, index and pending leaves; the records leave their lanes."""

    def stall(self, waiting: Waiting, reason: BridgeError, at: Instant) -> None:
        """Stop the lanes of this record until `resume`; others run on. Needs an open unit."""

    def resume(self, lane: str) -> bool:
        """Let the lane and those that stopped with it run again; False when it was not stalled."""

    def resume_record(self, record: RecordId) -> bool:
        """Let every lane run again that this record stopped; False when it stopped none."""

    def stalled(self) -> tuple[Stalled, ...]:
        """Every lane that waits for a person, oldest first."""


class Reindexing(Protocol):
    """The same database, while its search rows are made again. Each page is a unit of its own."""

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def indexed_otherwise(
        self, after: ResourceRef | None, limit: int, *, every: bool
    ) -> Sequence[ResourceRef]:
        """Resources behind this one, in order, whose rows the rules of this program did not make.

        All of them for `every`. Locks nothing.
        """

    def count_otherwise(self, *, every: bool) -> int:
        """How many there are."""

    def current(self, refs: Sequence[ResourceRef]) -> Mapping[ResourceRef, State]:
        """Lock these resources for this unit and read them; as `Versions.current`."""

    def index_again(self, found: Mapping[ResourceRef, Sequence[IndexRow]]) -> None:
        """Replace the search rows of resources that this unit locks, and note whose rules it was.

        Nothing happens for an empty mapping.
        """
