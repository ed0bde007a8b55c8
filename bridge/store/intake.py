"""Records, their lanes and pending leaves, written by one statement a group."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import text

from bridge.core.ids import Digest, RecordId
from bridge.core.record.claims import Kind
from bridge.ports.intake import Appended, NewRecord, Quarantined
from bridge.store.database import Database
from bridge.store.feeds import PostgresFeeds
from bridge.store.mappings import PostgresMappings
from bridge.store.packing import pack
from bridge.store.work_items import PostgresWorkItems

__all__ = ["PostgresIntake"]

STATEMENT_BYTES = 64 << 20
"""PostgreSQL takes at most 1 GiB a statement; four frames of the largest size fit in this."""

APPEND = """
WITH offered AS (
    SELECT * FROM unnest(
        (SELECT %(id)b::text[]), (SELECT %(feed)b::text[]), (SELECT %(number)b::bigint[]),
        (SELECT %(sender)b::text[]), (SELECT %(pinned)b::text[]), (SELECT %(charset)b::text[]),
        (SELECT %(dialect)b::text[]), (SELECT %(message_type)b::text[]),
        (SELECT %(control_id)b::text[]), (SELECT %(resend_key)b::bytea[]),
        (SELECT %(received)b::timestamptz[]), (SELECT %(source)b::bytea[]),
        (SELECT %(source_digest)b::bytea[]), (SELECT %(bundle)b::bytea[]),
        (SELECT %(bundle_digest)b::bytea[]), (SELECT %(mapping)b::bytea[]),
        (SELECT %(apply)b::text[]), (SELECT %(header)b::bytea[]), (SELECT %(salts)b::bytea[]),
        (SELECT %(answer)b::bytea[])
    ) WITH ORDINALITY AS o (
        id, feed, number, sender, pinned, charset, dialect, message_type, control_id, resend_key,
        received, source, source_digest, bundle, bundle_digest, mapping, apply, header, salts,
        answer, place)
), kept AS (
    INSERT INTO record (
        id, feed, number, sender, pinned, charset, dialect, message_type, control_id, resend_key,
        received, source, source_digest, bundle, bundle_digest, mapping, apply, header, salts,
        answer)
    SELECT
        id, feed, number, sender, pinned, charset, dialect, message_type, control_id, resend_key,
        received, source, source_digest, bundle, bundle_digest, mapping, apply, header, salts,
        answer
    FROM offered ORDER BY place
    ON CONFLICT (resend_key) DO NOTHING
    RETURNING seq, id, sender, control_id
), lanes AS (
    INSERT INTO lane_queue (seq, lane)
    SELECT kept.seq, l.lane
    FROM unnest((SELECT %(lane_record)b::text[]), (SELECT %(lane)b::text[])) AS l (record, lane)
    JOIN kept ON kept.id = l.record
), leaves AS (
    INSERT INTO leaf_queue (kind, subject, leaf)
    SELECT %(kind)s, kept.id, l.leaf
    FROM unnest((SELECT %(id)b::text[]), (SELECT %(leaf)b::bytea[])) AS l (record, leaf)
    JOIN kept ON kept.id = l.record
    ORDER BY kept.seq
)
SELECT id, CASE WHEN control_id <> '' THEN (
    SELECT r.id FROM record r
    WHERE r.control_id = kept.control_id AND r.sender = kept.sender ORDER BY r.seq DESC LIMIT 1
) END AS earlier FROM kept
"""
"""Binary arrays (`%b`): as text, each byte of a source would be escaped, at half the rate. Each in
a `SELECT`: seeing its length, PostgreSQL would plan the statement anew for every group, which costs
a third of a millisecond.

`earlier` is of before this statement: PostgreSQL shows it none of the rows that it inserts.
"""

HOLDS = text("""
SELECT id FROM record WHERE control_id = :control_id AND sender = :sender
AND NOT EXISTS (SELECT FROM record WHERE resend_key = :resend_key)
ORDER BY seq DESC LIMIT 1
""")

EARLIER = text("SELECT resend_key, id, answer FROM record WHERE resend_key = ANY(:keys)")

QUARANTINE = text("""
INSERT INTO quarantine (
    id, feed, number, sender, pinned, charset, dialect, message_type, control_id, received,
    source, code, place, reason, answer, resend_key, request)
VALUES (
    :id, :feed, :number, :sender, :pinned, :charset, :dialect, :message_type, :control_id,
    :received, :source, :code, :place, :reason, :answer, :resend_key, :request)
ON CONFLICT (resend_key) DO UPDATE SET times = quarantine.times + 1
RETURNING id, answer
""")

OWE = text("""
INSERT INTO owed_answer (record, address, answer, owed, due)
VALUES (:record, :address, :answer, :at, :at)
ON CONFLICT (record) DO UPDATE SET address = excluded.address, due = excluded.due
""")

RETRIED = text("""
UPDATE quarantine SET state = 'retried', retried_as = :stored WHERE id = :id AND state = 'open'
""")


DISMISSED = text("""
UPDATE quarantine SET state = 'dismissed', dismissed_because = :reason
WHERE id = :id AND state = 'open'
""")


def unknown(_: Digest) -> None:
    """Of a process without dialects."""


class PostgresIntake:
    """The port `Intake` over one PostgreSQL."""

    def __init__(
        self, database: Database, document: Callable[[Digest], bytes | None] = unknown
    ) -> None:
        """Share the database's pool and units.

        Args:
            database: where everything goes.
            document: a mapping's document by its digest, which is kept when a record first names
                it; None for a mapping that has none.
        """
        self._database = database
        self._feeds = PostgresFeeds(database)
        self._mappings = PostgresMappings(database)
        self._items = PostgresWorkItems(database)
        self._document = document

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""
        return self._database.unit()

    def append(self, records: Sequence[NewRecord]) -> tuple[Appended, ...]:
        """Store records, lanes and pending leaves; see the port."""
        kept: dict[str, str | None] = {}
        for part in _parts(records):
            rows = self._database.connection.exec_driver_sql(APPEND, _columns(part))
            kept.update((row.id, row.earlier) for row in rows)
        new = [record for record in records if record.id in kept]
        self._feeds.follow(new, _reused(new, kept))
        self._mappings.hold({record.bundle.mapping for record in new}, self._document)
        self._items.note(new)
        earlier = self._earlier([r.resend_key for r in records if r.id not in kept])
        appended = tuple(
            Appended(id=record.id, answer=record.answer, duplicate=False)
            if record.id in kept
            else earlier[record.resend_key]
            for record in records
        )
        for record, one in zip(records, appended, strict=True):
            self._owe(record, one)
        return appended

    def holds(self, one: NewRecord) -> RecordId | None:
        """The record that has this sender and control id with other bytes; see the port."""
        with self._database.joined() as connection:
            found = connection.execute(
                HOLDS,
                {
                    "control_id": one.bundle.control_id,
                    "sender": one.sender,
                    "resend_key": one.resend_key,
                },
            ).scalar_one_or_none()
        return RecordId(found) if found is not None else None

    def quarantine(self, refused: Sequence[Quarantined]) -> tuple[Appended, ...]:
        """Store refused inputs; rare enough for a statement each. See the port."""
        kept = tuple(self._refuse(one) for one in refused)
        for row, one in zip(refused, kept, strict=True):
            self._owe(row, one)
        return kept

    def retried(self, refused: RecordId, stored: RecordId) -> bool:
        """Close an open refusal with the record that it became; see the port."""
        done = self._database.connection.execute(RETRIED, {"id": refused, "stored": stored})
        return done.rowcount == 1

    def dismissed(self, refused: RecordId, reason: str) -> bool:
        """Close an open refusal for good; see the port."""
        done = self._database.connection.execute(DISMISSED, {"id": refused, "reason": reason})
        return done.rowcount == 1

    def _owe(self, row: NewRecord | Quarantined, kept: Appended) -> None:
        """The answer must reach an address of its own; see `store.answers`."""
        if row.deliver_to:
            self._database.connection.execute(
                OWE,
                {
                    "record": kept.id,
                    "address": row.deliver_to,
                    "answer": kept.answer,
                    "at": row.received,
                },
            )

    def _earlier(self, keys: list[Digest | None]) -> dict[Digest | None, Appended]:
        """What the first record of each resend key was answered."""
        if not keys:
            return {}
        rows = self._database.connection.execute(EARLIER, {"keys": keys})
        return {
            Digest(row.resend_key): Appended(id=RecordId(row.id), answer=row.answer, duplicate=True)
            for row in rows
        }

    def _refuse(self, one: Quarantined) -> Appended:
        row = self._database.connection.execute(
            QUARANTINE,
            {
                "id": one.id,
                "feed": one.feed,
                "number": one.number,
                "sender": one.sender,
                "pinned": one.pinned,
                "charset": one.charset,
                "dialect": one.dialect,
                "message_type": one.message_type,
                "control_id": one.control_id,
                "received": one.received,
                "source": one.source,
                "code": one.code,
                "place": one.where,
                "reason": one.reason,
                "answer": one.answer,
                "resend_key": one.resend_key,
                "request": json.dumps(dict(one.request)),
            },
        ).one()
        return Appended(id=RecordId(row.id), answer=row.answer, duplicate=row.id != one.id)


def _reused(new: Sequence[NewRecord], earlier: Mapping[str, str | None]) -> dict[str, str]:
    """Id of each record to that of the one before it with its sender and control id."""
    found: dict[str, str] = {}
    here: dict[tuple[str, str], str] = {}
    for one in new:
        key = (one.sender, one.bundle.control_id)
        before = here.get(key) or earlier[one.id]
        if before is not None and one.bundle.control_id:
            found[one.id] = before
        here[key] = one.id
    return found


def _parts(records: Sequence[NewRecord]) -> Iterator[list[NewRecord]]:
    """The records in order, in parts that one statement can carry; a single one may exceed it."""
    part: list[NewRecord] = []
    size = 0
    for record in records:
        weight = len(record.source) + len(record.bundle.canonical) + len(record.answer)
        if part and size + weight > STATEMENT_BYTES:
            yield part
            part, size = [], 0
        part.append(record)
        size += weight
    if part:
        yield part


def _columns(records: Sequence[NewRecord]) -> dict[str, object]:
    """One array a column: PostgreSQL unnests them side by side."""
    lanes = [(record.id, lane) for record in records for lane in dict.fromkeys(record.bundle.lanes)]
    return {
        "id": [r.id for r in records],
        "feed": [r.feed for r in records],
        "number": [r.number for r in records],
        "sender": [r.sender for r in records],
        "pinned": [r.pinned for r in records],
        "charset": [r.charset for r in records],
        "dialect": [r.dialect for r in records],
        "message_type": [r.bundle.message_type for r in records],
        "control_id": [r.bundle.control_id for r in records],
        "resend_key": [r.resend_key for r in records],
        "received": [r.received for r in records],
        "source": [r.source for r in records],
        "source_digest": [r.bundle.source for r in records],
        "bundle": [pack(r.bundle.canonical) for r in records],
        "bundle_digest": [r.bundle_digest for r in records],
        "mapping": [r.bundle.mapping for r in records],
        "apply": [r.bundle.apply.value for r in records],
        "header": [r.header for r in records],
        "salts": [r.salts for r in records],
        "answer": [r.answer for r in records],
        "lane_record": [record for record, _ in lanes],
        "lane": [lane for _, lane in lanes],
        "leaf": [r.leaf for r in records],
        "kind": int(Kind.RECORD),
    }
