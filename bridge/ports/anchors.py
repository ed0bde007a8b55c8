"""The book of anchoring attempts, and the heads that there are to anchor."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bridge.core.ids import Digest, Instant
from bridge.ports.chain import Fees, Inclusion, Payload, SignedAnchor
from bridge.ports.logbook import PublishedHead

__all__ = ["AnchorBook", "Attempt", "Heads", "State"]


class State(Enum):
    """Where an attempt stands. `docs/adr/0005-anchor-attempts.md` draws the moves."""

    PLANNED = "planned"
    """Nonce, fees and payload are decided; nothing is signed."""
    SIGNED = "signed"
    """The bytes are stored; nothing was broadcast, or we do not know."""
    SENT = "sent"
    """An endpoint was offered the bytes."""
    MINED = "mined"
    """In a canonical block that is not final."""
    FINAL = "final"
    """In a final block; evidence is not captured yet."""
    EVIDENCED = "evidenced"
    """Final, and its evidence is stored."""
    REPLACED = "replaced"
    """A newer attempt has its nonce; it may still win and is watched."""
    REORGED = "reorged"
    """It was mined and its block is gone."""
    FAILED = "failed"
    """It reverted, or a foreign transaction took its nonce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One transaction, from intent to evidence. Rows are never deleted."""

    id: int
    """0 before it is stored."""
    version: int
    """Rises with each change: the compare-and-swap of workers that race."""
    chain: str
    contract: str
    account: str
    nonce: int
    round: int
    """0 for the first transaction at this nonce, rising with each replacement."""
    payload: Payload
    checkpoint: bytes
    """The signed note of the head."""
    fees: Fees
    gas: int
    state: State
    settled: bool
    """True when nothing about it can change any more: it is not watched."""
    planned: Instant
    signed: SignedAnchor | None = None
    sent: Instant | None = None
    inclusion: Inclusion | None = None
    evidence: bytes | None = None
    reason: str = ""


class AnchorBook(Protocol):
    """PostgreSQL. Trusted for durability; evidence is re-checked by whoever reads a receipt.

    No lock is ever held across a network call. Two workers may run the same step: `plan` and
    `swap` let one of them win, and the other does nothing.
    """

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""

    def plan(self, attempt: Attempt) -> Attempt | None:
        """Store a new attempt; None when its (chain, account, nonce, round) is taken.

        Needs an open unit.
        """

    def next_round(self, chain: str, account: str, nonce: int) -> int:
        """The lowest round above all that were ever planned at this nonce. Needs a unit.

        More than 0 only where a chain was wound back past finality and a nonce is used again.
        """

    def swap(self, before: Attempt, after: Attempt) -> Attempt | None:
        """Change a stored attempt; None when another worker changed it since. Needs a unit."""

    def unsettled(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """Attempts that may still change, by nonce and round. Needs a unit."""

    def evidenced(self, chain: str, contract: str, *, size_from: int) -> tuple[Attempt, ...]:
        """Evidenced attempts of at least this size, smallest first; at most 100. Needs a unit."""

    def newest_evidenced(self, chain: str, account: str) -> tuple[Attempt, ...]:
        """Evidenced attempts, highest block first; at most 100. Needs a unit."""

    def spent_wei(self, chain: str, account: str, *, since: Instant) -> int:
        """What the nonces planned since then have cost or may still cost. Needs a unit.

        A nonce costs what its mined transaction did; while none is known, the most that one of its
        transactions offered. One that a foreign transaction took costs nothing.
        """

    def standing(self, chain: str, contract: str) -> Attempt | None:
        """The largest that is mined, final or evidenced; None when none is. Needs a unit."""

    def covering(self, sizes: Collection[int]) -> Mapping[int, tuple[Attempt, ...]]:
        """For each size the attempts of at least that size that stand on a chain, smallest first.

        The nearest three that are mined, final or evidenced, and the nearest evidenced one; of
        every chain. Needs a unit.
        """


class Heads(Protocol):
    """The log, as far as anchoring reads it."""

    def newest(self) -> PublishedHead | None:
        """The newest published checkpoint."""

    def root_at(self, size: int) -> Digest | None:
        """The log's own root at an earlier size; None when the log is smaller."""
