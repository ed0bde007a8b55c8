"""The projected side in memory: one worker's view, all or nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, RecordId
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.core.record.moves import filed_under
from bridge.core.record.revision import State
from bridge.core.search.query import SearchQuery
from bridge.ports.versions import NewRevision, Stalled, Waiting

__all__ = ["MemoryVersions"]


@dataclass
class _Tables:
    queue: list[Waiting] = field(default_factory=list)
    stalled: dict[str, Stalled] = field(default_factory=dict)
    states: dict[ResourceRef, State] = field(default_factory=dict)
    revisions: list[NewRevision] = field(default_factory=list)


class MemoryVersions:
    """The port `Versions`, for one worker."""

    def __init__(self) -> None:
        """Start empty."""
        self.tables = _Tables()
        self.unstorable: set[str] = set()
        """Ids of resources that this database cannot hold."""

    def enqueue(self, bundle: str, *lanes: str, apply: Apply = Apply.MERGE) -> RecordId:
        """Let a record wait, as intake does."""
        seq = 1 + len(self.tables.queue) + len(self.tables.revisions)
        record = RecordId(f"record-{seq}")
        self.tables.queue.append(
            Waiting(
                seq=seq,
                record=record,
                bundle=bundle.encode(),
                apply=apply,
                lanes=tuple(sorted(lanes)),
            )
        )
        return record

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All or nothing."""
        kept = self.tables
        before = _Tables(
            queue=list(kept.queue),
            stalled=dict(kept.stalled),
            states=dict(kept.states),
            revisions=list(kept.revisions),
        )
        try:
            yield
        except BaseException:
            self.tables = before
            raise

    def claim(self, limit: int) -> tuple[Waiting, ...]:
        """The first that no stalled lane holds back."""
        blocked = set(self.tables.stalled)
        movable = []
        for one in self.tables.queue:
            if blocked.isdisjoint(one.lanes):
                movable.append(one)
            else:
                blocked.update(one.lanes)
        return tuple(movable[:limit])

    def claim_lanes(self, lanes: Sequence[str]) -> None:
        """Nobody else is here."""

    def waiting_in(self, lanes: Sequence[str], limit: int) -> tuple[Waiting, ...]:
        """What waits in these lanes."""
        if not self.tables.stalled.keys().isdisjoint(lanes):
            raise BridgeError(
                "lane-stalled",
                Fault.OPERATOR,
                what="an earlier record of the same key waits for a person",
                where="lane",
                do="mend and resume the lane, then send again",
            )
        return tuple(one for one in self.claim(limit) if not set(lanes).isdisjoint(one.lanes))

    def current(self, refs: Sequence[ResourceRef]) -> dict[ResourceRef, State]:
        """The states, version 0 where there is none."""
        absent = State(version=0, body=None)
        return {ref: self.tables.states.get(ref, absent) for ref in refs}

    def filed_under(self, places: Sequence[ResourceRef]) -> tuple[ResourceRef, ...]:
        """By the bodies."""
        return tuple(
            ref
            for ref, state in self.tables.states.items()
            if state.body and any(filed_under(state.body, str(place)) for place in places)
        )

    def find(self, query: SearchQuery) -> tuple[str, ...]:
        """Nothing is indexed here: no condition is ever met."""
        del query
        return ()

    def made_by(self, record: RecordId) -> dict[ResourceRef, bool]:
        """What the record's revision changed, and whether it created it."""
        made: dict[ResourceRef, bool] = {}
        gone: dict[ResourceRef, bool] = {}
        for one in self.tables.revisions:
            for new in one.versions:
                ref = new.version.ref
                if one.waiting.record == record:
                    made[ref] = gone.get(ref, True)
                gone[ref] = new.version.body is None
        return made

    def keep(self, revisions: Sequence[NewRevision]) -> None:
        """Store, and take the records out of their lanes."""
        for one in revisions:
            for new in one.versions:
                if new.version.ref.id in self.unstorable:
                    raise BridgeError(
                        "store-refused",
                        Fault.US,
                        what="the database cannot hold a row",
                        where="store.unit",
                        do="mend what made the row",
                    )
                self.tables.states[new.version.ref] = State(
                    version=new.version.number, body=new.version.body
                )
        gone = {one.waiting.seq for one in revisions}
        self.tables.queue = [one for one in self.tables.queue if one.seq not in gone]
        self.tables.revisions.extend(revisions)

    def stall(self, waiting: Waiting, reason: BridgeError, at: Instant) -> None:
        """Stop the lanes."""
        for lane in waiting.lanes:
            self.tables.stalled[lane] = Stalled(
                lane=lane,
                record=waiting.record,
                code=reason.code,
                reason=str(reason),
                since=at,
                waiting=sum(lane in one.lanes for one in self.tables.queue),
            )

    def resume(self, lane: str) -> bool:
        """Let all lanes of the stalled record run again."""
        stalled = self.tables.stalled.get(lane)
        if stalled is None:
            return False
        self.tables.stalled = {
            name: one for name, one in self.tables.stalled.items() if one.record != stalled.record
        }
        return True

    def resume_record(self, record: RecordId) -> bool:
        """Let the lanes run that this record stopped."""
        before = len(self.tables.stalled)
        self.tables.stalled = {
            name: one for name, one in self.tables.stalled.items() if one.record != record
        }
        return len(self.tables.stalled) < before

    def stalled(self) -> tuple[Stalled, ...]:
        """Oldest first."""
        return tuple(sorted(self.tables.stalled.values(), key=lambda one: (one.since, one.lane)))
