"""Transactions from their JSON: the bytes that are hashed, for every type that a block may hold."""

from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak

from bridge.chain.calldata import transaction_bytes

KEY = b"\x01" * 32
TO = "0x" + "12" * 20
ACCESS = [{"address": TO, "storageKeys": ["0x" + "00" * 31 + "07"]}]
PLAIN = {"nonce": 3, "gas": 21000, "to": TO, "value": 7, "data": "0x0102", "chainId": 1}
DYNAMIC = {**PLAIN, "type": 2, "maxFeePerGas": 9, "maxPriorityFeePerGas": 1}


def _json(fields: dict[str, Any], signed: Any) -> dict[str, Any]:
    """As a node shows it: quantities in hexadecimal without leading zeros."""
    shown: dict[str, Any] = {
        name: hex(value) if isinstance(value, int) else value for name, value in fields.items()
    }
    shown["input"] = shown.pop("data")
    return shown | {"v": hex(signed.v), "r": hex(signed.r), "s": hex(signed.s)}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({**PLAIN, "gasPrice": 5}, id="legacy"),
        pytest.param({**PLAIN, "gasPrice": 5, "type": 1, "accessList": ACCESS}, id="eip-2930"),
        pytest.param({**DYNAMIC, "accessList": ACCESS}, id="eip-1559"),
        pytest.param({**DYNAMIC, "to": ""}, id="creation"),
    ],
)
def test_signed_bytes_come_back(fields: dict[str, Any]) -> None:
    """The same bytes as the library that signed them."""
    signed = Account.sign_transaction(fields, KEY)

    assert transaction_bytes(_json(fields, signed)) == bytes(signed.raw_transaction)


def test_set_code_transaction_hashes_to_its_name() -> None:
    """EIP-7702, with an authorisation."""
    authorization = Account.sign_authorization({"chainId": 1, "address": TO, "nonce": 4}, KEY)
    fields = {**DYNAMIC, "type": 4, "authorizationList": [authorization]}
    signed = Account.sign_transaction(fields, KEY)
    shown = _json({name: fields[name] for name in fields if name != "authorizationList"}, signed)
    shown["authorizationList"] = [
        {
            "chainId": "0x1",
            "address": TO,
            "nonce": "0x4",
            "yParity": hex(authorization.y_parity),
            "r": hex(authorization.r),
            "s": hex(authorization.s),
        }
    ]

    raw = transaction_bytes(shown)

    assert raw == bytes(signed.raw_transaction)
    assert keccak(raw) == signed.hash
    assert TypedTransaction.from_bytes(signed.raw_transaction).transaction_type == 4


def test_blob_transaction_stands_in_the_block_without_its_blobs() -> None:
    """EIP-4844: the fields of the network form's first part."""
    shown = {
        **{name: hex(value) for name, value in DYNAMIC.items() if isinstance(value, int)},
        "type": "0x3",
        "to": TO,
        "input": "0x",
        "maxFeePerBlobGas": "0x5",
        "yParity": "0x1",
        "blobVersionedHashes": ["0x01" + "22" * 31],
        "r": "0x11",
        "s": "0x12",
        "v": "0x1",
    }
    to, blob = b"\x12" * 20, b"\x01" + b"\x22" * 31

    expected = [b"\1", b"\3", b"\1", b"\x09", b"\x52\x08", to, b"\7", b"", [], b"\5", [blob]]
    assert transaction_bytes(shown) == b"\x03" + rlp.encode([*expected, b"\1", b"\x11", b"\x12"])


def test_deposit_of_a_rollup_has_its_own_form() -> None:
    """OP-stack, type 0x7e: sourceHash, from, to, mint, value, gas, isSystemTx, data."""
    shown = {
        "type": "0x7e",
        "sourceHash": "0x" + "33" * 32,
        "from": TO,
        "to": TO,
        "mint": "0x0",
        "value": "0x0",
        "gas": "0xf4240",
        "isSystemTx": False,
        "input": "0x0a",
    }
    account = b"\x12" * 20

    fields = [b"\x33" * 32, account, account, b"", b"", b"\x0f\x42\x40", b"", b"\x0a"]
    assert transaction_bytes(shown) == b"\x7e" + rlp.encode(fields)


def test_unknown_type_is_said() -> None:
    """So that `_encoded` knows that it does not know."""
    with pytest.raises(KeyError):
        transaction_bytes({"type": "0x7f"})
