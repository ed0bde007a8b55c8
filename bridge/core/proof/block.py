"""One receipt or transaction in its block: the header, and the trie that the header names."""

from collections.abc import Sequence

from bridge.core.proof.evm import BlockHeader, parse_header
from bridge.core.proof.keccak import side_by_side
from bridge.core.proof.trie import MAX_NODES, verify_trie_proof

__all__ = ["block_of_receipt", "block_of_transaction"]


def block_of_receipt(
    header: bytes, *, index: int, receipt: bytes, nodes: Sequence[bytes]
) -> BlockHeader:
    """The block whose transaction number `index` came to this receipt.

    Args:
        header: RLP of the block header.
        index: the transaction's position in the block.
        receipt: consensus encoding with its type byte (EIP-2718).
        nodes: RLP of the nodes of the receipt trie, from the root down.

    Raises:
        BridgeError: `rlp-form`, `header-form`, `evm-field` or `trie-proof`.
    """
    keccak = side_by_side((header, *nodes[:MAX_NODES]))
    block = parse_header(header, keccak)
    verify_trie_proof(
        root=block.receipts_root, index=index, value=receipt, nodes=nodes, keccak=keccak
    )
    return block


def block_of_transaction(
    header: bytes, *, index: int, transaction: bytes, nodes: Sequence[bytes]
) -> BlockHeader:
    """The block whose transaction number `index` this is; otherwise as `block_of_receipt`."""
    keccak = side_by_side((header, *nodes[:MAX_NODES]))
    block = parse_header(header, keccak)
    verify_trie_proof(
        root=block.transactions_root, index=index, value=transaction, nodes=nodes, keccak=keccak
    )
    return block
