"""Check 8 for chains where nobody may deploy: a head of the log in the data of a transaction.

There is no contract that compares and swaps, so such an anchor dates a head and says nothing of
another history beside it. Sources: https://ethereum.github.io/yellowpaper/ s4.3, EIP-2718,
docs/spec/anchor.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize, sha256
from bridge.core.proof.anchors import CalldataAnchor, seconds_text
from bridge.core.proof.block import block_of_transaction
from bridge.core.proof.endpoints import Finding, HeadReader, LiveHead, Question, ask_all
from bridge.core.proof.keccak import keccak256
from bridge.core.proof.report import AnchorOutcome, Check
from bridge.core.proof.rlp import decode
from bridge.core.proof.trust import Network, Trust

__all__ = ["PostedHead", "check_calldata", "encode_posted", "parse_posted", "transaction_data"]

_MAGIC: Final = b"fhir-anchor/anchor/1\0"
_SIZE: Final = len(_MAGIC) + 32 + 32 + 8 + 32
_DATA_AT: Final = {0: (9, 5), 1: (11, 6), 2: (12, 7), 3: (14, 7), 4: (13, 7)}
"""Type to the number of fields and the place of the data: legacy, EIP-2930, 1559, 4844, 7702."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedHead:
    """What the data of the transaction says."""

    origin_hash: Digest
    """SHA-256 of the log's origin."""
    previous: Digest
    """Root of the head that was posted before; zero for the first."""
    size: TreeSize
    root: Digest


def encode_posted(head: PostedHead) -> bytes:
    """The 125 bytes of the data."""
    return _MAGIC + head.origin_hash + head.previous + head.size.to_bytes(8) + head.root


def parse_posted(data: bytes) -> PostedHead:
    """The inverse of `encode_posted`.

    Raises:
        BridgeError: `calldata-form`.
    """
    if len(data) != _SIZE or not data.startswith(_MAGIC):
        _refuse("calldata-form", "the data is not 125 bytes of form fhir-anchor/anchor/1", "data")
    at = len(_MAGIC)
    return PostedHead(
        origin_hash=Digest(data[at : at + 32]),
        previous=Digest(data[at + 32 : at + 64]),
        size=TreeSize(int.from_bytes(data[at + 64 : at + 72])),
        root=Digest(data[at + 72 :]),
    )


def transaction_data(raw: bytes) -> bytes:
    """The data of a transaction in consensus encoding.

    Raises:
        BridgeError: `rlp-form` or `transaction-form`.
    """
    kind = raw[0] if raw and raw[0] < 0x80 else 0
    if (kind == 0 and raw[:1] == b"\0") or kind not in _DATA_AT:
        _refuse("transaction-form", f"type 0x{kind:02x} is not one of 0x01 to 0x04", "transaction")
    fields = decode(raw[1:] if kind else raw, where="transaction")
    count, place = _DATA_AT[kind]
    if isinstance(fields, bytes) or len(fields) != count:
        _refuse("transaction-form", f"a transaction of its type has {count} fields", "transaction")
    data = fields[place]
    if not isinstance(data, bytes):
        _refuse("transaction-form", "the data is not a byte string", "transaction")
    return data


def check_calldata(
    anchor: CalldataAnchor,
    *,
    origin: str,
    heads: Sequence[LiveHead],
    trust: Trust,
    readers: Sequence[HeadReader],
) -> AnchorOutcome:
    """Check one anchor; the arguments are those of `check_anchor`."""
    try:
        posted = _evidence(anchor, origin, heads)
    except BridgeError as error:
        detail = f"this evidence from a chain proves nothing: {error}"
        return AnchorOutcome(checks=(Check(id=8, name="anchor", ok=False, detail=detail),))
    said = f"block {anchor.block_number} of {anchor.chain} ({anchor.time}) holds size {posted.size}"
    said += " in a transaction's data, proved by header and transaction trie"
    pin = next((one for one in trust.networks if one.chain == anchor.chain), None)
    if pin is None:
        said += "; this chain is not in your trust file"
    evidence = Check(id=8, name="anchor", ok=None if pin is None else True, detail=said)
    if pin is None and not readers:
        return AnchorOutcome(checks=(evidence,))
    found = _live(anchor, pin or _named(anchor, readers), trust, readers)
    independent = pin is not None and pin.independent
    detail = found.detail
    if pin is None:
        detail += "; the chain you named, by the receipt's own rule of finality"
        detail += f" ({anchor.finality})"
    elif not independent:
        detail += "; your trust file does not call this chain independent: it raises no level"
    return AnchorOutcome(
        checks=(evidence, Check(id=8, name="chain", ok=found.ok, detail=detail)),
        time=anchor.time if found.ok else None,
        independent=independent,
    )


def _evidence(anchor: CalldataAnchor, origin: str, heads: Sequence[LiveHead]) -> PostedHead:
    """Header to block hash, transaction to header, data to a proved head."""
    header = block_of_transaction(
        anchor.header,
        index=anchor.transaction_index,
        transaction=anchor.transaction,
        nodes=anchor.transaction_proof,
    )
    if header.hash != anchor.block_hash:
        _refuse("anchor-evidence", "the header does not hash to the block hash", "anchor.header")
    if header.number != anchor.block_number:
        what = f"the header is of block {header.number}"
        _refuse("anchor-evidence", what, "anchor.block_number")
    if seconds_text(header.timestamp_s) != anchor.time:
        _refuse("anchor-evidence", "the header states another time", "anchor.time")
    if keccak256(anchor.transaction) != anchor.tx:
        _refuse("anchor-evidence", "the transaction has another hash", "anchor.tx")
    posted = parse_posted(transaction_data(anchor.transaction))
    if posted.origin_hash != sha256(origin.encode()):
        _refuse("anchor-evidence", "the head is of another log", "anchor.transaction")
    if LiveHead(size=posted.size, root=posted.root) not in heads:
        what = f"it holds size {posted.size} with a root that the receipt does not prove"
        _refuse("anchor-evidence", what, "anchor.transaction")
    return posted


def _live(
    anchor: CalldataAnchor, pin: Network, trust: Trust, readers: Sequence[HeadReader]
) -> Finding:
    """By the trust file's own knowledge of the block, else by the endpoints."""
    for block in trust.blocks:
        if (block.chain, block.number) == (anchor.chain, anchor.block_number):
            known = block.hash == anchor.block_hash
            words = "this block as final" if known else "another block at this height"
            return Finding(ok=known, detail=f"your trust file knows {words}")
    question = Question(
        chain=anchor.chain,
        number=anchor.block_number,
        block=Digest(anchor.block_hash),
        finality=pin.finality,
        needed=pin.endpoints,
        keeper=None,
    )
    return ask_all(question, readers)


def _named(anchor: CalldataAnchor, readers: Sequence[HeadReader]) -> Network:
    """What the receipt says, for want of a pin; a majority of endpoints decides."""
    return Network(
        chain=anchor.chain,
        finality=anchor.finality,
        independent=False,
        endpoints=len(readers) // 2 + 1,
    )


def _refuse(code: str, what: str, where: str) -> NoReturn:
    raise BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where=where,
        do="fetch the receipt again; if it stays so, keep it as evidence against the log",
    )
