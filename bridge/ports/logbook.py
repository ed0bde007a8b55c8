"""The log as it is stored: pending leaves, indices, tiles, the head, published checkpoints."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Digest, Instant, LeafIndex, TreeSize
from bridge.core.log.tiles import Bundle, Tile

__all__ = ["AnchoredHead", "Head", "HighWater", "LogBook", "PublishedHead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the tree of the log `origin` stands; not signed yet, so not for strangers."""

    origin: str
    size: TreeSize
    root: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedHead:
    """A signed checkpoint that anybody may read."""

    size: TreeSize
    root: Digest
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredHead:
    """A head that an independent system holds."""

    size: TreeSize
    root: Digest


class HighWater(Protocol):
    """The newest head that is known where a restore of the database does not reach."""

    def newest(self) -> AnchoredHead | None:
        """What a chain holds or was ever kept, the larger; None when there is nothing.

        May raise, which stops the run that asks and nothing else.
        """

    def keep(self, head: AnchoredHead) -> None:
        """Remember a head that was published, if none is larger. Durable when it returns."""


class LogBook(Protocol):
    """PostgreSQL. Trusted for availability and order, not for integrity: auditors re-derive it.

    The four steps `assign`, `write`, `advance` and `publish` are each durable when they return and
    open their own transaction. Each may be repeated: once done, it changes nothing. When one
    raises, whether it took effect is unknown; running the sequencer again finds out. Reads join an
    open unit of the same database.
    """

    def sequencing(self) -> AbstractContextManager[bool]:
        """Be the only sequencer while the block runs; False when another process is."""

    def head(self) -> Head | None:
        """The newest head; None before the first leaf."""

    def assign(self, head: Head, max_leaves: int) -> TreeSize:
        """Step 1: give pending leaves, in order, the indices from `head.size` on.

        When leaves beyond the head have their indices already, no more are given.

        Returns:
            The size that the tree has with all leaves that have indices.

        Raises:
            BridgeError: `sequencer-raced` when the stored head is another one.
        """

    def leaves(self, begin: int, end: int) -> tuple[bytes, ...]:
        """The leaves at these indices as they are stored; raises `leaf-missing` for a gap."""

    def tiles(self, names: Sequence[Tile]) -> Mapping[Tile, bytes]:
        """Contents of tiles in one read; a wider stored tile answers for a narrower name.

        A name that nothing answers is left out.
        """

    def write(self, tiles: Mapping[Tile, bytes]) -> None:
        """Step 2: store tiles; a name that exists keeps its content, and the caller re-reads."""

    def advance(self, before: Head, after: Head) -> None:
        """Step 3: replace the head if it still is `before`; `before.size` 0 means that none is.

        Raises:
            BridgeError: `sequencer-raced` when the stored head is another one.
        """

    def publish(self, head: PublishedHead, at: Instant) -> None:
        """Step 4: store a signed checkpoint, and drop partial tiles that wider ones replaced.

        Raises:
            BridgeError: `checkpoint-differs` when that size was published with other bytes.
        """

    def newest(self) -> PublishedHead | None:
        """The newest published checkpoint."""

    def published(self, *, size_from: int) -> PublishedHead | None:
        """The smallest published checkpoint of at least this size: the first to hold a leaf."""

    def checkpoint_text(self) -> bytes | None:
        """The newest signed checkpoint as it is served."""

    def tile(self, level: int, n: int, width: int) -> bytes | None:
        """A tile as it is served; None when the log has no such tile."""

    def entries(self, n: int, width: int) -> bytes | None:
        """An entry bundle as it is served; None when the log has not that many leaves."""

    def bundles(self, names: Sequence[Bundle]) -> Mapping[Bundle, bytes]:
        """Entry bundles as they are served, in one read; one that is not whole is left out."""

    def index_of(self, subject: str) -> LeafIndex | None:
        """Index of the first leaf of a record, revision or event; None while it is pending."""

    def leaf_at(self, index: LeafIndex) -> bytes | None:
        """The leaf at an index."""

    def root_at(self, size: int) -> Digest | None:
        """The root that the tree had at an earlier size; None when the log is smaller."""
