"""What each feed brought, and what was odd about it, for a person who runs the node."""

from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Instant

__all__ = ["Feed", "FeedNote", "Feeds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One start of a listener or door since a moment."""

    feed: str
    stored: int
    refused: int
    """Different inputs in quarantine."""
    number: int
    """Of its last message that was kept; beyond stored and refused it counts resends."""
    last: Instant
    control_id: str
    """Of its last stored message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedNote:
    """Something that a person should ask the sender about."""

    at: Instant
    feed: str
    sender: str
    record: str
    code: str
    """`control-id-reused`, `sequence-gap`, `sequence-back`, `answer-undelivered`."""
    detail: str


class Feeds(Protocol):
    """Reads of what is committed; trusted for availability only."""

    def feeds(self, since: Instant) -> tuple[Feed, ...]:
        """Counts of every feed that brought something since then, newest first."""

    def notes(self, since: Instant, *, at_most: int) -> tuple[FeedNote, ...]:
        """What was odd since then, newest first."""
