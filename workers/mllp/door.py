"""What the connections of one listener share, and the memory that all listeners share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from bridge.ports.sources import Clock
from workers.mllp.commit import Committer
from workers.mllp.feed import FeedCounters, FeedEvent, Listener
from workers.mllp.rate import Rates

__all__ = ["Door", "MemoryBudget", "Open"]


class Open(Protocol):
    """A connection as its server sees it."""

    def finish(self) -> None:
        """Read no more from the socket, answer what was read whole, then close."""

    def abort(self) -> None:
        """Close at once."""

    def give_way(self) -> None:
        """Close at once, for want of places."""

    def check(self, now: float) -> None:
        """Let go a peer that is over one of its times; `now` is the loop's."""

    @property
    def stranger_since(self) -> float | None:
        """Since when it is here without a message; None for one that sent some."""


@dataclass(slots=True, kw_only=True)
class MemoryBudget:
    """What all connections of the process hold: unfinished frames and unanswered messages."""

    limit_bytes: int
    held_bytes: int = 0

    @property
    def exceeded(self) -> bool:
        """Some unfinished frame must go."""
        return self.held_bytes > self.limit_bytes


@dataclass(slots=True, kw_only=True)
class Door:
    """What all connections of one listener share."""

    listener: Listener
    committer: Committer
    clock: Clock
    counters: FeedCounters
    budget: MemoryBudget
    emit: Callable[[FeedEvent], None]
    connections: set[Open]
    closed: Callable[[], None]
    """Called when a connection is gone."""
    rates: Rates = field(default_factory=Rates)
    stopping: bool = False
    """Whoever connects now is turned away."""
    number: int = 0
    """Messages of the feed so far."""

    @property
    def enhanced(self) -> bool:
        """MSH-15 and MSH-16 are honoured."""
        return self.listener.mode == "by-message"

    @property
    def full(self) -> bool:
        """Every place is taken."""
        return len(self.connections) >= self.listener.limits.connections

    def make_room(self) -> bool:
        """Close the connection that has been here longest without a message, if there is one.

        Otherwise whoever opens connections and says nothing would keep senders out for the idle
        time.
        """
        strangers = [
            (since, one) for one in self.connections if (since := one.stranger_since) is not None
        ]
        if not strangers:
            return False
        _, first = min(strangers, key=itemgetter(0))
        first.give_way()
        return True
