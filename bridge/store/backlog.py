"""How much there is and how much waits. For metrics, readiness and the demo."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bridge.store.database import Database
from bridge.store.schema import (
    anchor_attempt,
    lane_queue,
    lane_stalled,
    leaf_queue,
    quarantine,
    resource,
)

__all__ = ["Backlog", "count_resources", "read_anchored", "read_backlog"]


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


def read_anchored(database: Database) -> int:
    """Leaves under the largest head whose anchor is final with its evidence; 0 for none.

    Raises:
        BridgeError: `store-unavailable`.
    """
    final = anchor_attempt.c.state == "evidenced"
    size = select(func.coalesce(func.max(anchor_attempt.c.size), 0)).where(final)
    with database.unit():
        return int(database.connection.execute(size).scalar_one())


def count_resources(database: Database) -> int:
    """Resources that are present now, of every type.

    Raises:
        BridgeError: `store-unavailable`.
    """
    present = select(func.count()).select_from(resource).where(~resource.c.deleted)
    with database.unit():
        return int(database.connection.execute(present).scalar_one())
