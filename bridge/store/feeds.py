"""What is odd about a feed beside its messages: ids used twice, numbers that are missing; counts.

Notes are written in the transaction of the records that they are about.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text

from bridge.core.ids import Instant, instant
from bridge.core.record.sequence_number import step
from bridge.ports.feeds import Feed, FeedNote
from bridge.ports.intake import NewRecord
from bridge.store.database import Database

__all__ = ["PostgresFeeds"]

LAST = text("""
SELECT sender, last FROM sender_sequence WHERE sender = ANY(:senders) ORDER BY sender FOR UPDATE
""")

REMEMBER = text("""
INSERT INTO sender_sequence (sender, last) VALUES (:sender, :last)
ON CONFLICT (sender) DO UPDATE SET last = excluded.last
""")

NOTE = text("""
INSERT INTO feed_note (at, feed, sender, record, code, detail)
VALUES (:at, :feed, :sender, :record, :code, :detail)
""")

FEEDS = text("""
WITH stored AS (
    SELECT feed, count(*) AS stored, max(number) AS number, max(received) AS last,
           (array_agg(control_id ORDER BY number DESC))[1] AS control_id
    FROM record WHERE received >= :since GROUP BY feed
), refused AS (
    SELECT feed, count(*) AS refused, max(number) AS number, max(received) AS last
    FROM quarantine WHERE received >= :since GROUP BY feed
)
SELECT coalesce(s.feed, r.feed) AS feed, coalesce(s.stored, 0) AS stored,
       coalesce(r.refused, 0) AS refused, greatest(s.number, r.number) AS number,
       greatest(s.last, r.last) AS last, coalesce(s.control_id, '') AS control_id
FROM stored s FULL JOIN refused r ON r.feed = s.feed ORDER BY last DESC
""")

NOTES = text("""
SELECT at, feed, sender, record, code, detail FROM feed_note
WHERE at >= :since ORDER BY seq DESC LIMIT :at_most
""")


class PostgresFeeds:
    """The port `Feeds` over one PostgreSQL; shares the units of the intake."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def follow(self, kept: Sequence[NewRecord], reused: Mapping[str, str]) -> None:
        """Note what is odd about records that were just stored. Needs an open unit.

        Args:
            kept: those that are new, in order of arrival.
            reused: id of a record to that of an earlier one with its sender and control id.
        """
        notes = [
            _note(one, "control-id-reused", f"record {reused[one.id]} has the same control id")
            for one in kept
            if one.id in reused
        ]
        notes += self._sequences([one for one in kept if one.sequence is not None])
        self.note(notes)

    def note(self, notes: Iterable[FeedNote]) -> None:
        """Keep notes. Needs an open unit."""
        for one in notes:
            self._database.connection.execute(
                NOTE,
                {
                    "at": one.at,
                    "feed": one.feed,
                    "sender": one.sender,
                    "record": one.record,
                    "code": one.code,
                    "detail": one.detail,
                },
            )

    def feeds(self, since: Instant) -> tuple[Feed, ...]:
        """Counts of every feed that brought something, newest first."""
        with self._database.joined() as connection:
            rows = connection.execute(FEEDS, {"since": since}).all()
        return tuple(
            Feed(
                feed=row.feed,
                stored=row.stored,
                refused=row.refused,
                number=row.number,
                last=_moment(row.last),
                control_id=row.control_id,
            )
            for row in rows
        )

    def notes(self, since: Instant, *, at_most: int) -> tuple[FeedNote, ...]:
        """Newest first."""
        with self._database.joined() as connection:
            rows = connection.execute(NOTES, {"since": since, "at_most": at_most}).all()
        return tuple(
            FeedNote(
                at=_moment(row.at),
                feed=row.feed,
                sender=row.sender,
                record=row.record,
                code=row.code,
                detail=row.detail,
            )
            for row in rows
        )

    def _sequences(self, numbered: Sequence[NewRecord]) -> list[FeedNote]:
        """Follow MSH-13 of each sender; its row is locked, so that processes take turns."""
        if not numbered:
            return []
        senders = sorted({one.sender for one in numbered})
        rows = self._database.connection.execute(LAST, {"senders": senders})
        last: dict[str, int | None] = {row.sender: row.last for row in rows}
        notes = []
        for one in numbered:
            if one.sequence is None:
                continue
            made = step(last.get(one.sender), one.sequence)
            last[one.sender] = made.last
            if made.code:
                notes.append(_note(one, made.code, made.detail))
        for sender in senders:
            self._database.connection.execute(
                REMEMBER, {"sender": sender, "last": last.get(sender)}
            )
        return notes


def _note(one: NewRecord, code: str, detail: str) -> FeedNote:
    return FeedNote(
        at=one.received,
        feed=one.feed,
        sender=one.sender,
        record=one.id,
        code=code,
        detail=detail,
    )


def _moment(found: datetime) -> Instant:
    return instant(found)
