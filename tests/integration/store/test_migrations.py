"""The steps lead to the tables that the code knows, from nothing and from any state between."""

import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bridge.store.database import Database
from bridge.store.migrations import VERSION_TABLE, is_current, upgrade
from bridge.store.schema import metadata


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """The module's schema without any table."""
    made = Database(database_url)
    with made.unit():
        name = made.connection.execute(text("SELECT current_schema()")).scalar_one()
        made.connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        made.connection.execute(text(f"CREATE SCHEMA {name}"))
    yield made
    made.close()


def test_steps_make_what_the_code_knows(empty: Database) -> None:
    """Alembic sees no difference between the steps' tables and `schema.py`."""
    upgrade(empty)

    with empty.unit():
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(
            empty.connection, opts={**options, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, metadata) == []


def test_upgrade_twice_is_upgrade_once(empty: Database) -> None:
    """A node that starts again finds its tables as they are, and their rows."""
    before = is_current(empty)
    upgrade(empty)
    with empty.unit():
        empty.connection.execute(text("INSERT INTO lane_queue VALUES (1, 'kept')"))

    upgrade(empty)

    with empty.unit():
        rows = empty.connection.execute(text("SELECT lane FROM lane_queue")).all()
    assert (before, is_current(empty)) == (False, True)
    assert [tuple(row) for row in rows] == [("kept",)]


def test_processes_that_start_together_upgrade_once(empty: Database) -> None:
    """Four at the same moment: all return, the tables stand."""
    failures: list[BaseException] = []

    def start() -> None:
        try:
            upgrade(empty)
        except BaseException as error:  # noqa: BLE001  carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert is_current(empty)
