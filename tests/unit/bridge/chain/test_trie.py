"""Receipt tries as every Ethereum client builds them."""

import hashlib

import pytest
import rlp
from trie.hexary import HexaryTrie

from bridge.chain.trie import proof_of
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest
from bridge.core.proof.trie import verify_trie_proof


def receipts(count: int, size: int) -> list[bytes]:
    """Distinct values; short ones make nodes that stand inside their parents."""
    return [hashlib.sha256(b"%d" % n).digest()[:size] + bytes(size) for n in range(count)]


@pytest.mark.parametrize("size", [1, 3, 300], ids=["tiny", "small", "real"])
@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 127, 128, 129, 257, 300])
def test_root_is_that_of_the_reference_library(count: int, size: int) -> None:
    """Differential against py-trie at the sizes where keys change their length."""
    values = receipts(count, size)
    reference = HexaryTrie({})
    for number, value in enumerate(values):
        reference[rlp.encode(number)] = value

    root, _ = proof_of(values, count // 2)

    assert root == reference.root_hash


@pytest.mark.parametrize("size", [1, 3, 300], ids=["tiny", "small", "real"])
@pytest.mark.parametrize("count", [1, 2, 16, 129, 257])
def test_proof_passes_the_strangers_verifier(count: int, size: int) -> None:
    """Each place in the block, and no other value or place."""
    values = receipts(count, size)

    for index in {0, 1, 15, 16, 127, 128, 255, 256, count - 1} & set(range(count)):
        root, nodes = proof_of(values, index)
        verify_trie_proof(root=Digest(root), index=index, value=values[index], nodes=nodes)
        with pytest.raises(BridgeError, match="another value at this index"):
            verify_trie_proof(root=Digest(root), index=index, value=b"other", nodes=nodes)
