"""A chain that keeps our newest head: what is asked of it, and what it answers."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from bridge.core.ids import Digest, Instant, TreeSize

__all__ = [
    "AnchoredHead",
    "Chain",
    "ChainView",
    "Delivery",
    "Fees",
    "Inclusion",
    "Market",
    "Payload",
    "SignedAnchor",
    "Spent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredHead:
    """What the contract holds for a log: the independent high-water mark."""

    size: TreeSize
    """0 with `root` all zero and `sequence` 0 before the first anchor."""
    root: Digest
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainView:
    """One consistent look at the chain: every part is read at the same block."""

    block_number: int
    final_block: int
    """The newest block that the chain's finality rule calls final."""
    nonce: int
    """Transactions of our account in the chain up to `block_number`."""
    head: AnchoredHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What a transaction offers, in wei for one gas (EIP-1559)."""

    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The going rate, in wei for one gas."""

    base_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The arguments of `anchor()`."""

    prev_root: Digest
    size: TreeSize
    root: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnchor:
    """A transaction ready to be sent; sending it any number of times has one effect."""

    tx_hash: bytes
    raw: bytes


class Delivery(Enum):
    """What endpoints said to a broadcast. None of it is an error: `watch` reconciles."""

    ACCEPTED = "accepted"
    KNOWN = "already known"
    NONCE_USED = "nonce too low"
    """A transaction with this nonce is mined: this one, another of ours, or a foreign one."""
    UNDERPRICED = "underpriced"
    """The pool holds another one at this nonce, or wants a higher fee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a mined transaction took from our account."""

    gas: int
    cost_wei: int
    """With what a rollup charges for its parent chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """A transaction in a block that is canonical now."""

    block_number: int
    block_hash: bytes
    time: Instant
    """The block's own time stamp."""
    anchored: Payload | None
    """What the one `Anchored` event of our contract and log says; None when the call reverted."""
    spent: "Spent | None" = field(default=None, compare=False)
    """Says nothing of where it is: two looks that differ in it alone found the same place."""


class Chain(Protocol):
    """One contract and one log on one chain, and one account that anchors.

    Trusted for nothing beyond its consensus: every read is agreed by k of n endpoints, and what
    is kept as evidence is checked by its hashes. Reads may be repeated freely; `send` too. Any
    method raises BridgeError with fault PEER when too few endpoints answer alike.
    """

    name: str
    """CAIP-2, such as `eip155:13371`."""
    contract: str
    """Address, lower-case hexadecimal with 0x."""
    account: str
    """The address that anchors, lower-case hexadecimal with 0x."""
    fee_cap_wei: int
    """The operator's limit for `max_fee_wei`."""
    stuck_after_s: int
    """How long a sent transaction may wait before a newer head replaces it."""

    def view(self) -> ChainView:
        """The chain now."""

    def final_nonce(self) -> int:
        """Transactions of our account up to the newest final block."""

    def market(self) -> Market:
        """What inclusion costs now."""

    def gas(self, payload: Payload) -> int:
        """A gas limit for this anchor, after a dry run.

        Raises:
            BridgeError: `anchor-refused` with fault OPERATOR and the contract's reason when the
                anchor would revert.
        """

    def sign(self, payload: Payload, *, nonce: int, gas: int, fees: Fees) -> SignedAnchor:
        """The transaction's bytes. Touches no network."""

    def send(self, raw: bytes) -> Delivery:
        """Offer the bytes to every endpoint.

        Raises:
            BridgeError: `anchor-unfunded` with fault OPERATOR; `chain-refused` for an answer
                that is none of `Delivery`.
        """

    def find(self, tx_hash: bytes) -> Inclusion | None:
        """Where the transaction is mined; None when k endpoints say that it is not."""

    def evidence(self, tx_hash: bytes) -> bytes:
        """The receipt's `anchors` entry as JSON: header and receipt proof, checked against itself.

        Raises:
            BridgeError: `evidence-mismatch` with fault PEER when the endpoints' parts do not
                hash to each other.
        """
