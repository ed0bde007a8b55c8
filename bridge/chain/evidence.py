"""Capture what proves an anchor without its chain: block header and receipt-trie proof.

Nodes prune old receipts, so this is done once, when the block is final, and is checked on the spot
with the verifier of `bridge.core` that strangers run. Built here with other libraries than it is
checked with there. Sources: https://ethereum.github.io/yellowpaper/ s4.3, EIP-2718, EIP-658.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import rlp
from eth_utils.crypto import keccak
from rlp.exceptions import DecodingError

from bridge.chain.endpoint import RpcRefusal
from bridge.chain.rpc import Endpoints
from bridge.chain.trie import proof_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.anchors import EvmAnchor, anchor_value, seconds_text
from bridge.core.proof.block import block_of_receipt
from bridge.core.proof.evm import find_anchored, parse_header, parse_transaction_receipt

__all__ = [
    "Place",
    "capture",
    "header_rlp",
    "located",
    "mismatch",
    "proved",
    "receipt_bytes",
]

_Block = TypeVar("_Block")

# In the order of the header, by the name of the API. What later forks append comes after.
_HASHES: Final = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot")
_FIXED: Final = (
    *((name, False) for name in (*_HASHES, "receiptsRoot", "logsBloom")),
    *((name, True) for name in ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")),
    *((name, False) for name in ("extraData", "mixHash", "nonce")),
)
_LATER: Final = (
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)
# Deposits of OP-stack rollups carry two fields more: https://specs.optimism.io/protocol/deposits.html
_DEPOSIT: Final = 0x7E


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which event counts, and by which rule its block is final."""

    chain: str
    address: str
    code_hash: str
    log_id: bytes
    finality: str


def capture(endpoints: Endpoints, place: Place, tx_hash: bytes) -> bytes:
    """The receipt's `anchors` entry for a mined anchor, as JSON.

    Raises:
        BridgeError: `evidence-mismatch` when parts do not hash to each other, `evidence-gone`
            when the transaction is in no canonical block.
    """
    block_hash, index, (header, hashes) = located(
        endpoints, tx_hash, whole=False, read=_checked_header
    )
    encoded = _receipts(endpoints, block_hash, hashes)
    if hashes[index : index + 1] != [_hex(tx_hash)]:
        raise mismatch("the transaction is not where its receipt says", block_hash)
    try:
        proof = proved(encoded, index, parse_header(header).receipts_root)
        anchor = _verified(place, tx_hash, header, index, encoded[index], proof)
    except BridgeError as error:
        raise mismatch(error.what, block_hash) from error
    return msgspec.json.encode(anchor_value(anchor))


def located(
    endpoints: Endpoints, tx_hash: bytes, *, whole: bool, read: Callable[[Any], _Block | None]
) -> tuple[str, int, _Block]:
    """The hash of the transaction's block, its place there, and the block.

    Args:
        endpoints: who is asked.
        tx_hash: of the transaction.
        whole: whether the block comes with its transactions or with their hashes alone.
        read: takes the block out of the answer of one endpoint; None where it has none.

    Raises:
        BridgeError: `evidence-gone` when the transaction is in no canonical block.
    """
    place = endpoints.ask("eth_getTransactionReceipt", _hex(tx_hash), read=_place)
    if place is None:
        raise _gone(tx_hash)
    block = endpoints.ask("eth_getBlockByHash", place[0], whole, read=read)
    if block is None:
        raise _gone(tx_hash)
    return *place, block


def proved(encoded: Sequence[bytes], index: int, root: bytes) -> tuple[bytes, ...]:
    """The nodes down to a receipt or transaction, in the trie that the header names if it is one.

    Polygon's nodes show a transaction and a receipt for each state sync at the end of a block. They
    are in no trie: https://docs.polygon.technology/pos/architecture/bor/state-sync/
    """
    whole, proof = proof_of(encoded, index)
    if whole != root and index < len(encoded) - 1:
        rest, without = proof_of(encoded[:-1], index)
        if rest == root:
            return without
    return proof


def _verified(
    place: Place, tx_hash: bytes, header: bytes, index: int, receipt: bytes, proof: Sequence[bytes]
) -> EvmAnchor:
    """The anchor, after the checks that a stranger's verifier will make (check 8)."""
    block = block_of_receipt(header, index=index, receipt=receipt, nodes=proof)
    address = bytes.fromhex(place.address[2:])
    event = find_anchored(parse_transaction_receipt(receipt), address=address, log_id=place.log_id)
    return EvmAnchor(
        chain=place.chain,
        address=address,
        code_hash=bytes.fromhex(place.code_hash[2:]),
        log_id=place.log_id,
        tx=tx_hash,
        block_number=block.number,
        block_hash=block.hash,
        time=seconds_text(block.timestamp_s),
        finality=place.finality,
        header=header,
        receipt_index=index,
        receipt=receipt,
        receipt_proof=tuple(proof),
        log_position=event.position,
    )


def header_rlp(block: dict[str, Any]) -> bytes:
    """The bytes whose Keccak-256 is the block's hash.

    Raises:
        ValueError: when no known form of header hashes to it.
    """
    fields = [_field(block[name], number=number) for name, number in _FIXED]
    later = [(block.get(name), number) for name, number in _LATER]
    fields += [_field(value, number=number) for value, number in later if value is not None]
    for extra in _extra_forms(fields[12]):
        header: bytes = rlp.encode([*fields[:12], extra, *fields[13:]])
        if _hex(keccak(header)) == block["hash"]:
            return header
    raise ValueError("header")


def receipt_bytes(receipt: dict[str, Any]) -> bytes:
    """The consensus encoding of a receipt from its JSON form, EIP-2718 type byte included."""
    kind = int(receipt.get("type", "0x0"), 16)
    parts: list[Any] = [
        _field(receipt["status"], number=True),
        _field(receipt["cumulativeGasUsed"], number=True),
        _field(receipt["logsBloom"], number=False),
        [_log(log) for log in receipt["logs"]],
    ]
    if kind == _DEPOSIT:
        names = ("depositNonce", "depositReceiptVersion")
        extra = [receipt.get(name) for name in names]
        parts += [_field(value, number=True) for value in extra if value is not None]
    body: bytes = rlp.encode(parts)
    return (bytes([kind]) if kind else b"") + body


def _extra_forms(extra: bytes) -> Iterator[bytes]:
    """The header's extraData as it is hashed.

    IBFT 2.0 and QBFT (Besu) hash it without the seals that are gathered over that very hash:
    https://besu.hyperledger.org/private-networks/how-to/configure/consensus/qbft
    """
    yield extra
    try:
        parts = rlp.decode(extra)
    except DecodingError:
        return
    if isinstance(parts, list) and len(parts) == 5:
        yield rlp.encode(parts[:3])
        yield rlp.encode([*parts[:3], b"", []])


def _receipts(endpoints: Endpoints, block_hash: str, hashes: Sequence[str]) -> list[bytes]:
    """All receipts of the block as they are hashed; one by one where a node has no bulk method."""
    receipts = endpoints.ask("eth_getBlockReceipts", block_hash, read=_receipt_list)
    if receipts is None:
        receipts = [
            endpoints.ask("eth_getTransactionReceipt", tx_hash, read=receipt_bytes)
            for tx_hash in hashes
        ]
    if len(receipts) != len(hashes):
        raise mismatch("the block's receipts are not as many as its transactions", block_hash)
    return receipts


def _place(receipt: dict[str, Any] | None) -> tuple[str, int] | None:
    if receipt is None:
        return None
    return receipt["blockHash"], int(receipt["transactionIndex"], 16)


def _checked_header(block: dict[str, Any] | None) -> tuple[bytes, list[str]] | None:
    if block is None:
        return None
    return header_rlp(block), list(block["transactions"])


def _receipt_list(answer: Any) -> list[bytes] | None:  # noqa: ANN401 - any JSON
    if answer is None or isinstance(answer, RpcRefusal):
        return None
    return [receipt_bytes(receipt) for receipt in answer]


def _log(log: dict[str, Any]) -> list[Any]:
    return [
        bytes.fromhex(log["address"][2:]),
        [bytes.fromhex(topic[2:]) for topic in log["topics"]],
        bytes.fromhex(log["data"][2:]),
    ]


def _field(text: str, *, number: bool) -> bytes:
    if not number:
        return bytes.fromhex(text[2:])
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8)


def _gone(tx_hash: bytes) -> BridgeError:
    """Why there is no evidence: the transaction is in no block."""
    return BridgeError(
        "evidence-gone",
        Fault.PEER,
        what="the transaction is in no block that the endpoints know",
        where=_hex(tx_hash),
        do="nothing: it is looked for again, and sent again if its block was reorganised away",
    )


def mismatch(what: str, where: str) -> BridgeError:
    """Why there is none: the endpoints' parts do not hash to each other."""
    return BridgeError(
        "evidence-mismatch",
        Fault.PEER,
        what=what,
        where=f"block {where}",
        do="ask other endpoints: these give parts of different blocks",
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
