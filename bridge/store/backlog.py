"""How much there is and how much waits. For metrics, readiness and the demo."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from bridge.core.ids import Instant, instant
from bridge.store.database import Database
from bridge.store.schema import (
    anchor_attempt,
    checkpoint,
    lane_queue,
    lane_stalled,
    leaf_queue,
    quarantine,
    resource,
)

__all__ = [
    "Anchoring",
    "Backlog",
    "Lag",
    "count_resources",
    "read_anchored",
    "read_anchoring",
    "read_backlog",
    "read_lags",
]

OLDEST = 20_000
"""Of what waits, so many are looked at: a scrape stays cheap however long the chain is away."""

LAGS = text("""
WITH anchored AS (
    SELECT coalesce(max(size), 0) AS size FROM anchor_attempt WHERE state = 'evidenced'
), waiting AS (
    (SELECT 'projected' AS stage, r.feed, r.received
     FROM (SELECT DISTINCT seq FROM lane_queue ORDER BY seq LIMIT :oldest) AS q
     JOIN record r ON r.seq = q.seq)
    UNION ALL
    (SELECT 'sequenced', r.feed, r.received
     FROM (SELECT subject FROM leaf_queue WHERE kind = 1 ORDER BY id LIMIT :oldest) AS q
     JOIN record r ON r.id = q.subject)
    UNION ALL
    (SELECT 'anchored', r.feed, r.received
     FROM (SELECT subject FROM leaf_queue WHERE kind = 1 ORDER BY id LIMIT :oldest) AS q
     JOIN record r ON r.id = q.subject)
    UNION ALL
    (SELECT 'anchored', r.feed, r.received
     FROM (SELECT subject FROM leaf, anchored WHERE index >= size AND kind = 1
           ORDER BY index LIMIT :oldest) AS q
     JOIN record r ON r.id = q.subject)
)
SELECT split_part(feed, '/', 1) AS feed, stage, min(received) AS oldest
FROM waiting GROUP BY 1, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Counts at one moment."""

    unprojected: int
    """Records that wait in some lane."""
    unsequenced: int
    """Leaves without an index."""
    halted: int
    """Records that stopped their lanes."""
    quarantined: int
    """Refused inputs that nobody has decided about."""


def read_backlog(database: Database) -> Backlog:
    """Count what waits.

    Raises:
        BridgeError: `store-unavailable`.
    """
    records = select(func.count(func.distinct(lane_queue.c.seq)))
    leaves = select(func.count()).select_from(leaf_queue)
    halted = select(func.count(func.distinct(lane_stalled.c.seq)))
    waiting = quarantine.c.state == "open"
    refused = select(func.count()).select_from(quarantine).where(waiting)
    with database.unit():
        connection = database.connection
        return Backlog(
            unprojected=connection.execute(records).scalar_one(),
            unsequenced=connection.execute(leaves).scalar_one(),
            halted=connection.execute(halted).scalar_one(),
            quarantined=connection.execute(refused).scalar_one(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """The oldest record of a feed that has not come to a stage."""

    feed: str
    """Without the start of its process: `mllp-2575`."""
    stage: str
    """`projected`, `sequenced` or `anchored`."""
    oldest: Instant
    """When it was received."""


def read_lags(database: Database) -> tuple[Lag, ...]:
    """Every feed and stage where something waits, among the oldest that wait.

    Raises:
        BridgeError: `store-unavailable`.
    """
    with database.unit():
        rows = database.connection.execute(LAGS, {"oldest": OLDEST}).all()
    return tuple(Lag(feed=row.feed, stage=row.stage, oldest=Instant(row.oldest)) for row in rows)


def read_anchored(database: Database) -> int:
    """Leaves under the largest head whose anchor is final with its evidence; 0 for none.

    Raises:
        BridgeError: `store-unavailable`.
    """
    final = anchor_attempt.c.state == "evidenced"
    size = select(func.coalesce(func.max(anchor_attempt.c.size), 0)).where(final)
    with database.unit():
        return int(database.connection.execute(size).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """How anchoring stands, for metrics and people."""

    states: tuple[tuple[str, int], ...]
    """Attempts by state."""
    gas: int
    cost_wei: int
    """Of all that were ever mined."""
    in_flight_s: float
    """Age of the oldest attempt that is in no block; 0 when none is."""
    unanchored_s: float
    """Age of the oldest published checkpoint that no final anchor covers; 0 when all are."""


def read_anchoring(database: Database, now: Instant) -> Anchoring:
    """Count what was sent, what it cost, and how long the rest has waited.

    Raises:
        BridgeError: `store-unavailable`.
    """
    table = anchor_attempt.c
    states = select(table.state, func.count()).group_by(table.state)
    paid = select(
        func.coalesce(func.sum(table.gas_used), 0), func.coalesce(func.sum(table.cost_wei), 0)
    )
    flying = table.state.in_(("planned", "signed", "sent", "reorged"))
    oldest = select(func.min(table.planned)).where(flying)
    covered = select(func.coalesce(func.max(table.size), 0)).where(table.state == "evidenced")
    bare = select(func.min(checkpoint.c.at)).where(
        checkpoint.c.size > covered.scalar_subquery(), checkpoint.c.size > 0
    )
    with database.unit():
        connection = database.connection
        gas, cost = connection.execute(paid).one()
        return Anchoring(
            states=tuple((row.state, row[1]) for row in connection.execute(states)),
            gas=int(gas),
            cost_wei=int(cost),
            in_flight_s=_age_s(connection.execute(oldest).scalar_one(), now),
            unanchored_s=_age_s(connection.execute(bare).scalar_one(), now),
        )


def _age_s(moment: datetime | None, now: Instant) -> float:
    return 0.0 if moment is None else max(0.0, (now - instant(moment)).total_seconds())


def count_resources(database: Database) -> int:
    """Resources that are present now, of every type.

    Raises:
        BridgeError: `store-unavailable`.
    """
    present = select(func.count()).select_from(resource).where(~resource.c.deleted)
    with database.unit():
        return int(database.connection.execute(present).scalar_one())
