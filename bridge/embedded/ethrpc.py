"""The dev chain's JSON-RPC methods: parameters in, results in the form of the Ethereum API out.

Source: https://ethereum.github.io/execution-apis/ and, for error texts, geth.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.exceptions import Revert, VMError
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from bridge.embedded.evmchain import CHAIN_ID, Call, EvmChain, Located, Refusal

__all__ = ["NOTICE", "Answerer", "RpcError"]

NOTICE: Final = (
    "fhir-anchor dev chain: one process under one person's control; "
    "its anchors are no evidence to anybody else"
)

# What geth lets one log query span by default in hosted set-ups; a dev chain mines one block a
# transaction, so this is also a bound on the work of one request.
_MAX_LOG_BLOCKS: Final = 10_000
_CALL_GAS: Final = 30_000_000
_MAX_FEE_BLOCKS: Final = 1024
# Error(string), Solidity ABI: how Vyper and Solidity give a revert reason.
_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")

Params = Sequence[Any]
Answer = Any


class RpcError(Exception):
    """A JSON-RPC error object."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        """Keep the three members of JSON-RPC 2.0 s5.1."""
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Answerer:
    """Answers one request at a time."""

    def __init__(self, chain: EvmChain) -> None:
        """Serve this chain."""
        self._chain = chain
        self._methods: dict[str, tuple[int, Callable[..., Answer]]] = {
            "eth_blockNumber": (0, lambda: hex(chain.head.block_number)),
            "eth_call": (2, self._call),
            "eth_chainId": (0, lambda: hex(CHAIN_ID)),
            "eth_estimateGas": (2, self._estimate),
            "eth_feeHistory": (3, self._fee_history),
            "eth_gasPrice": (0, lambda: hex(chain.next_base_fee + 1)),
            "eth_getBalance": (2, self._balance),
            "eth_getBlockByHash": (2, self._block_by_hash),
            "eth_getBlockByNumber": (2, self._block_by_number),
            "eth_getBlockReceipts": (1, self._block_receipts),
            "eth_getCode": (2, self._code),
            "eth_getLogs": (1, self._logs),
            "eth_getStorageAt": (3, self._storage),
            "eth_getTransactionByHash": (1, self._transaction),
            "eth_getTransactionCount": (2, self._nonce),
            "eth_getTransactionReceipt": (1, self._receipt),
            "eth_maxPriorityFeePerGas": (0, lambda: hex(1)),
            "eth_sendRawTransaction": (1, self._send),
            "eth_syncing": (0, lambda: False),
            "fhir_anchor_notice": (0, lambda: NOTICE),
            "net_listening": (0, lambda: True),
            "net_version": (0, lambda: str(CHAIN_ID)),
            "web3_clientVersion": (0, lambda: "fhir-anchor-devchain/1 (no evidence)"),
        }

    def answer(self, method: str, params: Params) -> Answer:
        """The result of one call.

        Raises:
            RpcError: unknown method, wrong parameters, refused transaction or revert.
        """
        found = self._methods.get(method)
        if found is None:
            raise RpcError(-32601, f"the method {method[:64]} does not exist/is not available")
        most, run = found
        if len(params) > most:
            raise RpcError(-32602, f"too many arguments, want at most {most}")
        try:
            return run(*params)
        except Refusal as error:
            raise RpcError(-32000, str(error)) from error
        except (TypeError, ValueError, KeyError, AttributeError, ValidationError) as error:
            raise RpcError(-32602, f"invalid argument: {type(error).__name__}") from error

    # Blocks

    def _header(self, tag: str = "latest") -> BlockHeaderAPI:
        if tag in {"latest", "pending", "safe", "finalized"}:
            return self._chain.head
        block = self._chain.block_at(0 if tag == "earliest" else _number(tag))
        if block is None:
            raise RpcError(-32000, "header not found")
        return block.header

    def _block_by_number(self, tag: str, full: bool = False) -> Answer:  # noqa: FBT001, FBT002 - the wire's own parameter
        if tag in {"latest", "pending", "safe", "finalized"}:
            return self._block(self._chain.block_at(self._chain.head.block_number), full=full)
        return self._block(
            self._chain.block_at(0 if tag == "earliest" else _number(tag)), full=full
        )

    def _block_by_hash(self, block_hash: str, full: bool = False) -> Answer:  # noqa: FBT001, FBT002 - the wire's own parameter
        return self._block(self._chain.block_of(_data(block_hash, 32)), full=full)

    def _block(self, block: BlockAPI | None, *, full: bool) -> Answer:
        if block is None:
            return None
        transactions = [
            _transaction_json(block, index, transaction) if full else _hex(transaction.hash)
            for index, transaction in enumerate(block.transactions)
        ]
        return {
            **_header_json(block.header),
            "size": hex(len(rlp.encode(block))),
            "transactions": transactions,
            "uncles": [],
            "withdrawals": [],
        }

    def _block_receipts(self, tag: str) -> Answer:
        if len(tag) == 66:
            block = self._chain.block_of(_data(tag, 32))
        else:
            block = self._chain.block_at(self._header(tag).block_number)
        if block is None:
            return None
        return self._receipts_json(block)

    def _fee_history(
        self, count: int | str, newest: str = "latest", percentiles: Sequence[float] | None = None
    ) -> Answer:
        last = self._header(newest).block_number
        wanted = _number(count) if isinstance(count, str) else count
        first = max(0, last - min(wanted, _MAX_FEE_BLOCKS) + 1)
        headers = [self._header(hex(number)) for number in range(first, last + 1)]
        fees = [hex(header.base_fee_per_gas or 0) for header in headers]
        return {
            "oldestBlock": hex(first),
            "baseFeePerGas": [*fees, hex(self._chain.next_base_fee)],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
            "reward": [[hex(1) for _ in percentiles or ()] for _ in headers],
        }

    # Accounts

    def _balance(self, address: str, tag: str = "latest") -> Answer:
        return hex(self._chain.balance(_data(address, 20), self._header(tag)))

    def _nonce(self, address: str, tag: str = "latest") -> Answer:
        return hex(self._chain.nonce(_data(address, 20), self._header(tag)))

    def _code(self, address: str, tag: str = "latest") -> Answer:
        return _hex(self._chain.code(_data(address, 20), self._header(tag)))

    def _storage(self, address: str, slot: str, tag: str = "latest") -> Answer:
        word = self._chain.storage(_data(address, 20), _number(slot), self._header(tag))
        return _hex(word.to_bytes(32))

    # Execution

    def _call(self, call: dict[str, str], tag: str = "latest") -> Answer:
        computation = self._chain.call(_call_of(call), self._header(tag))
        if computation.is_error:
            raise _reverted(computation.error)
        return _hex(computation.output)

    def _estimate(self, call: dict[str, str], _tag: str = "latest") -> Answer:
        try:
            return hex(self._chain.estimate(_call_of(call)))
        except VMError as error:
            raise _reverted(error) from error

    def _send(self, raw: str) -> Answer:
        return _hex(self._chain.send(_data(raw)))

    # Transactions

    def _transaction(self, tx_hash: str) -> Answer:
        found = self._chain.find(_data(tx_hash, 32))
        return found and _transaction_json(found.block, found.index, found.transaction)

    def _receipt(self, tx_hash: str) -> Answer:
        found = self._chain.find(_data(tx_hash, 32))
        return found and self._receipts_json(found.block)[found.index]

    def _receipts_json(self, block: BlockAPI) -> list[dict[str, Answer]]:
        answers = []
        before, logs = 0, 0
        for index, receipt in enumerate(self._chain.receipts_of(block)):
            located = Located(
                block=block, index=index, transaction=block.transactions[index], receipt=receipt
            )
            answers.append(_receipt_json(located, gas_before=before, logs_before=logs))
            before, logs = receipt.gas_used, logs + len(receipt.logs)
        return answers

    def _logs(self, query: dict[str, Any]) -> Answer:
        if "blockHash" in query:
            block = self._chain.block_of(_data(query["blockHash"], 32))
            blocks = [block]
        else:
            first = self._header(query.get("fromBlock", "latest")).block_number
            last = self._header(query.get("toBlock", "latest")).block_number
            if last - first >= _MAX_LOG_BLOCKS:
                raise RpcError(-32005, f"query spans more than {_MAX_LOG_BLOCKS} blocks")
            blocks = [self._chain.block_at(number) for number in range(first, last + 1)]
        return [
            entry
            for block in blocks
            if block is not None and block.header.bloom
            for receipt in self._receipts_json(block)
            for entry in receipt["logs"]
            if _log_matches(entry, query)
        ]


def _header_json(header: BlockHeaderAPI) -> dict[str, Answer]:
    fields = header.as_dict()
    return {
        "number": hex(header.block_number),
        "hash": _hex(header.hash),
        "parentHash": _hex(header.parent_hash),
        "sha3Uncles": _hex(header.uncles_hash),
        "miner": _hex(header.coinbase),
        "stateRoot": _hex(header.state_root),
        "transactionsRoot": _hex(header.transaction_root),
        "receiptsRoot": _hex(header.receipt_root),
        "logsBloom": _hex(header.bloom.to_bytes(256)),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": _hex(header.extra_data),
        "mixHash": _hex(header.mix_hash),
        "nonce": _hex(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "withdrawalsRoot": _hex(fields["withdrawals_root"]),
        "blobGasUsed": hex(fields["blob_gas_used"]),
        "excessBlobGas": hex(fields["excess_blob_gas"]),
        "parentBeaconBlockRoot": _hex(fields["parent_beacon_block_root"]),
        "requestsHash": _hex(fields["requests_hash"]),
    }


def _transaction_json(block: BlockAPI, index: int, transaction: SignedTransactionAPI) -> Answer:
    kind = transaction.type_id or 0
    answer: dict[str, Answer] = {
        "blockHash": _hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(index),
        "hash": _hex(transaction.hash),
        "type": hex(kind),
        "from": _hex(transaction.sender),
        "to": _hex(transaction.to) if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
        "input": _hex(transaction.data),
        "chainId": hex(CHAIN_ID),
        "gasPrice": hex(_gas_price(block, transaction)),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "v": hex(transaction.y_parity if kind else transaction.v),  # type: ignore[attr-defined]  # legacy only
    }
    if kind:
        answer["yParity"] = hex(transaction.y_parity)
        answer["accessList"] = [
            {"address": _hex(address), "storageKeys": [_hex(key.to_bytes(32)) for key in keys]}
            for address, keys in transaction.access_list
        ]
    if kind >= 2:
        answer["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        answer["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return answer


def _receipt_json(located: Located, *, gas_before: int, logs_before: int) -> dict[str, Answer]:
    block, transaction, receipt = located.block, located.transaction, located.receipt
    place = {
        "blockHash": _hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionHash": _hex(transaction.hash),
        "transactionIndex": hex(located.index),
    }
    created = None
    if not transaction.to:
        created = _hex(keccak(rlp.encode([transaction.sender, transaction.nonce]))[12:])
    return {
        **place,
        "type": hex(transaction.type_id or 0),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "from": _hex(transaction.sender),
        "to": _hex(transaction.to) if transaction.to else None,
        "contractAddress": created,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - gas_before),
        "effectiveGasPrice": hex(_gas_price(block, transaction)),
        "logsBloom": _hex(receipt.bloom.to_bytes(256)),
        "logs": _logs_json(receipt, place, logs_before, block.header.timestamp),
    }


def _logs_json(
    receipt: ReceiptAPI, place: dict[str, str], logs_before: int, timestamp: int
) -> list[Answer]:
    return [
        {
            **place,
            "blockTimestamp": hex(timestamp),
            "address": _hex(entry.address),
            "topics": [_hex(topic.to_bytes(32)) for topic in entry.topics],
            "data": _hex(entry.data),
            "logIndex": hex(logs_before + number),
            "removed": False,
        }
        for number, entry in enumerate(receipt.logs)
    ]


def _log_matches(entry: dict[str, Any], query: dict[str, Any]) -> bool:
    addresses = query.get("address")
    if isinstance(addresses, str):
        addresses = [addresses]
    if addresses and entry["address"] not in {address.lower() for address in addresses}:
        return False
    topics = query.get("topics") or []
    if len(topics) > len(entry["topics"]):
        return False
    pairs = zip(topics, entry["topics"], strict=False)
    return all(
        wanted is None or found in ([wanted] if isinstance(wanted, str) else wanted)
        for wanted, found in pairs
    )


def _gas_price(block: BlockAPI, transaction: SignedTransactionAPI) -> int:
    base = block.header.base_fee_per_gas or 0
    return min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas)


def _call_of(call: dict[str, str]) -> Call:
    return Call(
        sender=_data(call.get("from", "0x" + "00" * 20), 20),
        to=_data(call["to"], 20) if call.get("to") else b"",
        data=_data(call.get("input", call.get("data", "0x"))),
        value=_number(call.get("value", "0x0")),
        gas=min(_number(call.get("gas", hex(_CALL_GAS))), _CALL_GAS),
    )


def _reverted(error: VMError) -> RpcError:
    if not isinstance(error, Revert):
        return RpcError(-32000, str(error) or type(error).__name__)
    output = error.args[0] if error.args else b""
    reason = ""
    if output[:4] == _ERROR_SELECTOR and len(output) >= 68:
        length = int.from_bytes(output[36:68])
        reason = ": " + output[68 : 68 + length].decode("utf-8", "replace")
    return RpcError(3, f"execution reverted{reason}", _hex(output))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _data(text: str, size: int | None = None) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(text)
    data = bytes.fromhex(text[2:])
    if size is not None and len(data) != size:
        raise ValueError(text)
    return data


def _number(text: str) -> int:
    if not text.startswith("0x") or len(text) > 66:
        raise ValueError(text)
    return int(text, 16)
