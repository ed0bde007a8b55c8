"""An anchor book in memory that can crash before or after a change is durable."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bridge.core.ids import Digest, Instant, TreeSize, sha256
from bridge.ports.anchors import Attempt, State
from bridge.ports.logbook import PublishedHead
from tests.fakes.chain import Crash

__all__ = ["MemoryAnchors", "MemoryHeads", "grown"]


class MemoryAnchors:
    """The port `AnchorBook`."""

    def __init__(self) -> None:
        """Empty."""
        self.rows: dict[int, Attempt] = {}
        self.crash_at: int | None = None
        """Crash at the unit with writes that comes after this many others."""
        self.crash_persists = False
        """Whether that unit's writes survive the crash."""
        self._wrote = False

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Durable at the end, or not at all."""
        before, self._wrote = dict(self.rows), False
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self.rows = before
        if not self._wrote or self.crash_at is None:
            return
        self.crash_at -= 1
        if self.crash_at < 0:
            self.crash_at = None
            if not self.crash_persists:
                self.rows = before
            raise Crash

    def plan(self, attempt: Attempt) -> Attempt | None:
        """Store a new attempt unless its slot is taken."""
        if any(_slot(row) == _slot(attempt) for row in self.rows.values()):
            return None
        stored = replace(attempt, id=len(self.rows) + 1, version=1)
        self._keep(stored)
        return stored

    def next_round(self, chain: str, account: str, nonce: int) -> int:
        """Above all rounds at this nonce."""
        rounds = [
            row.round for row in self.rows.values() if _slot(row)[:3] == (chain, account, nonce)
        ]
        return max(rounds, default=-1) + 1

    def swap(self, before: Attempt, after: Attempt) -> Attempt | None:
        """Compare-and-swap on the version."""
        if self.rows[before.id].version != before.version:
            return None
        changed = replace(after, id=before.id, version=before.version + 1)
        self._keep(changed)
        return changed

    def unsettled(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """By nonce and round."""
        rows = [
            row
            for row in self.rows.values()
            if (row.chain, row.account) == (chain, account) and not row.settled
        ]
        return tuple(sorted(rows, key=lambda row: (row.nonce, row.round)))

    def evidenced(self, chain: str, contract: str, *, size_from: int) -> tuple[Attempt, ...]:
        """Smallest first."""
        rows = [
            row
            for row in self.rows.values()
            if (row.chain, row.contract, row.state) == (chain, contract, State.EVIDENCED)
            and row.payload.size >= size_from
        ]
        return tuple(sorted(rows, key=lambda row: (row.payload.size, row.id))[:100])

    def spent_wei(self, chain: str, account: str, *, since: Instant) -> int:
        """Per nonce what was paid, else the most that may be."""
        paid: dict[int, int] = {}
        offered: dict[int, int] = {}
        for row in self.rows.values():
            foreign = row.state is State.FAILED and row.inclusion is None
            if (row.chain, row.account) != (chain, account) or row.planned < since or foreign:
                continue
            most = row.gas * row.fees.max_fee_wei
            offered[row.nonce] = max(offered.get(row.nonce, 0), most)
            if row.inclusion is not None and row.inclusion.spent is not None:
                paid[row.nonce] = row.inclusion.spent.cost_wei
        return sum((offered | paid).values())

    def standing(self, chain: str, contract: str) -> Attempt | None:
        """The largest."""
        rows = [row for row in self._standing() if (row.chain, row.contract) == (chain, contract)]
        return rows[-1] if rows else None

    def covering(self, sizes: Collection[int]) -> dict[int, tuple[Attempt, ...]]:
        """Three, and the first evidenced."""
        found = {}
        for size in sizes:
            rows = [row for row in self._standing() if row.payload.size >= size]
            whole = [row for row in rows if row.state is State.EVIDENCED]
            near = {row.id for row in (*rows[:3], *whole[:1])}
            found[size] = tuple(row for row in rows if row.id in near)
        return found

    def _standing(self) -> list[Attempt]:
        standing = (State.MINED, State.FINAL, State.EVIDENCED)
        rows = [row for row in self.rows.values() if row.state in standing]
        return sorted(rows, key=lambda row: (row.payload.size, row.id))

    def newest_evidenced(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """Highest block first."""
        rows = [
            row
            for row in self.rows.values()
            if (row.chain, row.account, row.state) == (chain, account, State.EVIDENCED)
        ]
        return tuple(sorted(rows, key=_block, reverse=True)[:100])

    def _keep(self, row: Attempt) -> None:
        self.rows[row.id] = row
        self._wrote = True


class MemoryHeads:
    """The port `Heads`: a log whose root at each size is known at once."""

    def __init__(self) -> None:
        """An empty log."""
        self.size = 0
        self.branch = b"a"

    def newest(self) -> PublishedHead | None:
        """The head at the present size."""
        return grown(self.size, self.branch) if self.size else None

    def root_at(self, size: int) -> Digest | None:
        """The root at an earlier size."""
        return grown(size, self.branch).root if size <= self.size else None


def grown(size: int, branch: bytes = b"a") -> PublishedHead:
    """The head of a test log at a size."""
    return PublishedHead(
        size=TreeSize(size), root=sha256(b"%s %d" % (branch, size)), note=b"note %d" % size
    )


def _block(row: Attempt) -> tuple[int, int]:
    return (row.inclusion.block_number if row.inclusion else 0), row.id


def _slot(row: Attempt) -> tuple[str, str, int, int]:
    return row.chain, row.account, row.nonce, row.round
