"""Lanes: which waiting records may be applied now, by whom, and in what order.

A lane is held by a transaction-scoped advisory lock, so that a worker that dies lets go. The queue
is read again after locking, because another worker may have emptied it in between.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import text

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, RecordId
from bridge.core.record.bundle import Apply
from bridge.ports.versions import Stalled, Waiting
from bridge.store.database import Database
from bridge.store.packing import unpack

__all__ = ["Lanes"]

NAMESPACE = 0x6661_6C61
"""Seed of the lanes' lock numbers: other advisory locks of this database use other seeds."""
EVERY_LANE = 0x6661_4C61_6E65_7321
"""Held shared by whoever holds some lanes, and alone by whoever holds a great many."""
MANY = 256
"""Lanes of one record that are locked one by one. PostgreSQL has room for some 6,400 locks of all
transactions together; a bundle of 10,000 patients would take them from everybody else."""
WINDOWS = 8
"""Windows of the queue that one claim looks through once it has found something. With nothing
found it goes on to the end: behind a stalled merge a whole lane may stand at the head of the queue.
"""

NO_END = 2**63 - 1
"""Beyond every sequence number."""
BATCH_BYTES = 64 << 20
"""Bundles of one batch: the largest message alone, or hundreds of usual ones, in bounded memory."""

WINDOW = text("""
SELECT q.seq, array_agg(q.lane ORDER BY q.lane) AS lanes, bool_or(s.lane IS NOT NULL) AS stalled
FROM lane_queue q LEFT JOIN lane_stalled s ON s.lane = q.lane
WHERE q.seq > :after
GROUP BY q.seq HAVING NOT bool_and(s.lane IS NOT NULL)
ORDER BY q.seq LIMIT :size
""")

TRY_LOCKS = text("""
SELECT lane, pg_try_advisory_xact_lock(hashtextextended(lane, :namespace)) AS ours
FROM unnest(CAST(:lanes AS text[])) AS l (lane)
""")

TRY_SHARED = text("SELECT pg_try_advisory_xact_lock_shared(:key)")
WAIT_SHARED = text("SELECT pg_advisory_xact_lock_shared(:key)")
WAIT_ALONE = text("SELECT pg_advisory_xact_lock(:key)")

WAIT_LOCKS = text("""
SELECT pg_advisory_xact_lock(number) FROM (
    SELECT DISTINCT hashtextextended(lane, :namespace) AS number
    FROM unnest(CAST(:lanes AS text[])) AS l (lane) ORDER BY 1 OFFSET 0) AS ordered
""")

IN_LANES = text("""
SELECT q.seq, array_agg(q.lane ORDER BY q.lane) AS lanes, bool_or(s.lane IS NOT NULL) AS stalled
FROM lane_queue q LEFT JOIN lane_stalled s ON s.lane = q.lane
WHERE q.seq IN (
    SELECT seq FROM lane_queue
    WHERE lane = ANY(:lanes) AND seq <= :until ORDER BY seq LIMIT :size)
GROUP BY q.seq ORDER BY q.seq
""")

RECORDS = text("""
SELECT seq, id, bundle, apply FROM (
    SELECT seq, id, bundle, apply,
           sum(octet_length(bundle)) OVER (ORDER BY seq) - octet_length(bundle) AS before
    FROM record WHERE seq = ANY(:seqs)) AS r
WHERE before < :budget ORDER BY seq
""")

STALL = text("""
INSERT INTO lane_stalled (lane, seq, code, reason, since)
SELECT lane, :seq, :code, :reason, :since FROM unnest(CAST(:lanes AS text[])) AS l (lane)
ON CONFLICT (lane) DO NOTHING
""")

RESUME = text("""
DELETE FROM lane_stalled WHERE seq = (SELECT seq FROM lane_stalled WHERE lane = :lane)
""")

RESUME_RECORD = text("""
DELETE FROM lane_stalled WHERE seq = (SELECT seq FROM record WHERE id = :record)
""")

STALLED = text("""
SELECT s.lane, r.id, s.code, s.reason, s.since,
       (SELECT count(*) FROM lane_queue q WHERE q.lane = s.lane) AS waiting
FROM lane_stalled s JOIN record r ON r.seq = s.seq
ORDER BY s.since, s.lane
""")


class _Queued(NamedTuple):
    """One record in the queue with all its lanes."""

    seq: int
    lanes: tuple[str, ...]
    stalled: bool


class Lanes:
    """The queue of waiting records."""

    def __init__(self, database: Database) -> None:
        """Share the database's units."""
        self._database = database

    def claim(self, limit: int) -> tuple[Waiting, ...]:
        """At most `limit` records that may be applied now; see the port `Versions`."""
        shared = self._database.connection.execute(TRY_SHARED, {"key": EVERY_LANE})
        if not shared.scalar_one():
            return ()
        ours: set[str] = set()
        theirs: set[str] = set()
        found = 0
        after = 0
        for turn in itertools.count(1):
            window = self._window(after, limit)
            if not window:
                break
            after = window[-1].seq
            found += self._lock(window, ours, theirs)
            if found >= limit or len(window) < limit or (found and turn >= WINDOWS):
                break
        return self._load(_movable(self._in_lanes(ours, limit, until=after), ours)[:limit])

    def claim_lanes(self, lanes: Sequence[str]) -> None:
        """Wait for these lanes, in the order of their lock numbers; many of them are all."""
        connection, wanted = self._database.connection, list(dict.fromkeys(lanes))
        if len(wanted) > MANY:
            connection.execute(WAIT_ALONE, {"key": EVERY_LANE})
            return
        connection.execute(WAIT_SHARED, {"key": EVERY_LANE})
        connection.execute(WAIT_LOCKS, {"lanes": wanted, "namespace": NAMESPACE})

    def waiting_in(self, lanes: Sequence[str], limit: int) -> tuple[Waiting, ...]:
        """What waits in lanes that this unit holds; see the port `Versions`."""
        queued = self._in_lanes(lanes, limit, until=NO_END)
        if any(one.stalled for one in queued):
            raise BridgeError(
                "lane-stalled",
                Fault.OPERATOR,
                what="an earlier record of the same key waits for a person",
                where="lane",
                do="mend and resume the lane, then send again",
            )
        return self._load(_movable(queued, set(lanes)))

    def stall(self, waiting: Waiting, reason: BridgeError, at: Instant) -> None:
        """Stop the lanes of this record."""
        self._database.connection.execute(
            STALL,
            {
                "lanes": list(waiting.lanes),
                "seq": waiting.seq,
                "code": reason.code,
                "reason": str(reason).replace("\0", ""),
                "since": at,
            },
        )

    def resume(self, lane: str) -> bool:
        """Let the lane, and those that the same record stopped, run again."""
        return self._database.connection.execute(RESUME, {"lane": lane}).rowcount > 0

    def resume_record(self, record: RecordId) -> bool:
        """Let every lane run again that this record stopped."""
        done = self._database.connection.execute(RESUME_RECORD, {"record": record})
        return done.rowcount > 0

    def stalled(self) -> tuple[Stalled, ...]:
        """Every lane that waits for a person, oldest first."""
        rows = self._database.connection.execute(STALLED)
        return tuple(
            Stalled(
                lane=row.lane,
                record=RecordId(row.id),
                code=row.code,
                reason=row.reason,
                since=Instant(row.since),
                waiting=row.waiting,
            )
            for row in rows
        )

    def _window(self, after: int, size: int) -> list[_Queued]:
        rows = self._database.connection.execute(WINDOW, {"after": after, "size": size})
        return [_Queued(row.seq, tuple(row.lanes), row.stalled) for row in rows]

    def _lock(self, window: list[_Queued], ours: set[str], theirs: set[str]) -> int:
        """Try every new lane of the window once; the number of records that look movable."""
        for one in window:
            if one.stalled:
                theirs.update(one.lanes)
        new = sorted({lane for one in window for lane in one.lanes} - ours - theirs)
        rows = self._database.connection.execute(TRY_LOCKS, {"lanes": new, "namespace": NAMESPACE})
        for row in rows:
            (ours if row.ours else theirs).add(row.lane)
        return len(_movable(window, ours - theirs))

    def _in_lanes(self, lanes: Iterable[str], size: int, *, until: int) -> list[_Queued]:
        values = {"lanes": list(lanes), "size": size, "until": until}
        rows = self._database.connection.execute(IN_LANES, values)
        return [_Queued(row.seq, tuple(row.lanes), row.stalled) for row in rows]

    def _load(self, queued: Sequence[_Queued]) -> tuple[Waiting, ...]:
        if not queued:
            return ()
        lanes = {one.seq: one.lanes for one in queued}
        rows = self._database.connection.execute(
            RECORDS, {"seqs": list(lanes), "budget": BATCH_BYTES}
        )
        return tuple(
            Waiting(
                seq=row.seq,
                record=RecordId(row.id),
                bundle=unpack(row.bundle),
                apply=Apply(row.apply),
                lanes=lanes[row.seq],
            )
            for row in rows
        )


def _movable(queued: Sequence[_Queued], ours: set[str]) -> list[_Queued]:
    """Records at the head of all their lanes, lanes all ours; what stands behind another waits."""
    blocked: set[str] = set()
    movable = []
    for one in queued:
        if one.stalled or not ours.issuperset(one.lanes) or not blocked.isdisjoint(one.lanes):
            blocked.update(one.lanes)
        else:
            movable.append(one)
    return movable
