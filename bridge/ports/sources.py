"""Time and randomness: the only two inputs that a flow may not invent."""

from typing import Protocol

from bridge.core.ids import Instant

__all__ = ["Clock", "Entropy"]


class Clock(Protocol):
    """Trusted for display and ordering within a second, never as evidence: anchors are."""

    def now(self) -> Instant:
        """The present moment in UTC."""


class Entropy(Protocol):
    """A cryptographic source; salts and record ids come from it."""

    def take(self, size_bytes: int) -> bytes:
        """Fresh bytes that nobody can predict, safe to call from several threads."""
