"""The database that the other integration tests stand on."""

from sqlalchemy import inspect, text

from bridge.store.database import Database
from bridge.store.schema import metadata


def test_module_has_every_table_in_its_own_schema(database: Database) -> None:
    """Two modules never see each other's rows."""
    with database.unit():
        schema = database.connection.execute(text("SELECT current_schema()")).scalar_one()

    found = inspect(database.engine).get_table_names(schema)

    assert schema == "t_test_database"
    assert set(found) == set(metadata.tables)
