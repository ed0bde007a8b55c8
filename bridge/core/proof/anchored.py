"""Check 8: that a chain holds a head of the log. First what the receipt proves, then what is asked.

Offline: header, receipt trie and event hang together and name a head that the receipt proves.
Live: the block is canonical and final on enough endpoints. Neither is evidence without the other.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.anchors import EvmAnchor, seconds_text
from bridge.core.proof.block import block_of_receipt
from bridge.core.proof.endpoints import (
    Finding,
    HeadReader,
    Keeper,
    LiveHead,
    Question,
    ask_all,
)
from bridge.core.proof.evm import (
    Anchored,
    BlockHeader,
    TransactionReceipt,
    find_anchored,
    parse_transaction_receipt,
)
from bridge.core.proof.report import AnchorOutcome, Check
from bridge.core.proof.trust import Contract, Trust

__all__ = ["check_anchor"]

_WHERE = "anchor"
_BLOCKS = 32
"""Blocks whose proofs are remembered: one anchor covers thousands of receipts, and Keccak in Python
is what takes long. A few hundred kilobytes."""


def check_anchor(
    anchor: EvmAnchor,
    *,
    origin: str,
    heads: Sequence[LiveHead],
    trust: Trust,
    readers: Sequence[HeadReader],
) -> AnchorOutcome:
    """Check one anchor.

    Args:
        anchor: as in the receipt.
        origin: of the log in the receipt's checkpoint.
        heads: sizes and roots that checks 4, 5 and 7 proved of that log.
        trust: pinned contracts and known blocks.
        readers: endpoints to ask; none leaves the live half open.
    """
    try:
        event = _evidence(anchor, heads)
        contract = _pinned(anchor, origin, trust)
    except BridgeError as error:
        detail = f"this evidence from a chain proves nothing: {error}"
        return AnchorOutcome(checks=(_evidence_check(ok=False, detail=detail),))
    said = f"block {anchor.block_number} of {anchor.chain} ({anchor.time}) holds size {event.size}"
    if contract is None:
        return _unpinned(said, _named(anchor, origin, readers), anchor, event, heads, readers)
    found = _known(anchor, trust) or ask_all(_question(anchor, event, contract, heads), readers)
    detail = found.detail
    if not contract.independent:
        detail += "; your trust file does not call this chain independent: whoever runs it can "
        detail += "rewrite it, so it raises no level"
    return AnchorOutcome(
        checks=(
            _evidence_check(ok=True, detail=f"{said}, proved by header and receipt trie"),
            Check(id=8, name="chain", ok=found.ok, detail=detail),
        ),
        time=anchor.time if found.ok else None,
        independent=contract.independent,
    )


def _unpinned(
    said: str,
    contract: Contract,
    anchor: EvmAnchor,
    event: Anchored,
    heads: Sequence[LiveHead],
    readers: Sequence[HeadReader],
) -> AnchorOutcome:
    """A contract that nobody vouches for still dates the root, on a chain that the verifier named.

    Whoever sent it, a hash that stands in a final block existed by then. What is not known is
    whose log it is, and whether it is the only one: the level stays where the signatures put it.
    """
    detail = f"{said}; its contract is not in your trust file, so whose log this is was not checked"
    evidence = _evidence_check(ok=None, detail=detail)
    if not readers:
        return AnchorOutcome(checks=(evidence,))
    found = ask_all(_question(anchor, event, contract, heads), readers)
    detail = f"{found.detail}; the chain you named, by the receipt's own rule of finality"
    live = Check(id=8, name="chain", ok=found.ok, detail=f"{detail} ({anchor.finality})")
    return AnchorOutcome(checks=(evidence, live), time=anchor.time if found.ok else None)


def _named(anchor: EvmAnchor, origin: str, readers: Sequence[HeadReader]) -> Contract:
    """What the receipt says of its contract, for want of a pin; a majority of endpoints decides."""
    return Contract(
        origin=origin,
        chain=anchor.chain,
        address=anchor.address,
        code_hash=anchor.code_hash,
        log_id=anchor.log_id,
        finality=anchor.finality,
        independent=False,
        endpoints=len(readers) // 2 + 1,
    )


def _evidence(anchor: EvmAnchor, heads: Sequence[LiveHead]) -> Anchored:
    """Header to block hash, receipt to header, event to a proved head."""
    block, receipt = _proved(
        anchor.header, anchor.receipt_index, anchor.receipt, anchor.receipt_proof
    )
    _check_header(anchor, block)
    event = find_anchored(receipt, address=anchor.address, log_id=anchor.log_id)
    if event.position != anchor.log_position:
        _refuse("the event stands at another place of its transaction", "log_position")
    if LiveHead(size=event.size, root=event.root) not in heads:
        _refuse(
            f"the chain holds size {event.size} with a root that the receipt does not prove",
            "receipt logs",
        )
    return event


@lru_cache(maxsize=_BLOCKS)
def _proved(
    header: bytes, index: int, receipt: bytes, nodes: tuple[bytes, ...]
) -> tuple[BlockHeader, TransactionReceipt]:
    """The block, and what the transaction did by a proof that leads to its header."""
    block = block_of_receipt(header, index=index, receipt=receipt, nodes=nodes)
    return block, parse_transaction_receipt(receipt)


def _check_header(anchor: EvmAnchor, header: BlockHeader) -> None:
    if header.hash != anchor.block_hash:
        _refuse("the header does not hash to the block hash", "header")
    if header.number != anchor.block_number:
        _refuse(f"the header is of block {header.number}", "block_number")
    if seconds_text(header.timestamp_s) != anchor.time:
        _refuse("the header states another time", "time")


def _pinned(anchor: EvmAnchor, origin: str, trust: Trust) -> Contract | None:
    """The contract of the trust file that this anchor names; its code must be the pinned one."""
    for contract in trust.contracts:
        if (contract.origin, contract.chain, contract.address, contract.log_id) == (
            origin,
            anchor.chain,
            anchor.address,
            anchor.log_id,
        ):
            if contract.code_hash != anchor.code_hash:
                _refuse("the contract's code is not the one your trust file pins", "code_hash")
            return contract
    return None


def _known(anchor: EvmAnchor, trust: Trust) -> Finding | None:
    """What the trust file itself knows of the block at this height."""
    for block in trust.blocks:
        if (block.chain, block.number) == (anchor.chain, anchor.block_number):
            if block.hash == anchor.block_hash:
                return Finding(ok=True, detail="your trust file knows this block as final")
            return Finding(ok=False, detail="your trust file knows another block at this height")
    return None


def _question(
    anchor: EvmAnchor, event: Anchored, contract: Contract, heads: Sequence[LiveHead]
) -> Question:
    return Question(
        chain=anchor.chain,
        number=anchor.block_number,
        block=Digest(anchor.block_hash),
        finality=contract.finality,
        needed=contract.endpoints,
        keeper=Keeper(
            address=contract.address,
            code_hash=contract.code_hash,
            log_id=contract.log_id,
            size=event.size,
            heads=tuple(heads),
        ),
    )


def _evidence_check(*, ok: bool | None, detail: str) -> Check:
    return Check(id=8, name="anchor", ok=ok, detail=detail)


def _refuse(what: str, member: str) -> NoReturn:
    raise BridgeError(
        "anchor-evidence",
        Fault.SENDER,
        what=what,
        where=f"{_WHERE}.{member}",
        do="fetch the receipt again; if it stays so, keep it as evidence against the log",
    )
