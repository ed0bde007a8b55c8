"""A clock that stands until told otherwise, and entropy that repeats from run to run."""

from datetime import timedelta

from bridge.core.ids import Instant, parse_instant, sha256

__all__ = ["CountedEntropy", "FixedClock"]


class FixedClock:
    """The port `Clock`, moved by hand."""

    def __init__(self, at: str = "2026-11-22T14:00:00.000000Z") -> None:
        """Stand at an RFC 3339 moment."""
        self.at = parse_instant(at)

    def now(self) -> Instant:
        """The moment it stands at."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self.at = Instant(self.at + timedelta(seconds=seconds))


class CountedEntropy:
    """The port `Entropy`: never the same bytes twice in one test, the same in the next run."""

    def __init__(self) -> None:
        """Start the count."""
        self.taken = 0

    def take(self, size_bytes: int) -> bytes:
        """The hashes of the count."""
        data = b""
        while len(data) < size_bytes:
            self.taken += 1
            data += sha256(b"entropy %d" % self.taken)
        return data[:size_bytes]
