"""Merkle-Patricia proofs: that one value stands under one key of a trie with a known root.

Source: https://ethereum.github.io/yellowpaper/ appendix D,
https://ethereum.org/en/developers/docs/data-structures-and-encoding/patricia-merkle-trie/.
"""

from collections.abc import Sequence
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.keccak import Keccak, keccak256
from bridge.core.proof.rlp import Item, decode, encode

__all__ = ["MAX_NODES", "verify_trie_proof"]

MAX_NODES = 16
"""The key rlp(index) has at most 5 bytes for a 32-bit index: 10 nibbles, 11 nodes and a margin."""


def verify_trie_proof(
    *,
    root: Digest,
    index: int,
    value: bytes,
    nodes: Sequence[bytes],
    keccak: Keccak = keccak256,
) -> None:
    """Prove that the value is number `index` of the trie with this root.

    Args:
        root: the header's receiptsRoot or transactionsRoot.
        index: the transaction's position in its block.
        value: a receipt or transaction in consensus encoding with its type byte (EIP-2718).
        nodes: RLP of the trie nodes from the root down; every one must be used.
        keccak: `keccak256`, or one that has hashed the nodes beside others.

    Raises:
        BridgeError: `trie-proof` naming the first node that does not fit.
    """
    if not 0 < len(nodes) <= MAX_NODES:
        _refuse(f"a proof has 1 to {MAX_NODES} nodes, found {len(nodes)}", 0)
    key = _nibbles(encode(index.to_bytes((index.bit_length() + 7) // 8)))
    reference: Item = root
    for place, node in enumerate(nodes):
        if not isinstance(reference, bytes) or keccak(node) != reference:
            _refuse("a node is not the one its parent (or the header) names by hash", place)
        reference, key, done = _descend(decode(node, where=f"trie node {place}"), key, place)
        if done:
            if place != len(nodes) - 1:
                _refuse(f"{len(nodes) - 1 - place} nodes follow the value", place + 1)
            if reference != value:
                _refuse("the trie holds another value at this index", place)
            return
    _refuse("the proof ends before the value", len(nodes))


def _descend(node: Item, key: bytes, place: int) -> tuple[Item, bytes, bool]:
    """Follow the key through one node and the nodes embedded in it.

    Returns the value and True, or the next node's hash and False, with the rest of the key.
    """
    while True:
        if isinstance(node, bytes):
            _refuse("a node is a byte string, a list is expected", place)
        if len(node) == 17:
            node, key, done = _branch(node, key)
        elif len(node) == 2:
            node, key, done = _short(node, key, place)
        else:
            _refuse(f"a node has 2 or 17 items, found {len(node)}", place)
        if done or (isinstance(node, bytes) and len(node) == 32):
            return node, key, done
        if node == b"":
            _refuse("the trie holds nothing at this index", place)


def _branch(node: tuple[Item, ...], key: bytes) -> tuple[Item, bytes, bool]:
    if not key:
        return node[16], key, True
    return node[key[0]], key[1:], False


def _short(node: tuple[Item, ...], key: bytes, place: int) -> tuple[Item, bytes, bool]:
    """An extension or a leaf: flag nibble 0 or 1 (odd), plus 2 for a leaf, appendix C."""
    path, after = node
    if not isinstance(path, bytes) or not path or path[0] >> 4 > 3:
        _refuse("the path of a node is not hex-prefix encoded", place)
    flag, nibbles = path[0] >> 4, _nibbles(path)
    if not flag & 1 and nibbles[1]:
        _refuse("the path of a node is not hex-prefix encoded", place)
    part, leaf = nibbles[2 - (flag & 1) :], flag >= 2
    if key[: len(part)] != part or (leaf and len(key) != len(part)):
        _refuse("the trie holds nothing at this index", place)
    return after, key[len(part) :], leaf


def _nibbles(data: bytes) -> bytes:
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 0xF))


def _refuse(what: str, place: int) -> NoReturn:
    raise BridgeError(
        "trie-proof",
        Fault.SENDER,
        what=what,
        where=f"receipt_proof[{place}]",
        do="take the chain evidence from an unaltered receipt or fetch it anew from a node",
    )
