"""Receipt-trie proofs against tries built by the reference library."""

from typing import Any

import pytest
import rlp
from trie.hexary import HexaryTrie

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest
from bridge.core.proof.keccak import keccak256
from bridge.core.proof.trie import verify_trie_proof


def _trie(values: list[bytes]) -> Any:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(index)] = value
    return trie


def _proof(trie: Any, index: int) -> list[bytes]:
    """As nodes serve it: a node under 32 bytes stands in its parent and not by itself."""
    nodes = [rlp.encode(node) for node in trie.get_proof(rlp.encode(index))]
    return nodes[:1] + [node for node in nodes[1:] if len(node) >= 32]


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17, 128, 129, 300])
@pytest.mark.parametrize("size", [1, 20, 40, 300])
def test_every_index_of_a_block_verifies(count: int, size: int) -> None:
    """Blocks of any number of receipts, also so small that nodes are embedded in their parent."""
    values = [(index.to_bytes(2) * size)[:size] or b"\1" for index in range(count)]
    values = [value if any(value) else b"\x01" * size for value in values]
    trie = _trie(values)

    for index in {0, 1, 15, 16, 127, 128, count - 1} & set(range(count)):
        verify_trie_proof(
            root=Digest(trie.root_hash),
            index=index,
            value=values[index],
            nodes=_proof(trie, index),
        )


TRIE = _trie([bytes([index + 1]) * 120 for index in range(40)])
NODES = _proof(TRIE, 7)
VALUE = b"\x08" * 120
ROOT = Digest(TRIE.root_hash)


@pytest.mark.parametrize("index", [0, 6, 8, 39, 40, 128, 1 << 31])
def test_proof_for_another_index_is_refused(index: int) -> None:
    """The position in the block is proved, not only the presence."""
    with pytest.raises(BridgeError) as refusal:
        verify_trie_proof(root=ROOT, index=index, value=VALUE, nodes=NODES)

    assert refusal.value.code == "trie-proof"


@pytest.mark.parametrize(
    ("nodes", "receipt", "what"),
    [
        pytest.param([], VALUE, "1 to 16 nodes", id="empty"),
        pytest.param(NODES * 9, VALUE, "1 to 16 nodes", id="too-many"),
        pytest.param(NODES[:-1], VALUE, "ends before the value", id="cut"),
        pytest.param(NODES + NODES[:1], VALUE, "nodes follow the value", id="trailing"),
        pytest.param(NODES[1:], VALUE, "names by hash", id="root-left-out"),
        pytest.param(NODES, VALUE[:-1], "holds another value", id="other-receipt"),
        pytest.param([b"\xc0", *NODES[1:]], VALUE, "names by hash", id="forged-root"),
    ],
)
def test_altered_proof_is_refused(nodes: list[bytes], receipt: bytes, what: str) -> None:
    """Nodes left out, added or forged, and another receipt, are each refused."""
    with pytest.raises(BridgeError, match=what):
        verify_trie_proof(root=ROOT, index=7, value=receipt, nodes=nodes)


def test_every_flipped_byte_of_a_proof_is_refused() -> None:
    """No byte of any node is free."""
    for place, node in enumerate(NODES):
        for at in range(len(node)):
            forged = bytearray(node)
            forged[at] ^= 1
            if at % 7 and place:
                continue
            with pytest.raises(BridgeError):
                verify_trie_proof(
                    root=ROOT,
                    index=7,
                    value=VALUE,
                    nodes=[*NODES[:place], bytes(forged), *NODES[place + 1 :]],
                )


EMPTY, HASH = b"", b"\x09" * 32


@pytest.mark.parametrize(
    ("node", "what"),
    [
        pytest.param(b"abc", "a list is expected", id="string"),
        pytest.param([HASH, HASH, HASH], "2 or 17 items, found 3", id="three-items"),
        pytest.param([EMPTY] * 17, "holds nothing at this index", id="empty-branch"),
        pytest.param([EMPTY, HASH], "not hex-prefix encoded", id="no-path"),
        pytest.param([b"\x40", HASH], "not hex-prefix encoded", id="flag-4"),
        pytest.param([b"\x07", HASH], "not hex-prefix encoded", id="padding-nibble"),
        pytest.param([b"\x20", VALUE], "holds nothing at this index", id="leaf-of-a-shorter-key"),
        pytest.param([b"\x20\x08", VALUE], "holds nothing at this index", id="leaf-of-another-key"),
        pytest.param([b"\x20\x07", b"x"], "holds another value", id="leaf-with-another-value"),
        pytest.param([b"\x00\x07", [EMPTY] * 16 + [b"x"]], "another value", id="embedded-branch"),
    ],
)
def test_node_that_an_attacker_made_up_is_refused(node: Any, what: str) -> None:
    """Whoever forges the header too still has to show a well-formed trie."""
    forged = rlp.encode(node)

    with pytest.raises(BridgeError, match=what):
        verify_trie_proof(root=keccak256(forged), index=7, value=VALUE, nodes=[forged])
