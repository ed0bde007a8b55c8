"""The Chain port where nobody may deploy: each head is the data of a transaction to ourselves.

The chain keeps no newest head, so what was posted last is read from the book of attempts. That is
our own word: against a restored database only the mark file and earlier receipts stand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msgspec
import rlp

from bridge.chain.account import AnchorAccount
from bridge.chain.endpoint import RpcRefusal
from bridge.chain.evidence import Place, header_rlp, located, mismatch, proved
from bridge.chain.evm import EvmChain
from bridge.chain.rows import ChainRow
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.proof.anchors import CalldataAnchor, anchor_value, seconds_text
from bridge.core.proof.block import block_of_transaction
from bridge.core.proof.calldata import PostedHead, encode_posted, parse_posted, transaction_data
from bridge.core.proof.evm import parse_header
from bridge.core.proof.keccak import keccak256
from bridge.ports.chain import AnchoredHead, Inclusion, Payload

__all__ = ["CalldataChain", "transaction_bytes"]

_PRICES: Final = ("maxPriorityFeePerGas", "maxFeePerGas")
_DEPOSIT: Final = 0x7E
"""Of OP-stack rollups: https://specs.optimism.io/protocol/deposits.html."""


class CalldataChain(EvmChain):
    """One log and one account; `contract` is that account's own address, where it sends to."""

    def __init__(
        self,
        endpoints: Endpoints,
        row: ChainRow,
        account: AnchorAccount,
        *,
        origin: str,
        newest: Callable[[], AnchoredHead],
    ) -> None:
        """Touch no network. `newest` is the largest head that stands in a canonical block."""
        super().__init__(
            endpoints, row, account, contract=account.address, code_hash="0x", log_id=b""
        )
        self._origin_hash, self._newest = sha256(origin.encode()), newest

    def find(self, tx_hash: bytes) -> Inclusion | None:
        """Where the transaction is mined, and the head in its data."""
        found = super().find(tx_hash)
        if found is None:
            return None
        data = self._endpoints.ask("eth_getTransactionByHash", _hex(tx_hash), read=_input)
        return replace(found, anchored=self._posted(data))

    def evidence(self, tx_hash: bytes) -> bytes:
        """Header and transaction proof, checked to hash to each other."""
        return _capture(self._endpoints, self._place, tx_hash)

    def _head(self, tag: str) -> AnchoredHead:
        del tag
        return self._newest()

    def _call_data(self, payload: Payload) -> bytes:
        return encode_posted(
            PostedHead(
                origin_hash=self._origin_hash,
                previous=payload.prev_root,
                size=payload.size,
                root=payload.root,
            )
        )

    def _posted(self, data: bytes) -> Payload | None:
        try:
            head = parse_posted(data)
        except BridgeError:
            return None
        return Payload(prev_root=head.previous, size=head.size, root=head.root)


def _capture(endpoints: Endpoints, place: Place, tx_hash: bytes) -> bytes:
    """The receipt's `anchors` entry for a mined head, as JSON.

    Raises:
        BridgeError: as `bridge.chain.evidence.capture`.
    """
    block_hash, index, (header, transactions) = located(
        endpoints, tx_hash, whole=True, read=_whole_block
    )
    if not index < len(transactions) or keccak256(transactions[index]) != tx_hash:
        raise mismatch("the transaction is not where its receipt says", block_hash)
    try:
        nodes = proved(transactions, index, parse_header(header).transactions_root)
        read = block_of_transaction(
            header, index=index, transaction=transactions[index], nodes=nodes
        )
        parse_posted(transaction_data(transactions[index]))
    except BridgeError as error:
        raise mismatch(error.what, block_hash) from error
    anchor = CalldataAnchor(
        chain=place.chain,
        tx=tx_hash,
        block_number=read.number,
        block_hash=read.hash,
        time=seconds_text(read.timestamp_s),
        finality=place.finality,
        header=header,
        transaction_index=index,
        transaction=transactions[index],
        transaction_proof=nodes,
    )
    return msgspec.json.encode(anchor_value(anchor))


def transaction_bytes(tx: dict[str, Any]) -> bytes:
    """The consensus encoding of a transaction from its JSON form, EIP-2718 type byte included.

    Raises:
        LookupError, TypeError, ValueError: for another form, or a type that is not known.
    """
    kind = int(tx.get("type") or "0x0", 16)
    parts = {0: _legacy, 1: _listed, 2: _dynamic, 3: _dynamic, 4: _dynamic, _DEPOSIT: _deposit}
    body: bytes = rlp.encode(parts[kind](tx, kind))
    return (bytes([kind]) if kind else b"") + body


def _legacy(tx: dict[str, Any], _: int) -> list[Any]:
    return [
        *(_number(tx[name]) for name in ("nonce", "gasPrice", "gas")),
        *_target(tx),
        *(_number(tx[name]) for name in ("v", "r", "s")),
    ]


def _listed(tx: dict[str, Any], _: int) -> list[Any]:
    return [
        *(_number(tx[name]) for name in ("chainId", "nonce", "gasPrice", "gas")),
        *_target(tx),
        _access(tx),
        *_signature(tx),
    ]


def _dynamic(tx: dict[str, Any], kind: int) -> list[Any]:
    """EIP-1559, and what EIP-4844 and EIP-7702 put before the signature."""
    more: list[Any] = []
    if kind == 3:
        hashes = [_bytes(one) for one in tx["blobVersionedHashes"]]
        more = [_number(tx["maxFeePerBlobGas"]), hashes]
    elif kind == 4:
        more = [[_authorization(one) for one in tx["authorizationList"]]]
    return [
        *(_number(tx[name]) for name in ("chainId", "nonce", *_PRICES, "gas")),
        *_target(tx),
        _access(tx),
        *more,
        *_signature(tx),
    ]


def _deposit(tx: dict[str, Any], _: int) -> list[Any]:
    return [
        *(_bytes(tx[name]) for name in ("sourceHash", "from")),
        _bytes(tx.get("to") or "0x"),
        *(_number(tx.get(name) or "0x0") for name in ("mint", "value", "gas")),
        b"\x01" if tx.get("isSystemTx") else b"",
        _bytes(tx["input"]),
    ]


def _target(tx: dict[str, Any]) -> list[bytes]:
    return [_bytes(tx.get("to") or "0x"), _number(tx["value"]), _bytes(tx["input"])]


def _access(tx: dict[str, Any]) -> list[Any]:
    listed = tx.get("accessList") or []
    return [[_bytes(one["address"]), [_bytes(key) for key in one["storageKeys"]]] for one in listed]


def _authorization(one: dict[str, Any]) -> list[bytes]:
    return [
        _number(one["chainId"]),
        _bytes(one["address"]),
        _number(one["nonce"]),
        *(_number(one[name]) for name in ("yParity", "r", "s")),
    ]


def _signature(tx: dict[str, Any]) -> list[bytes]:
    parity = tx.get("yParity")
    return [_number(tx["v"] if parity is None else parity), _number(tx["r"]), _number(tx["s"])]


def _whole_block(block: Any) -> tuple[bytes, list[bytes]] | None:  # noqa: ANN401 - any JSON
    if block is None or isinstance(block, RpcRefusal):
        return None
    return header_rlp(block), [_encoded(tx) for tx in block["transactions"]]


def _encoded(tx: dict[str, Any]) -> bytes:
    """What does not hash to its name is of a kind whose form is not known: Polygon's state syncs.

    They stand last and in no trie; `proved` leaves the last one out.
    """
    try:
        raw = transaction_bytes(tx)
    except (LookupError, TypeError, ValueError):
        raw = b""
    return raw if keccak256(raw) == _bytes(tx["hash"]) else b"\x00" + _bytes(tx["hash"])


def _input(tx: dict[str, Any]) -> bytes:
    return _bytes(tx["input"])


def _number(text: str) -> bytes:
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
