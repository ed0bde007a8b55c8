"""What the node says beside records and resources, read page by page for fsck."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text

from bridge.core.ids import Digest, LeafIndex, TreeSize, instant
from bridge.core.log.tiles import Tile
from bridge.ports.anchors import Attempt
from bridge.ports.logbook import PublishedHead
from bridge.ports.stored import StoredEvent, StoredRefusal, StoredStamp
from bridge.store.anchors import attempts_after
from bridge.store.database import Database
from bridge.store.events import documents_of
from bridge.store.schema import (
    index_date,
    index_quantity,
    index_reference,
    index_text,
    index_token,
    resource,
)
from bridge.store.strays import first_stray

__all__ = ["StoredLog"]

REFUSALS = text("""
SELECT id, sender, control_id, source, place, reason, resend_key, request, state, retried_as,
    dismissed_because
FROM quarantine WHERE id > :after ORDER BY id LIMIT :limit
""")
OWED_OTHERWISE = text("""
SELECT o.record FROM owed_answer AS o
LEFT JOIN record AS r ON r.id = o.record LEFT JOIN quarantine AS q ON q.id = o.record
WHERE o.answer <> coalesce(r.answer, q.answer) LIMIT 1
""")
EVENTS = text("""
WITH page AS (
    SELECT id, kind, name, begin, "end", at, body, control, salts FROM log_event
    WHERE id > :after ORDER BY id LIMIT :limit
), counted AS (
    SELECT s.begin, s."end", r.feed, count(*) AS records, max(r.number) AS last_number,
        (array_agg(r.control_id ORDER BY l.index DESC))[1] AS last_control
    FROM (SELECT DISTINCT begin, "end" FROM page WHERE kind = 4) AS s
    JOIN leaf AS l ON l.index >= s.begin AND l.index < s."end" AND l.kind = 1
    JOIN record AS r ON r.id = l.subject
    GROUP BY s.begin, s."end", r.feed
)
SELECT p.id, p.kind, p.name, p.begin, p."end" AS until, p.at, p.body, p.control, p.salts,
    coalesce(l.leaf, q.leaf) AS leaf, coalesce(c.records, 0) AS records,
    coalesce(c.last_number, 0) AS last_number, coalesce(c.last_control, '') AS last_control
FROM page AS p
LEFT JOIN counted AS c ON (c.begin, c."end", c.feed) = (p.begin, p."end", p.name)
LEFT JOIN leaf AS l ON l.subject = p.id AND l.kind = p.kind
LEFT JOIN leaf_queue AS q ON q.subject = p.id AND q.kind = p.kind
ORDER BY p.id
""")
TILES = text("""
SELECT level, n, width, data FROM tile WHERE (level, n, width) > (:level, :n, :width)
ORDER BY level, n, width LIMIT :limit
""")
STAMPS = text("""
SELECT s.size, s.kind, s.state, s.token, c.note
FROM stamp AS s JOIN checkpoint AS c ON c.size = s.size
WHERE (s.size, s.kind) > (:size, :kind) ORDER BY s.size, s.kind LIMIT :limit
""")
CHECKPOINTS = text(
    "SELECT size, root, note FROM checkpoint WHERE size > :after ORDER BY size LIMIT :limit"
)
INDEXES = (index_token, index_text, index_date, index_reference, index_quantity)


class StoredLog:
    """The part of the port `Stored` that is about the log, its stamps and what was refused."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def refusals(self, after: str, limit: int) -> Sequence[StoredRefusal]:
        """Refused inputs with an `id` above `after`, in order."""
        page = {"after": after, "limit": limit}
        return tuple(map(_refusal, self._database.connection.execute(REFUSALS, page)))

    def owed_otherwise(self) -> str | None:
        """A record or refusal to which another answer is owed than it got."""
        found: str | None = self._database.connection.execute(OWED_OTHERWISE).scalar()
        return found

    def events(self, after: str, limit: int) -> Sequence[StoredEvent]:
        """Events of the log with an `id` above `after`, in order, counted again."""
        page = {"after": after, "limit": limit}
        return tuple(map(_event, self._database.connection.execute(EVENTS, page)))

    def tiles(self, after: Tile, limit: int) -> Sequence[tuple[Tile, bytes]]:
        """Stored tiles behind this one, in order of level, number and width."""
        last = {"level": after.level, "n": after.n, "width": after.width, "limit": limit}
        return tuple(
            (Tile(level=row.level, n=row.n, width=row.width), row.data)
            for row in self._database.connection.execute(TILES, last)
        )

    def stamps(self, after: tuple[int, str], limit: int) -> Sequence[StoredStamp]:
        """Stamps behind this checkpoint size and kind, in order."""
        last = {"size": after[0], "kind": after[1], "limit": limit}
        return tuple(
            StoredStamp(
                size=TreeSize(row.size),
                kind=row.kind,
                state=row.state,
                token=row.token,
                note=row.note,
            )
            for row in self._database.connection.execute(STAMPS, last)
        )

    def attempts(self, after: int, limit: int) -> Sequence[Attempt]:
        """Anchoring attempts with an `id` above `after`, in order."""
        return attempts_after(self._database, after, limit)

    def checkpoints(self, after: int, limit: int) -> Sequence[PublishedHead]:
        """Published checkpoints of more than `after` leaves, by size."""
        page = {"after": after, "limit": limit}
        return tuple(
            PublishedHead(size=TreeSize(row.size), root=Digest(row.root), note=row.note)
            for row in self._database.connection.execute(CHECKPOINTS, page)
        )

    def stray(self) -> str | None:
        """The first row that nothing accounts for."""
        return first_stray(self._database.connection) or self._unowned()

    def _unowned(self) -> str | None:
        """A search row of a resource that is not there."""
        for table in INDEXES:
            owner = (resource.c.type == table.c.type) & (resource.c.id == table.c.id)
            alive = select(resource.c.id).where(owner, ~resource.c.deleted).exists()
            statement = select(table.c.type, table.c.id).where(~alive).limit(1)
            found = self._database.connection.execute(statement).first()
            if found is not None:
                return f"{table.name} {found.type}/{found.id}"
        return None


def _refusal(row: Row[Any]) -> StoredRefusal:
    return StoredRefusal(
        id=row.id,
        sender=row.sender,
        control_id=row.control_id,
        source=row.source,
        where=row.place,
        reason=row.reason,
        resend_key=row.resend_key,
        request=_request(row.request),
        state=row.state,
        retried_as=row.retried_as,
        dismissed_because=row.dismissed_because,
    )


def _request(stored: str) -> tuple[tuple[str, str], ...]:
    """What was said beside the body; a text that is none of ours stands for itself."""
    try:
        found = json.loads(stored)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return ((stored, ""),)
    return tuple((str(name), str(value)) for name, value in found.items())


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        kind=row.kind,
        name=row.name,
        begin=LeafIndex(row.begin),
        end=TreeSize(row.until),
        at=instant(row.at),
        documents=documents_of(row),
        salts=row.salts,
        leaf=row.leaf,
        records=row.records,
        last_number=row.last_number,
        last_control=row.last_control,
    )
