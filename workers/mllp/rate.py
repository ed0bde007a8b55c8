"""How fast one sender may send, over however many connections it opens."""

from dataclasses import dataclass

__all__ = ["Bucket", "Rates"]

KEPT = 1024
"""Senders that are remembered; a full bucket is forgotten first, for it is as good as a new one."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Tokens of one sender: one a message, a second's worth at most."""

    per_s: float
    tokens: float
    at: float

    def has_one(self, now: float) -> bool:
        """Whether a message may be taken now."""
        most = max(self.per_s, 1.0)
        self.tokens = min(self.tokens + (now - self.at) * self.per_s, most)
        self.at = now
        return self.tokens >= 1

    def take(self) -> None:
        """One message."""
        self.tokens -= 1

    def is_full(self, now: float) -> bool:
        """Whether it has been left alone for long enough."""
        return self.tokens + (now - self.at) * self.per_s >= max(self.per_s, 1.0)


class Rates:
    """The buckets of one listener in this process."""

    def __init__(self) -> None:
        """Nobody sent yet."""
        self._buckets: dict[str, Bucket] = {}

    def of(self, sender: str, per_s: float, now: float) -> Bucket:
        """That of a sender: its profile where certificate or listener say it, else its host."""
        if sender not in self._buckets:
            if len(self._buckets) >= KEPT:
                kept = {name: one for name, one in self._buckets.items() if not one.is_full(now)}
                self._buckets = kept
            self._buckets[sender] = Bucket(per_s=per_s, tokens=max(per_s, 1.0), at=now)
        return self._buckets[sender]
