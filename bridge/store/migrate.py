"""Bring the tables of a database to this version."""

from bridge.store.database import Database
from bridge.store.schema import metadata

__all__ = ["upgrade"]


def upgrade(database: Database) -> None:
    """Make what is missing; harmless when all is there."""
    metadata.create_all(database.engine)
