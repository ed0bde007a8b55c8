"""What several chain endpoints say of one anchored block, counted: k of m, liars named.

An endpoint is not trusted: it may be down, stale, on another chain, or lie. Nothing is taken from
it but yes or no to what the receipt already proves about itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest

__all__ = ["Finding", "HeadReader", "Keeper", "LiveHead", "Question", "Says", "ask_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveHead:
    """The head that the contract keeps for a log now; size 0 when it has none."""

    size: int
    root: Digest


class HeadReader(Protocol):
    """One RPC endpoint of a chain. May be asked again; no method changes anything.

    Every method raises BridgeError with fault PEER when it cannot answer.
    """

    @property
    def name(self) -> str:
        """How the report calls it, such as its host; holds no credential."""

    def chain(self) -> str:
        """CAIP-2 id of the chain it serves."""

    def block_hash(self, number: int) -> Digest | None:
        """Hash of the block at this height on the chain it holds canonical; None if it has none."""

    def height(self) -> int:
        """Number of its newest block."""

    def finalized(self) -> int:
        """Number of its newest finalized block."""

    def code_hash(self, address: bytes) -> Digest:
        """Keccak-256 of the code at an address."""

    def head(self, address: bytes, log_id: bytes) -> LiveHead:
        """The contract's newest head of a log."""


class Says(Enum):
    """One endpoint's answer."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not yet"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """The contract that keeps the log's newest head."""

    address: bytes
    code_hash: bytes
    log_id: bytes
    size: int
    """Of the anchored head."""
    heads: tuple[LiveHead, ...]
    """Every head of the log that the receipt proves, the anchored one among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Is this block final, this contract in place, this log not behind?"""

    chain: str
    number: int
    block: Digest
    finality: str
    needed: int
    """How many endpoints must say yes."""
    keeper: Keeper | None
    """None where the head stands in a transaction's data: the chain then keeps no newest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The count: True when enough say yes and more than say no; False when enough say no."""

    ok: bool | None
    detail: str


def ask_all(question: Question, readers: Sequence[HeadReader]) -> Finding:
    """Ask every endpoint and count.

    The answer is yes when at least `needed` say yes and fewer say no; no when at least `needed` say
    no and fewer say yes; else open. One liar among three is outvoted and named.
    """
    if not readers:
        return Finding(ok=None, detail="no endpoint of the chain was asked; name some with --rpc")
    answers = [(reader.name, *_ask(question, reader)) for reader in readers]
    yes, no = (sum(1 for _, says, _ in answers if says is side) for side in (Says.YES, Says.NO))
    ok = _count(yes, no, question.needed)
    agreed = f"{yes} of {len(answers)} endpoints confirm block {question.number} as final"
    if question.needed > 1:
        agreed += f" ({question.needed} are needed)"
    return Finding(ok=ok, detail="; ".join((agreed, *_others(answers))))


def _count(yes: int, no: int, needed: int) -> bool | None:
    if yes >= needed and yes > no:
        return True
    if no >= needed and no > yes:
        return False
    return None


def _others(answers: Iterable[tuple[str, Says, str]]) -> tuple[str, ...]:
    """What everyone who did not say yes said, by name."""
    return tuple(f"{name} {words}" for name, says, words in answers if says is not Says.YES)


def _ask(question: Question, reader: HeadReader) -> tuple[Says, str]:
    try:
        return _answer(question, reader)
    except BridgeError as error:
        return Says.NOTHING, f"gave no usable answer: {error.what}"


def _answer(question: Question, reader: HeadReader) -> tuple[Says, str]:
    chain, number = reader.chain(), question.number
    if chain != question.chain:
        return Says.NOTHING, f"serves another chain, {chain}"
    block = reader.block_hash(number)
    if block is None:
        return Says.NOTHING, f"does not have block {number}"
    objection = _objection(question, block, reader)
    if objection:
        return Says.NO, objection
    if not _final(question, reader):
        return Says.NOT_YET, f"does not hold block {number} final yet"
    return Says.YES, ""


def _objection(question: Question, block: Digest, reader: HeadReader) -> str:
    """What on this endpoint's chain contradicts the receipt; empty when nothing does."""
    if block != question.block:
        return f"has another block {question.number}: the anchored one was undone, or it lies"
    keeper = question.keeper
    if keeper is None:
        return ""
    if reader.code_hash(keeper.address) != keeper.code_hash:
        return "shows other code at the contract's address"
    return _behind(keeper, reader.head(keeper.address, keeper.log_id))


def _behind(keeper: Keeper, live: LiveHead) -> str:
    """How the live head contradicts what was anchored; empty when it does not."""
    if live.size < keeper.size:
        return (
            f"shows a log of {live.size} leaves, less than the {keeper.size} anchored: "
            "it is stale, or the chain was rolled back"
        )
    for head in keeper.heads:
        if head.size == live.size and head.root != live.root:
            return (
                f"shows another root for size {live.size} ({live.root.hex()}) than the receipt "
                f"({head.root.hex()}): the log shows two histories, keep both as evidence"
            )
    return ""


def _final(question: Question, reader: HeadReader) -> bool:
    if question.finality == "instant":
        return True
    if question.finality == "finalized":
        return reader.finalized() >= question.number
    depth = int(question.finality.removeprefix("depth-"))
    return reader.height() - question.number >= depth
