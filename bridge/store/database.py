"""The connection pool and the unit of work: one transaction a verb, committed at its edge."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from select import POLLIN, poll

import psycopg
from sqlalchemy import URL, Connection, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bridge.core.errors import BridgeError, Fault

__all__ = ["Database"]

CONNECT_S = 5
"""For a connection to PostgreSQL: a server that is gone is said to be gone within that."""
LINE = {
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""libpq's parameters. A machine that vanished sends no reset, and the system's own patience is two
hours: a listener would stand still that long with all its senders. Half a minute is the bound."""


class Database:
    """One PostgreSQL. Records, versions, log book and anchors share it and its units."""

    def __init__(
        self, url: str, *, pool_size: int = 8, statement_s: float = 0, wait_s: float = 30
    ) -> None:
        """Open lazily.

        Args:
            url: `postgresql://...` or `postgres://...` in libpq form.
            pool_size: connections that are kept.
            statement_s: how long one statement may run or wait for a lock; 0 is for ever.
            wait_s: how long a unit waits for a connection.

        Raises:
            BridgeError: `settings-store-url` for what is no such URL.
        """
        self.engine = create_engine(
            _address(url),
            pool_size=pool_size,
            max_overflow=8,
            pool_timeout=wait_s,
            connect_args=LINE,
        )
        event.listen(self.engine, "connect", partial(_prepare, statement_s))
        event.listen(self.engine, "checkout", _look)
        event.listen(self.engine, "handle_error", _forget_standby)
        self._open: ContextVar[Connection | None] = ContextVar("open_unit", default=None)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All writes inside become durable together when the block ends, or none do.

        Units do not nest: a flow has one transaction (law 3).

        Raises:
            BridgeError: `store-unavailable` with fault PEER when the database is down or the
                connection was cut; whether a commit that was under way took effect is then
                unknown, and the caller repeats an idempotent verb. `store-conflict` with fault PEER
                when another transaction stood in the way: nothing was kept, trying again helps.
                `store-refused` with fault US when PostgreSQL cannot hold a row: nothing was kept,
                trying the same again does not help.
        """
        if self._open.get() is not None:
            raise BridgeError(
                "unit-nested",
                Fault.US,
                what="a unit of work was opened inside another",
                where="store.unit",
                do="let the flow own the only unit",
            )
        try:
            with self.engine.begin() as connection:
                token = self._open.set(connection)
                try:
                    yield
                finally:
                    self._open.reset(token)
        except PoolTimeout as error:
            raise BridgeError(
                "store-busy",
                Fault.PEER,
                what="every connection to the database is in use",
                where="store.unit",
                do="try again; raise store.pool_size if it stays so",
            ) from error
        except (DBAPIError, psycopg.Error) as error:
            raise _refusal(error) from error

    @contextmanager
    def joined(self) -> Iterator[Connection]:
        """The connection of the open unit, or of a unit for this block alone; for reads."""
        connection = self._open.get()
        if connection is not None:
            yield connection
            return
        with self.unit():
            yield self.connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of its own beside all units, closed at the end; for locks of a session."""
        try:
            with self.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.detach()
                yield connection
        except DBAPIError as error:
            raise _refusal(error) from error

    @property
    def connection(self) -> Connection:
        """The connection of the open unit."""
        connection = self._open.get()
        if connection is None:
            raise BridgeError(
                "unit-missing",
                Fault.US,
                what="a write was asked for outside a unit of work",
                where="store",
                do="open store.unit() in the flow",
            )
        return connection

    @contextmanager
    def copy(self, statement: str, types: Sequence[str]) -> Iterator[psycopg.Copy]:
        """A binary COPY on the open unit, the fastest way in; `types` are those of the columns."""
        raw = self.connection.connection.cursor()
        with raw.copy(statement + " FROM STDIN (FORMAT BINARY)") as rows:
            rows.set_types(types)
            yield rows

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()


def _address(url: str) -> URL:
    """For psycopg 3; what stands in the URL is never repeated, it may be a password."""
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        raise BridgeError(
            "settings-store-url",
            Fault.OPERATOR,
            what="this is no URL of a database",
            where="store.url",
            do="write postgresql://USER@HOST:PORT/DATABASE",
        ) from error


def _prepare(statement_s: float, connection: psycopg.Connection[object], _: object) -> None:
    """Times come back in UTC whatever the server's zone; PostgreSQL ends what takes too long."""
    milliseconds = str(round(statement_s * 1000))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', 'UTC', false)")
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])
    connection.commit()


def _look(connection: psycopg.Connection[object], *_: object) -> None:
    """A line that the server closed is replaced before a unit begins on it.

    Whoever closes says so, and from an idle line nothing else is to be read; so a round trip is
    spent only where something was said. A machine that vanished says nothing: see `LINE`.
    """
    said = poll()
    said.register(connection.fileno(), POLLIN)
    if not said.poll(0):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


def _forget_standby(context: ExceptionContext) -> None:
    """A primary that became a standby keeps our connections: they are given up, all of them."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


READ_ONLY = "25006"
"""A write on a server that takes none; https://www.postgresql.org/docs/current/errcodes-appendix.html."""
CONFLICTS = {"40001", "40P01", "55P03"}
"""Serialisation failure, deadlock, lock not available: of the same table."""
REFUSALS = ("22", "23", "54")
"""Data, integrity, program limits: the row itself cannot be held. Every other class speaks of the
server, its disk, its rights or its tables; what was offered is good and is offered again."""


def _refusal(error: DBAPIError | psycopg.Error) -> BridgeError:
    """One of three next steps by SQLSTATE; PostgreSQL's own text may quote rows and stays out."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state in CONFLICTS:
        return BridgeError(
            "store-conflict",
            Fault.PEER,
            what=f"another transaction stood in the way, SQLSTATE {state}",
            where="store.unit",
            do="try again: nothing was kept",
        )
    unsendable = isinstance(cause, psycopg.DataError)  # the driver's own: it has no state
    if state.startswith(REFUSALS) or (unsendable and not state):
        return BridgeError(
            "store-refused",
            Fault.US,
            what=f"the database cannot hold a row, SQLSTATE {state or 'none'}",
            where="store.unit",
            do="look the state up in PostgreSQL's appendix A and mend what made the row",
        )
    said = f"cannot work, SQLSTATE {state}" if state else "did not answer"
    return BridgeError(
        "store-unavailable",
        Fault.PEER,
        what=f"the database {said}",
        where="store.unit",
        do="see that PostgreSQL runs, has room and store.url is right, then retry",
    )
