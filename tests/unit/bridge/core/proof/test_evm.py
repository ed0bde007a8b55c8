"""Headers, receipts and the event, on blocks that a real EVM made."""

from typing import Any

import pytest
import rlp

from bridge.core.errors import BridgeError
from bridge.core.proof.evm import (
    ANCHORED,
    Event,
    TransactionReceipt,
    find_anchored,
    parse_header,
    parse_transaction_receipt,
)
from bridge.core.proof.rlp import encode
from tests.mined_block import DATA, LOG_ID, mined

ADDRESS = b"\xaa" * 20


@pytest.fixture
def block() -> Any:
    """Header, receipts and the address of the contract that emits."""
    made, receipts, address = mined()
    return made.header, receipts, address


def test_header_of_a_real_block(block: Any) -> None:
    """Hash, number, time and receipts root are the ones that the EVM computed."""
    header, _, _ = block

    read = parse_header(rlp.encode(header))

    assert (read.hash, read.number) == (header.hash, header.block_number)
    assert (read.timestamp_s, read.receipts_root) == (header.timestamp, header.receipt_root)
    assert read.parent == header.parent_hash


def test_receipts_of_every_type_are_read(block: Any) -> None:
    """A legacy receipt and typed ones are told apart by their first byte."""
    _, receipts, _ = block
    typed = receipts[1].encode()

    types = [parse_transaction_receipt(receipt.encode()).type for receipt in receipts]
    others = [parse_transaction_receipt(bytes([kind]) + typed[1:]).type for kind in (1, 2, 3, 4)]

    assert types == [0, 2, 2]
    assert others == [1, 2, 3, 4]


@pytest.mark.parametrize("fields", [15, 16, 17, 20, 21, 24])
def test_headers_of_every_fork_are_read(fields: int) -> None:
    """What later forks append is kept and changes nothing of what we read."""
    first = [b"\1" * 32, b"\2" * 32, b"\3" * 20, b"\4" * 32, b"\5" * 32, b"\6" * 32, bytes(256)]
    first += [b"", b"\x09", b"\x10", b"", b"\x64\xa0\0\0", b"", bytes(32), bytes(8)]
    later = tuple(bytes([place]) * 4 for place in range(1, fields - 14))

    read = parse_header(encode((*first, *later)))

    assert (read.number, read.timestamp_s, read.receipts_root) == (9, 0x64A00000, b"\6" * 32)
    assert read.later == later


def _receipt(*events: Event, succeeded: bool = True) -> TransactionReceipt:
    return TransactionReceipt(type=2, succeeded=succeeded, events=events)


GOOD = Event(address=ADDRESS, topics=(ANCHORED, LOG_ID, (5).to_bytes(32)), data=DATA)


@pytest.mark.parametrize(
    ("receipt", "code"),
    [
        pytest.param(_receipt(GOOD, succeeded=False), "event-missing", id="failed-transaction"),
        pytest.param(_receipt(), "event-missing", id="no-event"),
        pytest.param(_receipt(GOOD, GOOD), "event-twice", id="two-heads"),
        pytest.param(
            _receipt(Event(address=b"\xbb" * 20, topics=GOOD.topics, data=DATA)),
            "event-missing",
            id="other-contract",
        ),
        pytest.param(
            _receipt(Event(address=ADDRESS, topics=(ANCHORED, b"\x08" * 32), data=DATA)),
            "event-missing",
            id="other-log",
        ),
        pytest.param(
            _receipt(Event(address=ADDRESS, topics=GOOD.topics, data=DATA + b"\0")),
            "event-form",
            id="long-data",
        ),
        pytest.param(
            _receipt(Event(address=ADDRESS, topics=GOOD.topics, data=b"\xff" * 96)),
            "evm-field",
            id="size-over-64-bits",
        ),
    ],
)
def test_event_that_anchors_nothing_is_refused(receipt: TransactionReceipt, code: str) -> None:
    """Only one event, of the pinned contract and log, in a transaction that succeeded, counts."""
    with pytest.raises(BridgeError) as refusal:
        find_anchored(receipt, address=ADDRESS, log_id=LOG_ID)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"\x05\xc0", "type 0x05 is not one of", id="unknown-type"),
        pytest.param(b"\x00\xc0", "is not one of", id="type-zero"),
        pytest.param(b"\x02\xc0", "list of status, gas, bloom and logs", id="no-fields"),
        pytest.param(
            encode((b"\1" * 32, b"\1", bytes(256), ())), "neither 0 nor 1", id="before-byzantium"
        ),
        pytest.param(encode((b"\1", b"\1", bytes(256), b"")), "not a list", id="logs-as-string"),
        pytest.param(
            encode((b"\1", b"\1", bytes(256), ((b"\1" * 20, ()),))),
            "address, topics and data",
            id="short-log",
        ),
        pytest.param(
            encode((b"\1", b"\1", bytes(256), ((b"\1" * 20, (bytes(32),) * 5, b""),))),
            "at most 4 topics",
            id="five-topics",
        ),
    ],
)
def test_malformed_receipt_is_refused(data: bytes, what: str) -> None:
    """A transaction receipt of another shape is refused in one sentence."""
    with pytest.raises(BridgeError, match=what):
        parse_transaction_receipt(data)


def test_short_header_is_refused() -> None:
    """A list of 14 fields is no header of any fork."""
    with pytest.raises(BridgeError, match="at least 15 fields"):
        parse_header(encode((b"",) * 14))
