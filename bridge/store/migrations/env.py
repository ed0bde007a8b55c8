"""What Alembic runs: the steps on the connection it is handed, or on `-x url=...`."""

from alembic import context
from sqlalchemy import Connection

from bridge.store.database import Database
from bridge.store.migrations import VERSION_TABLE
from bridge.store.schema import metadata


def run(connection: Connection) -> None:
    """All missing steps in the transaction of the connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        compare_server_default=True,
    )
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(context.get_x_argument(as_dictionary=True)["url"])
    with database.unit():
        run(database.connection)
