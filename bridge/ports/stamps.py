"""Stamps of checkpoints by systems beside the chain: what was asked for, and who is asked."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Instant, TreeSize

__all__ = ["Stamp", "StampBook", "Stamper", "Token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a system gave for SHA-256 of a checkpoint."""

    data: bytes
    """A detached OpenTimestamps file, or an RFC 3161 token."""
    complete: bool
    """False: a promise, to be asked about again. Only what is complete goes into receipts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The stamp of one checkpoint by one kind of system."""

    size: TreeSize
    note: bytes
    """The signed checkpoint, byte for byte what was stamped."""
    kind: str
    """`ots` or `rfc3161`, as in a receipt's `anchors`."""
    token: Token
    at: Instant
    """When it was asked for, by our clock, which proves nothing."""


class StampBook(Protocol):
    """PostgreSQL. Trusted for durability; tokens are re-checked by whoever reads a receipt.

    No transaction is held across a network call. Two workers may do the same: `keep` and `renew`
    let one of them win, and the other's token is dropped.
    """

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def newest(self, kind: str) -> Stamp | None:
        """The stamp of the largest checkpoint; None when there is none. Needs a unit."""

    def pending(self, kind: str) -> tuple[Stamp, ...]:
        """Stamps that are not complete, largest checkpoint first; at most 100. Needs a unit.

        The largest: promises of a calendar that is gone for ever must not stand in the way.
        """

    def keep(self, stamp: Stamp) -> bool:
        """Store it; False when that checkpoint has a stamp of this kind. Needs a unit."""

    def renew(self, stamp: Stamp, token: Token) -> bool:
        """Replace its token; False when another worker did. Needs a unit."""


class Stamper(Protocol):
    """A system that stamps. Not trusted: it may be down, slow, or answer anything.

    Both methods raise BridgeError, with fault PEER when nothing usable came back.
    """

    @property
    def kind(self) -> str:
        """Of its stamps."""

    def stamp(self, note: bytes) -> Token:
        """Ask for a stamp of SHA-256 of these bytes. What is returned is of these bytes."""

    def upgrade(self, token: Token) -> Token | None:
        """Ask what became of a promise; None when nothing new is known."""
