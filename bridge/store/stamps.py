"""Stamps: one row a checkpoint and kind of system, a promise that becomes a proof."""

from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Row, text

from bridge.core.ids import TreeSize, instant
from bridge.ports.stamps import Stamp, Token
from bridge.store.database import Database

__all__ = ["PostgresStamps"]

NEWEST = text("""
SELECT s.size, s.kind, s.state, s.token, s.at, c.note
FROM stamp AS s JOIN checkpoint AS c ON c.size = s.size
WHERE s.kind = :kind ORDER BY s.size DESC LIMIT 1
""")
PENDING = text("""
SELECT s.size, s.kind, s.state, s.token, s.at, c.note
FROM stamp AS s JOIN checkpoint AS c ON c.size = s.size
WHERE s.kind = :kind AND s.state = 'pending' ORDER BY s.size DESC LIMIT 100
""")
KEEP = text("""
INSERT INTO stamp (size, kind, state, token, at) VALUES (:size, :kind, :state, :token, :at)
ON CONFLICT (size, kind) DO NOTHING
""")
RENEW = text("""
UPDATE stamp SET state = :state, token = :token
WHERE size = :size AND kind = :kind AND state = 'pending' AND token = :before
""")


class PostgresStamps:
    """The port `StampBook` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""
        return self._database.unit()

    def newest(self, kind: str) -> Stamp | None:
        """The stamp of the largest checkpoint."""
        row = self._database.connection.execute(NEWEST, {"kind": kind}).one_or_none()
        return None if row is None else _stamp(row)

    def pending(self, kind: str) -> tuple[Stamp, ...]:
        """Stamps that are not complete, largest checkpoint first."""
        return tuple(map(_stamp, self._database.connection.execute(PENDING, {"kind": kind})))

    def keep(self, stamp: Stamp) -> bool:
        """Store it unless that checkpoint has one of this kind."""
        values = {
            "size": stamp.size,
            "kind": stamp.kind,
            "state": _state(stamp.token),
            "token": stamp.token.data,
            "at": stamp.at,
        }
        return self._database.connection.execute(KEEP, values).rowcount == 1

    def renew(self, stamp: Stamp, token: Token) -> bool:
        """Replace its token unless another worker did."""
        values = {
            "size": stamp.size,
            "kind": stamp.kind,
            "state": _state(token),
            "token": token.data,
            "before": stamp.token.data,
        }
        return self._database.connection.execute(RENEW, values).rowcount == 1


def _state(token: Token) -> str:
    return "complete" if token.complete else "pending"


def _stamp(row: Row[Any]) -> Stamp:
    return Stamp(
        size=TreeSize(row.size),
        note=bytes(row.note),
        kind=row.kind,
        token=Token(data=bytes(row.token), complete=row.state == "complete"),
        at=instant(row.at),
    )
