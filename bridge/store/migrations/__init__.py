r"""The database's way from nothing to the present tables, step by step, in one transaction.

A change of `schema.py` comes with a step here; a test compares both. To write the next step:

    alembic -c bridge/store/migrations/alembic.ini -x url=postgresql://... \
        revision --autogenerate --rev-id 0002 -m "what it does"

against a database that stands at the last step, then read it, for Alembic does not see renames.
Until the first release the only step is made anew in the same way: delete it, name it 0001.
"""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from bridge.store.database import Database

__all__ = ["VERSION_TABLE", "is_current", "upgrade"]

VERSION_TABLE = "schema_step"
LOCK = 0x6661_6D69
"""Number of the advisory lock: processes that start together upgrade one after another."""


def upgrade(database: Database) -> None:
    """Bring the tables to the present step; nothing happens when they stand there.

    All steps that are missing become durable together or not at all. Safe to call from several
    processes at once.

    Raises:
        BridgeError: `store-unavailable`, also when a step does not fit what is there.
    """
    with database.unit():
        database.connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config = _config()
        config.attributes["connection"] = database.connection
        command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Whether the tables stand at the present step."""
    with database.unit():
        context = MigrationContext.configure(
            database.connection, opts={"version_table": VERSION_TABLE}
        )
        return set(context.get_current_heads()) == set(
            ScriptDirectory.from_config(_config()).get_heads()
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files(__name__)))
    return config
