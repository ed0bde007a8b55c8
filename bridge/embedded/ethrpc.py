"""The dev chain's JSON-RPC methods: parameters in, results in the form of the Ethereum API out.

Source: https://ethereum.github.io/execution-apis/ and, for error texts, geth.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI
from eth.exceptions import Revert, VMError
from eth_utils.exceptions import ValidationError

from bridge.embedded.ethjson import Answer, header_json, hexed, receipt_json, transaction_json
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
            transaction_json(block, index, transaction) if full else hexed(transaction.hash)
            for index, transaction in enumerate(block.transactions)
        ]
        return {
            **header_json(block.header),
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
        return hexed(self._chain.code(_data(address, 20), self._header(tag)))

    def _storage(self, address: str, slot: str, tag: str = "latest") -> Answer:
        word = self._chain.storage(_data(address, 20), _number(slot), self._header(tag))
        return hexed(word.to_bytes(32))

    # Execution

    def _call(self, call: dict[str, str], tag: str = "latest") -> Answer:
        computation = self._chain.call(_call_of(call), self._header(tag))
        if computation.is_error:
            raise _reverted(computation.error)
        return hexed(computation.output)

    def _estimate(self, call: dict[str, str], _tag: str = "latest") -> Answer:
        try:
            return hex(self._chain.estimate(_call_of(call)))
        except VMError as error:
            raise _reverted(error) from error

    def _send(self, raw: str) -> Answer:
        return hexed(self._chain.send(_data(raw)))

    # Transactions

    def _transaction(self, tx_hash: str) -> Answer:
        found = self._chain.find(_data(tx_hash, 32))
        return found and transaction_json(found.block, found.index, found.transaction)

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
            answers.append(receipt_json(located, gas_before=before, logs_before=logs))
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
    return RpcError(3, f"execution reverted{reason}", hexed(output))


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
