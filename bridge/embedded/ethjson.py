"""Blocks, transactions and receipts of the dev chain in the form of the Ethereum API.

Source: https://ethereum.github.io/execution-apis/.
"""

from typing import Any

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth_utils.crypto import keccak

from bridge.embedded.evmchain import CHAIN_ID, Located

__all__ = ["Answer", "header_json", "hexed", "receipt_json", "transaction_json"]

Answer = Any


def header_json(header: BlockHeaderAPI) -> dict[str, Answer]:
    """A block header, as `eth_getBlockByNumber` gives it without its transactions."""
    fields = header.as_dict()
    return {
        "number": hex(header.block_number),
        "hash": hexed(header.hash),
        "parentHash": hexed(header.parent_hash),
        "sha3Uncles": hexed(header.uncles_hash),
        "miner": hexed(header.coinbase),
        "stateRoot": hexed(header.state_root),
        "transactionsRoot": hexed(header.transaction_root),
        "receiptsRoot": hexed(header.receipt_root),
        "logsBloom": hexed(header.bloom.to_bytes(256)),
        "difficulty": hex(header.difficulty),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": hexed(header.extra_data),
        "mixHash": hexed(header.mix_hash),
        "nonce": hexed(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "withdrawalsRoot": hexed(fields["withdrawals_root"]),
        "blobGasUsed": hex(fields["blob_gas_used"]),
        "excessBlobGas": hex(fields["excess_blob_gas"]),
        "parentBeaconBlockRoot": hexed(fields["parent_beacon_block_root"]),
        "requestsHash": hexed(fields["requests_hash"]),
    }


def transaction_json(block: BlockAPI, index: int, transaction: SignedTransactionAPI) -> Answer:
    """A mined transaction of any type, as `eth_getTransactionByHash` gives it."""
    kind = transaction.type_id or 0
    answer: dict[str, Answer] = {
        "blockHash": hexed(block.hash),
        "blockNumber": hex(block.number),
        "transactionIndex": hex(index),
        "hash": hexed(transaction.hash),
        "type": hex(kind),
        "from": hexed(transaction.sender),
        "to": hexed(transaction.to) if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas),
        "value": hex(transaction.value),
        "input": hexed(transaction.data),
        "chainId": hex(CHAIN_ID),
        "gasPrice": hex(_gas_price(block, transaction)),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "v": hex(transaction.y_parity if kind else transaction.v),  # type: ignore[attr-defined]  # legacy only
    }
    if kind:
        answer["yParity"] = hex(transaction.y_parity)
        answer["accessList"] = [
            {"address": hexed(address), "storageKeys": [hexed(key.to_bytes(32)) for key in keys]}
            for address, keys in transaction.access_list
        ]
    if kind >= 2:
        answer["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        answer["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return answer


def receipt_json(located: Located, *, gas_before: int, logs_before: int) -> dict[str, Answer]:
    """A receipt, as `eth_getTransactionReceipt` gives it, after so much in its block."""
    block, transaction, receipt = located.block, located.transaction, located.receipt
    place = {
        "blockHash": hexed(block.hash),
        "blockNumber": hex(block.number),
        "transactionHash": hexed(transaction.hash),
        "transactionIndex": hex(located.index),
    }
    created = None
    if not transaction.to:
        created = hexed(keccak(rlp.encode([transaction.sender, transaction.nonce]))[12:])
    return {
        **place,
        "type": hex(transaction.type_id or 0),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "from": hexed(transaction.sender),
        "to": hexed(transaction.to) if transaction.to else None,
        "contractAddress": created,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used - gas_before),
        "effectiveGasPrice": hex(_gas_price(block, transaction)),
        "logsBloom": hexed(receipt.bloom.to_bytes(256)),
        "logs": _logs_json(receipt, place, logs_before, block.header.timestamp),
    }


def _logs_json(
    receipt: ReceiptAPI, place: dict[str, str], logs_before: int, timestamp: int
) -> list[Answer]:
    return [
        {
            **place,
            "blockTimestamp": hex(timestamp),
            "address": hexed(entry.address),
            "topics": [hexed(topic.to_bytes(32)) for topic in entry.topics],
            "data": hexed(entry.data),
            "logIndex": hex(logs_before + number),
            "removed": False,
        }
        for number, entry in enumerate(receipt.logs)
    ]


def _gas_price(block: BlockAPI, transaction: SignedTransactionAPI) -> int:
    base = block.header.base_fee_per_gas or 0
    return min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas)


def hexed(data: bytes) -> str:
    """DATA of the Ethereum JSON-RPC: two digits a byte."""
    return "0x" + data.hex()
