"""What each feed has counted, so that the door that is scraped can tell of every process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from bridge.core.ids import Instant
from bridge.store.database import Database

__all__ = ["Tally", "keep_tallies", "read_tallies"]

KEEP = text("""
INSERT INTO feed_tally (feed, at, counts) VALUES (:feed, :at, :counts)
ON CONFLICT (feed) DO UPDATE SET at = excluded.at, counts = excluded.counts
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The running totals of one feed: a listener since one start of its process."""

    feed: str
    at: Instant
    """When they were true."""
    counts: Mapping[str, Any]


def keep_tallies(database: Database, tallies: tuple[Tally, ...]) -> None:
    """Replace the totals of these feeds; a row a start of a process stays, so sums never fall.

    Raises:
        BridgeError: `store-unavailable`.
    """
    rows = [{"feed": t.feed, "at": t.at, "counts": json.dumps(dict(t.counts))} for t in tallies]
    if rows:
        with database.unit():
            database.connection.execute(KEEP, rows)


def read_tallies(database: Database) -> tuple[Tally, ...]:
    """The totals of every feed that ever counted.

    Raises:
        BridgeError: `store-unavailable`.
    """
    with database.unit():
        rows = database.connection.execute(text("SELECT feed, at, counts FROM feed_tally")).all()
    return tuple(
        Tally(feed=row.feed, at=Instant(row.at), counts=json.loads(row.counts)) for row in rows
    )
