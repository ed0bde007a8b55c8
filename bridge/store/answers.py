"""Owed application acknowledgements; they become owed in `store.intake`."""

from collections.abc import Sequence

from sqlalchemy import text

from bridge.core.ids import Instant, RecordId, instant
from bridge.ports.answers import Owed
from bridge.ports.feeds import FeedNote
from bridge.store.database import Database
from bridge.store.feeds import PostgresFeeds

__all__ = ["PostgresAnswers"]

CLAIM = text("""
UPDATE owed_answer SET due = :until, tries = tries + 1
WHERE record IN (
    SELECT record FROM owed_answer WHERE due <= :now OR due > :furthest
    ORDER BY due LIMIT :at_most
    FOR UPDATE SKIP LOCKED)
RETURNING record, address, answer, owed, tries
""")

DELIVERED = text("DELETE FROM owed_answer WHERE record = :record")

POSTPONE = text("UPDATE owed_answer SET due = :due WHERE record = :record")


class PostgresAnswers:
    """The port `Answers` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database, self._feeds = database, PostgresFeeds(database)

    def claim(
        self, now: Instant, until: Instant, *, furthest: Instant, at_most: int
    ) -> Sequence[Owed]:
        """Answers that are due; see the port."""
        with self._database.unit():
            rows = self._database.connection.execute(
                CLAIM, {"now": now, "until": until, "furthest": furthest, "at_most": at_most}
            ).all()
        return tuple(
            Owed(
                record=RecordId(row.record),
                address=row.address,
                answer=row.answer,
                owed=instant(row.owed),
                tries=row.tries,
            )
            for row in rows
        )

    def delivered(self, record: RecordId) -> None:
        """It is owed no more."""
        with self._database.unit():
            self._database.connection.execute(DELIVERED, {"record": record})

    def postpone(self, record: RecordId, due: Instant) -> None:
        """Try again then."""
        with self._database.unit():
            self._database.connection.execute(POSTPONE, {"record": record, "due": due})

    def abandon(self, owed: Owed, why: str, at: Instant) -> None:
        """Owed no more, and noted."""
        note = FeedNote(
            at=at,
            feed="",
            sender=owed.address,
            record=owed.record,
            code="answer-undelivered",
            detail=why,
        )
        with self._database.unit():
            self._database.connection.execute(DELIVERED, {"record": owed.record})
            self._feeds.note([note])
