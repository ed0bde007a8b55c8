"""How much waits: records to be applied, leaves to be sequenced. For metrics and readiness."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bridge.store.database import Database
from bridge.store.schema import lane_queue, leaf_queue

__all__ = ["Backlog", "read_backlog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Counts at one moment."""

    unprojected: int
    """Records that wait in some lane."""
    unsequenced: int
    """Leaves without an index."""


def read_backlog(database: Database) -> Backlog:
    """Count what waits.

    Raises:
        BridgeError: `store-unavailable`.
    """
    records = select(func.count(func.distinct(lane_queue.c.seq)))
    leaves = select(func.count()).select_from(leaf_queue)
    with database.unit():
        connection = database.connection
        return Backlog(
            unprojected=connection.execute(records).scalar_one(),
            unsequenced=connection.execute(leaves).scalar_one(),
        )
