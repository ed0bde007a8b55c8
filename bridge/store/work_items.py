"""Codes that no table has, counted in the transaction of the records that hold them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from sqlalchemy import Row, text

from bridge.core.ids import RecordId, instant
from bridge.core.plain import plain
from bridge.ports.intake import NewRecord
from bridge.ports.mappings import WorkItem, WorkItemState
from bridge.store.database import Database

__all__ = ["PostgresWorkItems"]

MAX_PAGE = 1_000
COUNT = text("""
INSERT INTO work_item (sender, field, system, code, times, first, last, since, seen)
VALUES (:sender, :field, :system, :code, :times, :first, :last, :since, :seen)
ON CONFLICT (sender, field, system, code) DO UPDATE SET
    times = work_item.times + excluded.times, last = excluded.last, seen = excluded.seen,
    state = CASE work_item.state WHEN 'mapped' THEN 'open' ELSE work_item.state END
""")
COLUMNS = "id, sender, field, system, code, times, first, last, since, seen, state, reason"
ITEMS = text(
    "SELECT "  # noqa: S608  a constant of this file
    + COLUMNS
    + """ FROM work_item
WHERE (:sender = '' OR sender = :sender) AND (:state = '' OR state = :state)
ORDER BY times DESC, id LIMIT :size
"""
)
CLOSE = text(
    "UPDATE work_item SET state = :state, reason = :reason WHERE id = :id RETURNING "  # noqa: S608  a constant of this file
    + COLUMNS
)


class PostgresWorkItems:
    """The port `WorkItems` over one PostgreSQL; shares the units of the intake."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """One transaction."""
        return self._database.unit()

    def count(self, kept: Iterable[NewRecord]) -> None:
        """Count the unmapped codes of records that were just stored. Needs an open unit."""
        found: dict[tuple[str, str, str, str], list[NewRecord]] = {}
        for record in kept:
            for one in record.bundle.unmapped:
                key = (record.sender, one.field, plain(one.system), plain(one.code))
                found.setdefault(key, []).append(record)
        for key in sorted(found):  # one order, so that two transactions never wait for each other
            sender, field, system, code = key
            first, last = found[key][0], found[key][-1]
            self._database.connection.execute(
                COUNT,
                {
                    "sender": sender,
                    "field": field,
                    "system": system,
                    "code": code,
                    "times": len(found[key]),
                    "first": first.id,
                    "last": last.id,
                    "since": first.received,
                    "seen": last.received,
                },
            )

    def items(
        self, *, sender: str = "", state: WorkItemState | Literal[""] = "open", count: int = 50
    ) -> Sequence[WorkItem]:
        """The most frequent first."""
        values = {
            "sender": plain(sender),
            "state": state,
            "size": min(max(count, 1), MAX_PAGE),
        }
        return tuple(map(_item, self._database.connection.execute(ITEMS, values)))

    def close(self, item: int, state: WorkItemState, reason: str) -> WorkItem | None:
        """Close or reopen one."""
        values = {"id": item, "state": state, "reason": plain(reason)}
        row = self._database.connection.execute(CLOSE, values).one_or_none()
        return _item(row) if row is not None else None


def _item(row: Row[Any]) -> WorkItem:
    return WorkItem(
        id=row.id,
        sender=row.sender,
        field=row.field,
        system=row.system,
        code=row.code,
        times=row.times,
        first=RecordId(row.first),
        last=RecordId(row.last),
        since=instant(row.since),
        seen=instant(row.seen),
        state=row.state,
        reason=row.reason,
    )
