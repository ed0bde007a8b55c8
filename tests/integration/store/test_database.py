"""What PostgreSQL says, sorted by what helps: try again, or mend the row."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from bridge.core.errors import BridgeError
from bridge.store.database import Database


@pytest.fixture
def own(database_url: str) -> Iterator[Database]:
    """A pool of one connection."""
    made = Database(database_url, pool_size=1)
    yield made
    made.close()


def _failing(database: Database, statement: str) -> BridgeError:
    with pytest.raises(BridgeError) as refused, database.unit():
        database.connection.execute(text(statement))
    return refused.value


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("22021", "store-refused"),
        ("23502", "store-refused"),
        ("54000", "store-refused"),
        ("40P01", "store-conflict"),
        ("55P03", "store-conflict"),
        ("53100", "store-unavailable"),
        ("57P01", "store-unavailable"),
        ("25P03", "store-unavailable"),
        ("42501", "store-unavailable"),
        ("42P01", "store-unavailable"),
        ("XX001", "store-unavailable"),
    ],
)
def test_only_a_row_that_cannot_be_held_is_refused(own: Database, state: str, code: str) -> None:
    """A full disk, a missing right, a torn page are no fault of a message: it is kept for later."""
    raised = _failing(own, f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")

    assert raised.code == code
    assert state in str(raised)


def test_connections_to_a_server_that_takes_no_writes_are_given_up(own: Database) -> None:
    """After a failover the pool looks for the primary anew, instead of failing for ever."""
    with own.unit():
        own.connection.execute(text("SET SESSION default_transaction_read_only = on"))

    raised = _failing(own, "CREATE TABLE written (id int)")

    assert raised.code == "store-unavailable"
    with own.unit():
        own.connection.execute(text("CREATE TABLE written (id int)"))


def test_a_machine_that_vanished_is_missed_within_half_a_minute(own: Database) -> None:
    """Without a word from the other end, libpq gives the line up; the default is two hours."""
    with own.unit():
        told = dict(
            part.split("=", 1)
            for part in own.connection.connection.driver_connection.info.dsn.split()  # type: ignore[union-attr]  # psycopg's
        )

    idle, every, times = (int(told[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + every * times <= 30
    assert int(told["tcp_user_timeout"]) <= 30_000


def test_line_that_the_server_closed_is_replaced_before_a_unit_begins(
    own: Database, database: Database
) -> None:
    """A restart of PostgreSQL while nobody wrote costs no sender an answer."""
    with own.unit():
        backend = own.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with database.unit():
        ended = text("SELECT pg_terminate_backend(:backend, 10000)")
        database.connection.execute(ended, {"backend": backend})

    with own.unit():
        another = own.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    assert another != backend
