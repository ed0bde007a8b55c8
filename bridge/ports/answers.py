"""Application acknowledgements that are owed to an address, until it took them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Instant, RecordId

__all__ = ["Answers", "Owed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One answer that is due; it is ours until `due` comes again."""

    record: RecordId
    address: str
    """HOST:PORT."""
    answer: bytes
    owed: Instant
    """Since when."""
    tries: int
    """Of it so far, this one included."""


class Answers(Protocol):
    """PostgreSQL. A row is there from the record's own commit until the receiver took it."""

    def claim(
        self, now: Instant, until: Instant, *, furthest: Instant, at_most: int
    ) -> Sequence[Owed]:
        """Answers that are due, longest due first; nobody else gets them before `until`.

        One that is due after `furthest` is due now.
        """

    def delivered(self, record: RecordId) -> None:
        """The receiver took it: it is owed no more."""

    def postpone(self, record: RecordId, due: Instant) -> None:
        """Try again then."""

    def abandon(self, owed: Owed, why: str, at: Instant) -> None:
        """It is owed no more and a note says so, in one commit."""
