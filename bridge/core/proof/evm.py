"""What an EVM block proves without its node: header, transaction receipt, one `Anchored` event.

Sources: https://ethereum.github.io/yellowpaper/ s4.3 (header) and s4.3.1 (receipt), EIP-2718
(typed receipts), EIP-658 (status), docs/spec/anchor.md.
"""

from dataclasses import dataclass
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.keccak import Keccak, keccak256
from bridge.core.proof.rlp import Item, decode, number

__all__ = [
    "ANCHORED",
    "Anchored",
    "BlockHeader",
    "Event",
    "TransactionReceipt",
    "find_anchored",
    "parse_header",
    "parse_transaction_receipt",
]

ANCHORED = keccak256(b"Anchored(bytes32,uint64,uint64,bytes32,bytes32)")
"""Topic 0 of the event that `CheckpointAnchor.anchor` writes."""
_RECEIPT_TYPES = frozenset({1, 2, 3, 4})
"""EIP-2930, EIP-1559, EIP-4844, EIP-7702: all have the four fields of the first receipts."""
_HEADER_FIELDS = 15
"""Since the first block. London added the base fee, Shanghai the withdrawals root, Cancun three
fields, Prague the requests hash; each is appended, so what comes after is kept and not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """The fields of a block header that evidence rests on."""

    hash: Digest
    """Keccak-256 of the bytes: the block hash."""
    parent: bytes
    transactions_root: Digest
    receipts_root: Digest
    number: int
    timestamp_s: int
    """Seconds since 1970 as the block's proposer wrote them."""
    later: tuple[Item, ...]
    """Fields of London and after, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One log entry of a transaction receipt."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionReceipt:
    """What became of one transaction."""

    type: int
    succeeded: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """The event: this log had this size and root when the block was made."""

    log_id: bytes
    sequence: int
    size: int
    root: Digest
    previous: Digest
    position: int
    """Among the events of its transaction, from 0."""


def parse_header(data: bytes, keccak: Keccak = keccak256) -> BlockHeader:
    """Decode a block header of any fork.

    Args:
        data: the RLP bytes whose Keccak-256 is the block hash. Chains that hash a header without
            its seals (IBFT 2.0, QBFT) are captured in that form.
        keccak: `keccak256`, or one that has hashed these bytes beside others.

    Raises:
        BridgeError: `rlp-form` or `header-form`.
    """
    fields = decode(data, where="block header")
    if isinstance(fields, bytes) or len(fields) < _HEADER_FIELDS:
        _refuse("header-form", f"a header is a list of at least {_HEADER_FIELDS} fields", "header")
    return BlockHeader(
        hash=keccak(data),
        parent=_fixed(fields[0], 32, "header parentHash"),
        transactions_root=Digest(_fixed(fields[4], 32, "header transactionsRoot")),
        receipts_root=Digest(_fixed(fields[5], 32, "header receiptsRoot")),
        number=number(fields[8], where="header number"),
        timestamp_s=number(fields[11], where="header timestamp", max_size=5),
        later=fields[_HEADER_FIELDS:],
    )


def parse_transaction_receipt(data: bytes) -> TransactionReceipt:
    """Decode the consensus encoding of a transaction receipt, with its type byte if it has one.

    Raises:
        BridgeError: `rlp-form` or `transaction-receipt-form`; also for receipts from before
            Byzantium, which state no success.
    """
    kind = data[0] if data and data[0] < 0x80 else 0
    if kind not in _RECEIPT_TYPES and data[:1] and data[0] < 0x80:
        _receipt_form(f"type 0x{kind:02x} is not one of 0x01 to 0x04")
    fields = decode(data[1:] if kind else data, where="transaction receipt")
    if isinstance(fields, bytes) or len(fields) != 4:
        _receipt_form("a receipt is a list of status, gas, bloom and logs")
    status, _, _, logs = fields
    if status not in (b"", b"\x01"):
        _receipt_form("the status is neither 0 nor 1")
    if isinstance(logs, bytes):
        _receipt_form("the logs are not a list")
    return TransactionReceipt(
        type=kind, succeeded=status == b"\x01", events=tuple(_event(log) for log in logs)
    )


def find_anchored(receipt: TransactionReceipt, *, address: bytes, log_id: bytes) -> Anchored:
    """The one `Anchored` event of this log from this contract in a transaction that succeeded.

    Raises:
        BridgeError: `event-missing` when the transaction failed or no event fits, `event-twice`
            when more than one does: two heads in one transaction leave open which one counts.
    """
    if not receipt.succeeded:
        _refuse("event-missing", "the transaction failed on the chain", "receipt status")
    found = [
        (position, event)
        for position, event in enumerate(receipt.events)
        if event.address == address and event.topics[:2] == (ANCHORED, log_id)
    ]
    if not found:
        _refuse("event-missing", "no Anchored event of this log and contract", "receipt logs")
    if len(found) > 1:
        _refuse("event-twice", f"{len(found)} Anchored events of this log", "receipt logs")
    position, event = found[0]
    if len(event.topics) != 3 or len(event.data) != 96:
        _refuse("event-form", "Anchored has 3 topics and 96 bytes of data", "receipt logs")
    return Anchored(
        log_id=log_id,
        sequence=_uint64(event.topics[2], "Anchored sequence"),
        size=_uint64(event.data[:32], "Anchored size"),
        root=Digest(event.data[32:64]),
        previous=Digest(event.data[64:]),
        position=position,
    )


def _event(log: Item) -> Event:
    if isinstance(log, bytes) or len(log) != 3:
        _receipt_form("a log is a list of address, topics and data")
    address, topics, data = log
    if isinstance(topics, bytes) or len(topics) > 4 or not isinstance(data, bytes):
        _receipt_form("a log has at most 4 topics and a byte string of data")
    return Event(
        address=_fixed(address, 20, "log address"),
        topics=tuple(_fixed(topic, 32, "log topic") for topic in topics),
        data=data,
    )


def _fixed(item: Item, size: int, where: str) -> bytes:
    if not isinstance(item, bytes) or len(item) != size:
        _refuse("evm-field", f"{size} bytes are expected", where)
    return item


def _uint64(word: bytes, where: str) -> int:
    value = int.from_bytes(word)
    if value >= 1 << 64:
        _refuse("evm-field", "the number exceeds 64 bits", where)
    return value


def _receipt_form(what: str) -> NoReturn:
    _refuse("transaction-receipt-form", what, "transaction receipt")


def _refuse(code: str, what: str, where: str) -> NoReturn:
    raise BridgeError(
        code,
        Fault.SENDER,
        what=what,
        where=where,
        do="take the chain evidence from an unaltered receipt or fetch it anew from a node",
    )
