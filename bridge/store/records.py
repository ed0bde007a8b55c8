"""Records and refusals as they are looked up: status without content, and the exact bytes."""

import json
from dataclasses import astuple
from typing import Any

from sqlalchemy import Row, text

from bridge.core.ids import Instant, LeafIndex, RecordId, TreeSize
from bridge.core.plain import plain
from bridge.core.record.merge import ResourceRef
from bridge.ports.reading import Halt, RecordPage, RecordRow, Refusal, RefusalPage, Wanted
from bridge.store.database import Database
from bridge.store.packing import unpack
from bridge.store.paging import bound, opened, page_token

__all__ = ["RecordReading"]

MAX_PAGE = 1_000
"""Rows of one page: a screenful for a person, a second of work for the server."""

ROW = """
SELECT r.id, r.received, r.feed, r.sender, r.dialect, r.message_type, r.control_id,
       v.at AS projected, l.index AS leaf_index,
       (SELECT min(c.size) FROM checkpoint c WHERE c.size > l.index) AS checkpoint_size
FROM record r
LEFT JOIN revision v ON v.record_seq = r.seq
LEFT JOIN leaf l ON l.subject = r.id
"""

ONE = text(ROW + "WHERE r.id = :id")

PAGE = text(
    ROW  # noqa: S608  both parts are constants of this file
    + """
WHERE (:control_id = '' OR r.control_id = :control_id)
  AND (:sender = '' OR r.sender = :sender)
  AND starts_with(r.feed, :feeds)
  AND (CAST(:since AS timestamptz) IS NULL OR r.received >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR r.received <= :until)
  AND (:last = '' OR r.seq < (SELECT b.seq FROM record b WHERE b.id = :last))
ORDER BY r.seq DESC LIMIT :size
"""
)

SOURCE = text("""
SELECT source FROM record WHERE id = :id UNION ALL SELECT source FROM quarantine WHERE id = :id
""")

BUNDLE = text("SELECT bundle FROM record WHERE id = :id")

TOUCHED = text("""
SELECT v.type, v.id FROM record r
JOIN revision n ON n.record_seq = r.seq JOIN resource_version v ON v.revision = n.id
WHERE r.id = :id ORDER BY v.place
""")

REFUSAL = """
SELECT id, received, feed, sender, pinned, charset, dialect, message_type, control_id, code, place,
       reason, times, state, retried_as, request, dismissed_because
FROM quarantine
"""

ONE_REFUSAL = text(REFUSAL + "WHERE id = :id")

REFUSALS = text(
    REFUSAL
    + """
WHERE (:state = '' OR state = :state) AND starts_with(feed, :feeds)
  AND (:last = '' OR (received, id) < (CAST(:at AS timestamptz), :last))
ORDER BY received DESC, id DESC LIMIT :size
"""
)


HALT = text("""
SELECT b.id, s.code, s.reason, s.since FROM record r
JOIN lane_queue q ON q.seq = r.seq JOIN lane_stalled s ON s.lane = q.lane
JOIN record b ON b.seq = s.seq
WHERE r.id = :id ORDER BY s.seq LIMIT 1
""")

HALTS = text("""
SELECT DISTINCT ON (s.seq) b.id, s.code, s.reason, s.since
FROM lane_stalled s JOIN record b ON b.seq = s.seq ORDER BY s.seq LIMIT :size
""")


class RecordReading:
    """The part of the port `Reading` about records."""

    def __init__(self, database: Database) -> None:
        """Share the database's units."""
        self._database = database

    def record(self, record: RecordId) -> RecordRow | None:
        """One record without its content."""
        row = self._one(ONE, record)
        return _record(row) if row else None

    def records(self, wanted: Wanted, *, count: int = 50, page: str = "") -> RecordPage:
        """Records that match all that is given, newest first."""
        binding = bound("records", *(str(part) for part in astuple(wanted)))
        size = min(max(count, 1), MAX_PAGE)
        values = {
            "control_id": plain(wanted.control_id),
            "sender": plain(wanted.sender),
            "since": wanted.since,
            "until": wanted.until,
            "feeds": plain(wanted.feeds),
            "last": opened(page, binding)[0] if page else "",
            "size": size + 1,
        }
        rows = [_record(row) for row in self._database.connection.execute(PAGE, values)]
        more = len(rows) > size
        last = rows[:size][-1] if more else None
        return RecordPage(
            records=tuple(rows[:size]),
            next=page_token(binding, last.id, last.received) if last else "",
        )

    def halt(self, record: RecordId) -> Halt | None:
        """What holds a waiting record back."""
        row = self._one(HALT, record)
        return _halt(row) if row else None

    def halts(self, count: int = 50) -> tuple[Halt, ...]:
        """Records that stopped their lanes, oldest first."""
        size = min(max(count, 1), MAX_PAGE)
        return tuple(_halt(row) for row in self._database.connection.execute(HALTS, {"size": size}))

    def source(self, record: RecordId) -> bytes | None:
        """The bytes of a record, or of a quarantined input, as they were received."""
        row = self._one(SOURCE, record)
        return bytes(row.source) if row else None

    def bundle(self, record: RecordId) -> bytes | None:
        """The canonical bundle of a record."""
        row = self._one(BUNDLE, record)
        return unpack(row.bundle) if row else None

    def touched(self, record: RecordId) -> tuple[ResourceRef, ...]:
        """The resources that applying the record changed."""
        rows = self._database.connection.execute(TOUCHED, {"id": record})
        return tuple(ResourceRef(row.type, row.id) for row in rows)

    def refusal(self, record: RecordId) -> Refusal | None:
        """One quarantined input without its bytes."""
        row = self._one(ONE_REFUSAL, record)
        return _refusal(row) if row else None

    def refusals(
        self, *, state: str = "open", feeds: str = "", count: int = 50, page: str = ""
    ) -> RefusalPage:
        """Quarantined inputs, newest first."""
        binding = bound("refusals", state, feeds)
        size = min(max(count, 1), MAX_PAGE)
        last, at = opened(page, binding) if page else ("", None)
        values = {"state": state, "feeds": plain(feeds), "last": last, "at": at, "size": size + 1}
        rows = [_refusal(row) for row in self._database.connection.execute(REFUSALS, values)]
        end = rows[:size][-1] if len(rows) > size else None
        return RefusalPage(
            refusals=tuple(rows[:size]),
            next=page_token(binding, end.id, end.received) if end else "",
        )

    def _one(self, statement: Any, record: RecordId) -> Row[Any] | None:  # noqa: ANN401  a text clause
        if "\0" in record:
            return None
        return self._database.connection.execute(statement, {"id": record}).first()


def _record(row: Row[Any]) -> RecordRow:
    return RecordRow(
        id=RecordId(row.id),
        received=Instant(row.received),
        feed=row.feed,
        sender=row.sender,
        dialect=row.dialect,
        message_type=row.message_type,
        control_id=row.control_id,
        projected=Instant(row.projected) if row.projected else None,
        index=LeafIndex(row.leaf_index) if row.leaf_index is not None else None,
        checkpoint_size=TreeSize(row.checkpoint_size) if row.checkpoint_size else None,
    )


def _refusal(row: Row[Any]) -> Refusal:
    return Refusal(
        id=RecordId(row.id),
        received=Instant(row.received),
        feed=row.feed,
        sender=row.sender,
        pinned=row.pinned,
        charset=row.charset,
        dialect=row.dialect,
        message_type=row.message_type,
        control_id=row.control_id,
        code=row.code,
        where=row.place,
        reason=row.reason,
        times=row.times,
        state=row.state,
        retried_as=RecordId(row.retried_as) if row.retried_as else None,
        request=tuple(json.loads(row.request).items()),
        dismissed_because=row.dismissed_because,
    )


def _halt(row: Row[Any]) -> Halt:
    return Halt(record=RecordId(row.id), code=row.code, reason=row.reason, since=Instant(row.since))
