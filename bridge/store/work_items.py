"""Codes that no table has: noted in the transaction of their records, counted later."""

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
FOLDED = 10_000
"""Rows a statement takes; a code of a group of messages is one."""
NOTE = text("""
INSERT INTO unmapped_code (sender, field, system, code, times, first, last, since, seen)
VALUES (:sender, :field, :system, :code, :times, :first, :last, :since, :seen)
""")
FOLD = text("""
WITH taken AS (
    DELETE FROM unmapped_code WHERE id IN (
        SELECT id FROM unmapped_code ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED
    ) RETURNING *
), folded AS (
    INSERT INTO work_item (sender, field, system, code, times, first, last, since, seen)
    SELECT sender, field, system, code, sum(times), (array_agg(first ORDER BY id))[1],
        (array_agg(last ORDER BY id DESC))[1], min(since), max(seen)
    FROM taken GROUP BY sender, field, system, code ORDER BY sender, field, system, code
    ON CONFLICT (sender, field, system, code) DO UPDATE SET
        times = work_item.times + excluded.times, last = excluded.last, seen = excluded.seen,
        state = CASE work_item.state WHEN 'mapped' THEN 'open' ELSE work_item.state END
)
SELECT count(*) FROM taken
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

    def note(self, kept: Iterable[NewRecord]) -> None:
        """Append the unmapped codes of records that were just stored. Needs an open unit.

        The items themselves would be locked until the commit: doors with the same code would wait
        for each other.
        """
        found: dict[tuple[str, str, str, str], list[NewRecord]] = {}
        for record in kept:
            for one in record.bundle.unmapped:
                key = (record.sender, one.field, plain(one.system), plain(one.code))
                found.setdefault(key, []).append(record)
        rows = [
            {
                "sender": sender,
                "field": field,
                "system": system,
                "code": code,
                "times": len(records),
                "first": records[0].id,
                "last": records[-1].id,
                "since": records[0].received,
                "seen": records[-1].received,
            }
            for (sender, field, system, code), records in found.items()
        ]
        if rows:
            self._database.connection.execute(NOTE, rows)

    def fold(self) -> None:
        """Count what was noted. Needs an open unit."""
        while self._database.connection.execute(FOLD, {"size": FOLDED}).scalar_one() == FOLDED:
            pass

    def items(
        self, *, sender: str = "", state: WorkItemState | Literal[""] = "open", count: int = 50
    ) -> Sequence[WorkItem]:
        """The most frequent first."""
        self.fold()
        values = {
            "sender": plain(sender),
            "state": state,
            "size": min(max(count, 1), MAX_PAGE),
        }
        return tuple(map(_item, self._database.connection.execute(ITEMS, values)))

    def close(self, item: int, state: WorkItemState, reason: str) -> WorkItem | None:
        """Close or reopen one; what was noted before does not open it again."""
        self.fold()
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
