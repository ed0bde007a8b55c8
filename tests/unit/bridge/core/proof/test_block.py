"""Receipts and transactions in a block that a real EVM made."""

import pytest
import rlp

from bridge.core.errors import BridgeError
from bridge.core.proof.block import block_of_receipt, block_of_transaction
from bridge.core.proof.evm import find_anchored, parse_transaction_receipt
from bridge.core.proof.trie import MAX_NODES
from tests.mined_block import LOG_ID, mined, nodes_to


def test_anchor_is_proved_from_header_to_event() -> None:
    """Header, receipt-trie proof and event together give the anchored size and root."""
    made, receipts, address = mined()
    raw = receipts[1].encode()

    block = block_of_receipt(
        rlp.encode(made.header), index=1, receipt=raw, nodes=nodes_to(receipts, 1)
    )
    event = find_anchored(parse_transaction_receipt(raw), address=address, log_id=LOG_ID)

    assert (block.hash, block.number) == (made.header.hash, 2)
    assert (event.sequence, event.size, event.position) == (5, 41, 0)
    assert (event.root, event.previous) == (b"\x21" * 32, b"\x22" * 32)


def test_transaction_is_proved_by_its_own_trie() -> None:
    """The header names two tries; what stands in one is not in the other."""
    made, receipts, _ = mined()
    header, raw = rlp.encode(made.header), made.transactions[1].encode()
    nodes = nodes_to(made.transactions, 1)

    block = block_of_transaction(header, index=1, transaction=raw, nodes=nodes)

    assert block.hash == made.header.hash
    with pytest.raises(BridgeError, match="names by hash"):
        block_of_receipt(header, index=1, receipt=raw, nodes=nodes)
    with pytest.raises(BridgeError, match="names by hash"):
        block_of_transaction(
            header, index=1, transaction=receipts[1].encode(), nodes=nodes_to(receipts, 1)
        )


def test_proof_of_too_many_nodes_is_refused() -> None:
    """However many a stranger sends, no more than a proof can have are hashed."""
    made, _, _ = mined()

    with pytest.raises(BridgeError, match=f"1 to {MAX_NODES} nodes, found 1000"):
        block_of_receipt(rlp.encode(made.header), index=1, receipt=b"", nodes=[b"\xc0"] * 1000)
