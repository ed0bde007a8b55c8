"""A block that a real EVM made: two plain transfers, and an `Anchored` event between them."""

from functools import lru_cache
from typing import Any

import rlp
from eth.db.trie import make_trie_root_and_nodes
from eth_tester import EthereumTester, PyEVMBackend
from trie.hexary import HexaryTrie

from bridge.core.proof.evm import ANCHORED

__all__ = ["DATA", "LOG_ID", "mined", "nodes_to"]

LOG_ID = b"\x07" * 32
# Emits LOG3(topics Anchored, LOG_ID, 5) with its 96 bytes of call data.
EMITTER = (
    bytes.fromhex("60606000600037" + "6005" + "7f")
    + LOG_ID
    + b"\x7f"
    + ANCHORED
    + bytes.fromhex("60606000a300")
)
DATA = (41).to_bytes(32) + b"\x21" * 32 + b"\x22" * 32


@lru_cache
def mined() -> tuple[Any, Any, bytes]:
    """The block of a Prague chain, its receipts, and the address of the contract that emits."""
    tester = EthereumTester(PyEVMBackend())
    account, second, third = tester.get_accounts()[:3]
    size = len(EMITTER)
    creation = bytes([0x60, size, 0x80, 0x60, 0x0B, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + EMITTER
    created = tester.send_transaction(
        {"from": account, "gas": 500_000, "data": "0x" + creation.hex()}
    )
    address = tester.get_transaction_receipt(created)["contract_address"]
    tester.disable_auto_mine_transactions()
    transfer = {"to": account, "gas": 21_000, "value": 1}
    anchor = {"from": second, "to": address, "gas": 100_000, "data": "0x" + DATA.hex()}
    tester.send_transaction({**transfer, "from": account, "gas_price": 2 * 10**9})
    tester.send_transaction(anchor)
    tester.send_transaction({**transfer, "from": third})
    tester.mine_block()
    chain = tester.backend.chain
    made = chain.get_canonical_block_by_number(2)
    return made, made.get_receipts(chain.chaindb), bytes.fromhex(address[2:])


def nodes_to(values: Any, index: int) -> list[bytes]:
    """The nodes down to one of the receipts or transactions, of the reference library's trie."""
    root, nodes = make_trie_root_and_nodes(values)
    trie: Any = HexaryTrie(dict(nodes), root)
    return [rlp.encode(node) for node in trie.get_proof(rlp.encode(index))]
