"""A log book in memory that can fail before and after each durable step."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, LeafIndex, TreeSize
from bridge.core.log.tiles import WIDTH, Bundle, Tile, encode_entries, root_at
from bridge.ports.logbook import Head, PublishedHead

__all__ = ["MemoryLogBook"]


class MemoryLogBook:
    """The port `LogBook`. Set `fail_at` to (step, "before" or "after") and it fails there once."""

    def __init__(self) -> None:
        """Start empty."""
        self.pending: list[tuple[str, bytes]] = []
        self.log: list[tuple[str, bytes]] = []
        self.stored: dict[Tile, bytes] = {}
        self.stored_head: Head | None = None
        self.checkpoints: dict[int, PublishedHead] = {}
        self.fail_at: tuple[str, str] | None = None
        self.away = False
        self.locked = False

    def promise(self, subject: str, leaf: bytes) -> None:
        """Put a leaf into the queue, as intake does."""
        self.pending.append((subject, leaf))

    @contextmanager
    def sequencing(self) -> Iterator[bool]:
        """One at a time."""
        alone, self.locked = not self.locked, True
        try:
            yield alone
        finally:
            self.locked = not alone

    def head(self) -> Head | None:
        """The newest head."""
        return self.stored_head

    def assign(self, head: Head, max_leaves: int) -> TreeSize:
        """Step 1."""
        with self._step("assign"):
            self._check(head)
            if len(self.log) == head.size:
                self.log += self.pending[:max_leaves]
                del self.pending[:max_leaves]
            return TreeSize(len(self.log))

    def leaves(self, begin: int, end: int) -> tuple[bytes, ...]:
        """Stored leaves."""
        found = tuple(leaf for _, leaf in self.log[begin:end])
        if len(found) != end - begin:
            what = f"{end - begin} leaves have indices, {len(found)} are stored"
            raise _refusal("leaf-missing", what, Fault.US)
        return found

    def tiles(self, names: Sequence[Tile]) -> Mapping[Tile, bytes]:
        """Stored tiles, or the beginning of wider ones; nothing while the book is `away`."""
        if self.away:
            raise _refusal("store-unavailable", "the book is away", Fault.PEER)
        found: dict[Tile, bytes] = {}
        for name in names:
            wide = [
                (tile.width, data)
                for tile, data in self.stored.items()
                if (tile.level, tile.n) == (name.level, name.n) and tile.width >= name.width
            ]
            if wide:
                found[name] = min(wide)[1][: name.width * 32]
        return found

    def write(self, tiles: Mapping[Tile, bytes]) -> None:
        """Step 2."""
        with self._step("write"):
            self.stored = {**tiles, **self.stored}

    def advance(self, before: Head, after: Head) -> None:
        """Step 3."""
        with self._step("advance"):
            self._check(before)
            self.stored_head = after

    def publish(self, head: PublishedHead, at: Instant) -> None:
        """Step 4."""
        del at
        with self._step("publish"):
            if self.checkpoints.setdefault(head.size, head) != head:
                what = "this size was published with other bytes"
                raise _refusal("checkpoint-differs", what, Fault.US)
            widest = {(one.level, one.n): one for one in sorted(self.stored, key=_width)}
            self.stored = {one: self.stored[one] for one in widest.values()}

    def newest(self) -> PublishedHead | None:
        """The newest checkpoint."""
        return self.checkpoints[max(self.checkpoints)] if self.checkpoints else None

    def published(self, *, size_from: int) -> PublishedHead | None:
        """The smallest checkpoint of at least this size."""
        sizes = [size for size in self.checkpoints if size >= size_from]
        return self.checkpoints[min(sizes)] if sizes else None

    def checkpoint_text(self) -> bytes | None:
        """The newest note."""
        newest = self.newest()
        return newest.note if newest else None

    def tile(self, level: int, n: int, width: int) -> bytes | None:
        """A tile as it is served."""
        name = Tile(level=level, n=n, width=width)
        return self.tiles((name,)).get(name)

    def entries(self, n: int, width: int) -> bytes | None:
        """An entry bundle as it is served."""
        found = [leaf for _, leaf in self.log[n * WIDTH : n * WIDTH + width]]
        return encode_entries(found) if len(found) == width else None

    def bundles(self, names: Sequence[Bundle]) -> Mapping[Bundle, bytes]:
        """Entry bundles by name."""
        found = {name: self.entries(name.n, name.width) for name in names}
        return {name: data for name, data in found.items() if data is not None}

    def index_of(self, subject: str) -> LeafIndex | None:
        """Index of the first leaf of a subject."""
        found = (LeafIndex(index) for index, (name, _) in enumerate(self.log) if name == subject)
        return next(found, None)

    def leaf_at(self, index: LeafIndex) -> bytes | None:
        """The leaf at an index."""
        return self.log[index][1] if index < len(self.log) else None

    def root_at(self, size: int) -> Digest | None:
        """The root at an earlier size."""
        if self.stored_head is None or size > self.stored_head.size:
            return None
        return root_at(TreeSize(size), self.tiles)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Fail once where the test said, having done the step or not."""
        failing = self.fail_at if self.fail_at and self.fail_at[0] == name else None
        if failing == (name, "before"):
            self.fail_at = None
            raise _refusal("store-unavailable", f"{name} did not persist", Fault.PEER)
        yield
        if failing == (name, "after"):
            self.fail_at = None
            raise _refusal("store-unavailable", f"{name} persisted, unreported", Fault.PEER)

    def _check(self, head: Head) -> None:
        if self.stored_head != head and (self.stored_head is not None or head.size):
            raise _refusal("sequencer-raced", "another sequencer moved the head", Fault.PEER)


def _width(tile: Tile) -> int:
    return tile.width


def _refusal(code: str, what: str, fault: Fault) -> BridgeError:
    return BridgeError(code, fault, what=what, where="memory", do="run the sequencer again")
