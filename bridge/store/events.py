"""Feed markers and key events: written once, with the leaf that was promised for each."""

from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Row, text

from bridge.core.ids import LeafIndex, TreeSize, instant
from bridge.core.record.claims import Kind
from bridge.core.record.events import FeedCount, event_leaf
from bridge.ports.events import LogEvent, Marked
from bridge.store.database import Database

__all__ = ["PostgresEvents", "documents_of"]

MARKING = 0x666869725F6D726B
"""Advisory lock of one marking: intervals must not overlap."""
LOCK = text("SELECT pg_advisory_xact_lock(:key)")
UNCOUNTED = text("""
WITH span AS (
    SELECT (SELECT coalesce(max("end"), 0) FROM log_event WHERE kind = 4) AS low,
           (SELECT coalesce(max(index) + 1, 0) FROM leaf) AS top
), bounds AS (
    SELECT low, greatest(
        least(low + :at_most, top),
        (SELECT index + 1 FROM leaf WHERE index >= low AND kind = 1 ORDER BY index LIMIT 1)
    ) AS high FROM span
)
SELECT r.feed, bounds.low AS begin, bounds.high AS until, count(*) AS records,
    max(r.number) AS last_number,
    (array_agg(r.control_id ORDER BY l.index DESC))[1] AS last_control
FROM bounds
JOIN leaf AS l ON l.index >= bounds.low AND l.index < bounds.high AND l.kind = 1
JOIN record AS r ON r.id = l.subject
GROUP BY r.feed, bounds.low, bounds.high ORDER BY r.feed
""")
MARKED = text("""
SELECT max(at) AS at,
    (SELECT coalesce(max(index) + 1, 0) FROM leaf) - coalesce(max("end"), 0) AS behind
FROM log_event WHERE kind = 4
""")
KEEP = text("""
WITH kept AS (
    INSERT INTO log_event (id, kind, name, begin, "end", at, body, control, salts)
    VALUES (:id, :kind, :name, :begin, :end, :at, :body, :control, :salts)
    ON CONFLICT (kind, name, begin) DO NOTHING RETURNING id
)
INSERT INTO leaf_queue (kind, subject, leaf) SELECT :kind, id, :leaf FROM kept
""")
FOUND = text("""
SELECT id, kind, name, begin, "end", at, body, control, salts FROM log_event WHERE id = :id
""")


class PostgresEvents:
    """The port `EventBook` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""
        return self._database.unit()

    def marked(self) -> Marked:
        """Where the markers stand; see the port."""
        self._database.connection.execute(LOCK, {"key": MARKING})
        row = self._database.connection.execute(MARKED).one()
        return Marked(at=None if row.at is None else instant(row.at), behind=row.behind)

    def uncounted(self, at_most: int) -> tuple[FeedCount, ...]:
        """Each feed with records behind the last marked leaf; see the port."""
        rows = self._database.connection.execute(UNCOUNTED, {"at_most": at_most})
        return tuple(
            FeedCount(
                feed=row.feed,
                begin=LeafIndex(row.begin),
                end=TreeSize(row.until),
                records=row.records,
                last_number=row.last_number,
                last_control=row.last_control,
            )
            for row in rows
        )

    def keep(self, event: LogEvent) -> None:
        """Store it and promise its leaf to the log."""
        values = {
            "id": event.id,
            "kind": int(event.kind),
            "name": event.name,
            "begin": event.begin,
            "end": event.end,
            "at": event.at,
            "body": event.documents["counts" if event.kind is Kind.FEED_MARKER else "event"],
            "control": event.documents.get("control"),
            "salts": event.salts,
            "leaf": event.leaf,
        }
        self._database.connection.execute(KEEP, values)

    def found(self, event: str) -> LogEvent | None:
        """By id."""
        row = self._database.connection.execute(FOUND, {"id": event}).one_or_none()
        return None if row is None else _event(row)


def documents_of(row: Row[Any]) -> dict[str, bytes]:
    """The documents of an event by name of claim."""
    if row.control is None:
        return {"event": bytes(row.body)}
    return {"control": bytes(row.control), "counts": bytes(row.body)}


def _event(row: Row[Any]) -> LogEvent:
    kind, documents, salts = Kind(row.kind), documents_of(row), bytes(row.salts)
    return LogEvent(
        id=row.id,
        kind=kind,
        name=row.name,
        begin=row.begin,
        end=row.end,
        at=instant(row.at),
        documents=documents,
        salts=salts,
        leaf=event_leaf(kind, documents, salts),
    )
