"""Events of the log itself: feed markers and key events."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Instant
from bridge.core.record.claims import Kind
from bridge.core.record.events import FeedCount

__all__ = ["EventBook", "LogEvent", "Marked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event with what it seals."""

    id: str
    """Also the subject of its leaf."""
    kind: Kind
    name: str
    """Of the feed, or action and key."""
    begin: int
    """First leaf of a marker's interval; 0 for a key event."""
    end: int
    """Behind the last leaf of the interval; 0 for a key event."""
    at: Instant
    documents: Mapping[str, bytes]
    salts: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """How far the log has spoken of its feeds."""

    at: Instant | None
    """When the newest marker was made; None before the first."""
    behind: int
    """Leaves with an index that no interval covers yet."""


class EventBook(Protocol):
    """PostgreSQL. Trusted for durability, not for integrity: the leaf says what was sealed.

    Every call needs an open unit.
    """

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def marked(self) -> Marked:
        """Where the markers stand.

        Holds every other caller up until the unit ends: intervals must not overlap.
        """

    def uncounted(self, at_most: int) -> tuple[FeedCount, ...]:
        """Each feed with records in the next `at_most` leaves behind the last marked one.

        When those hold no record, the interval reaches to the next leaf that is one.
        """

    def keep(self, event: LogEvent) -> None:
        """Store it and promise its leaf to the log; nothing when this name and begin exist."""

    def found(self, event: str) -> LogEvent | None:
        """By id."""
