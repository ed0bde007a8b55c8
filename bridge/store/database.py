"""The connection pool and the unit of work: one transaction a verb, committed at its edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bridge.core.errors import BridgeError, Fault

__all__ = ["Database"]


class Database:
    """One PostgreSQL. Records, versions, log book and anchors share it and its units."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """Open lazily; `url` is `postgresql://...` in libpq form."""
        address = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.engine = create_engine(
            address, pool_size=pool_size, max_overflow=8, pool_pre_ping=True
        )
        self._open: ContextVar[Connection | None] = ContextVar("open_unit", default=None)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All writes inside become durable together when the block ends, or none do.

        Units do not nest: a flow has one transaction (law 3).

        Raises:
            BridgeError: `store-unavailable` with fault PEER when the database is down or the
                connection was cut; whether a commit that was under way took effect is then
                unknown, and the caller repeats an idempotent verb.
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
        except DBAPIError as error:
            if (
                not isinstance(error, OperationalError | InterfaceError)
                and not error.connection_invalidated
            ):
                raise
            raise BridgeError(
                "store-unavailable",
                Fault.PEER,
                what="the database did not answer",
                where="store.unit",
                do="see that PostgreSQL runs and store.url is right, then retry",
            ) from error

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

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()
