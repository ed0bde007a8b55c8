"""The real clock and the real entropy: the only place where a process asks the machine for them."""

import secrets
from datetime import UTC, datetime

from bridge.core.ids import Instant, instant

__all__ = ["SystemClock", "SystemEntropy"]


class SystemClock:
    """The machine's clock in UTC."""

    def now(self) -> Instant:
        """The present moment."""
        return instant(datetime.now(UTC))


class SystemEntropy:
    """The operating system's cryptographic source."""

    def take(self, size_bytes: int) -> bytes:
        """Fresh bytes that nobody can predict."""
        return secrets.token_bytes(size_bytes)
