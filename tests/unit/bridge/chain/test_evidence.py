"""Headers and receipts as they are hashed, from the JSON that nodes serve."""

from typing import Any

import pytest
import rlp
from eth_utils.crypto import keccak

from bridge.chain.evidence import header_rlp, proved, receipt_bytes
from bridge.chain.trie import proof_of

BLOCK_1 = {
    "number": "0x1",
    "hash": "0x88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6",
    "parentHash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": "0x05a56e2d52c817161883f50c441c3228cfe54d9f",
    "stateRoot": "0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3",
    "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x3ff800000",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x55ba4224",
    "extraData": "0x476574682f76312e302e302f6c696e75782f676f312e342e32",
    "mixHash": "0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59",
    "nonce": "0x539bd4979fef1ec4",
}
"""Ethereum mainnet block 1, as every node serves it."""


def test_first_block_of_mainnet_hashes_to_its_hash() -> None:
    """A published block judges the order of the fields."""
    assert keccak(header_rlp(BLOCK_1)).hex() == BLOCK_1["hash"][2:]


def test_header_that_was_changed_is_refused() -> None:
    """An endpoint that shifts a time stamp gets nothing captured."""
    with pytest.raises(ValueError, match="header"):
        header_rlp({**BLOCK_1, "timestamp": "0x55ba4225"})


@pytest.mark.parametrize("rule", ["ibft2", "qbft"])
def test_seals_of_a_private_chain_are_left_out_of_the_hash(rule: str) -> None:
    """Besu's validators seal over the hash, so the hash is without their seals."""
    head = [bytes(32), [b"\x11" * 20], []]
    hashed = rlp.encode(head if rule == "ibft2" else [*head, b"", []])
    sealed = rlp.encode([*head, b"\0\0\0\1" if rule == "ibft2" else b"\1", [b"\x22" * 65]])
    plain: dict[str, Any] = {**BLOCK_1, "extraData": "0x" + hashed.hex()}
    fields = _fields(plain)
    block = {**plain, "hash": "0x" + keccak(fields).hex(), "extraData": "0x" + sealed.hex()}

    assert header_rlp(block) == fields


def test_state_sync_of_polygon_stands_in_no_trie() -> None:
    """Its nodes show one more receipt at the end of a block than the header's root is over."""
    real = [b"\x02receipt %d" % n for n in range(5)]
    root, nodes = proof_of(real, 2)

    assert proved([*real, b"state sync"], 2, root) == proved(real, 2, root) == nodes


def test_fields_that_a_node_shows_as_null_are_not_there() -> None:
    """Some clients name the fields of later forks before they come."""
    later = {"baseFeePerGas": None, "withdrawalsRoot": None, "requestsHash": None}

    assert header_rlp({**BLOCK_1, **later}) == header_rlp(BLOCK_1)


def test_receipt_carries_its_type_and_a_deposit_its_two_fields() -> None:
    """EIP-2718, and deposits of OP-stack rollups."""
    plain = {"status": "0x1", "cumulativeGasUsed": "0x5208", "logsBloom": "0x00", "logs": []}
    deposit = {**plain, "type": "0x7e", "depositNonce": "0x9", "depositReceiptVersion": "0x1"}

    assert rlp.decode(receipt_bytes(plain)) == [b"\1", b"\x52\x08", b"\0", []]
    assert receipt_bytes({**plain, "type": "0x2"}) == b"\2" + receipt_bytes(plain)
    assert rlp.decode(receipt_bytes(deposit)[1:])[4:] == [b"\x09", b"\x01"]


def _fields(block: dict[str, Any]) -> bytes:
    """RLP of the fifteen first fields, whatever the hash."""
    try:
        return header_rlp({**block, "hash": "0x" + "00" * 32})
    except ValueError:
        parts = rlp.decode(header_rlp(BLOCK_1))
        parts[12] = bytes.fromhex(block["extraData"][2:])
        return bytes(rlp.encode(parts))
