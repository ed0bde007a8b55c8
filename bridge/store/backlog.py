"""How much there is and how much waits. For metrics, readiness and the demo."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bridge.store.database import Database
from bridge.store.schema import lane_queue, leaf_queue, resource

__all__ = ["Backlog", "count_resources", "read_backlog"]


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


def count_resources(database: Database) -> int:
    """Resources that are present now, of every type.

    Raises:
        BridgeError: `store-unavailable`.
    """
    present = select(func.count()).select_from(resource).where(~resource.c.deleted)
    with database.unit():
        return int(database.connection.execute(present).scalar_one())
