"""Build a Merkle-Patricia trie over numbered values and take the proof of one of them.

Source: https://ethereum.github.io/yellowpaper/ appendix D. Keys are RLP of the position, as in the
transaction and receipt tries of a block.
"""

from collections.abc import Sequence
from typing import TypeAlias

import rlp
from eth_utils.crypto import keccak

__all__ = ["proof_of"]

_Node: TypeAlias = "bytes | list[_Node]"
_Pairs = list[tuple[bytes, bytes]]


def proof_of(values: Sequence[bytes], index: int) -> tuple[bytes, tuple[bytes, ...]]:
    """The trie's root and the RLP of the nodes from the root down to value `index`."""
    pairs = [(_nibbles(rlp.encode(number)), value) for number, value in enumerate(values)]
    root = _build(pairs)
    nodes: list[bytes] = []
    _collect(pairs, pairs[index][0], nodes, at_root=True)
    return keccak(rlp.encode(root)), tuple(nodes)


def _build(pairs: _Pairs) -> _Node:
    """The node over pairs with distinct keys, whose common parts above are cut off."""
    if len(pairs) == 1:
        key, value = pairs[0]
        return [_packed(key, leaf=True), value]
    shared = _shared(pairs)
    if shared:
        below = [(key[shared:], value) for key, value in pairs]
        return [_packed(pairs[0][0][:shared], leaf=False), _reference(_build(below))]
    branch: list[_Node] = [_child(pairs, nibble) for nibble in range(16)]
    return [*branch, next((value for key, value in pairs if not key), b"")]


def _child(pairs: _Pairs, nibble: int) -> _Node:
    below = [(key[1:], value) for key, value in pairs if key and key[0] == nibble]
    return _reference(_build(below)) if below else b""


def _collect(pairs: _Pairs, key: bytes, nodes: list[bytes], *, at_root: bool) -> None:
    """Walk to the key; keep every node that its parent names by hash."""
    encoded = rlp.encode(_build(pairs))
    if at_root or len(encoded) >= 32:
        nodes.append(encoded)
    if len(pairs) == 1 or not key:
        return
    step = _shared(pairs) or 1
    below = [(other[step:], value) for other, value in pairs if other[:step] == key[:step]]
    _collect(below, key[step:], nodes, at_root=False)


def _reference(node: _Node) -> _Node:
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _shared(pairs: _Pairs) -> int:
    """How many nibbles all keys begin with alike."""
    first, last = min(pairs)[0], max(pairs)[0]
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return length


def _packed(key: bytes, *, leaf: bool) -> bytes:
    """Hex-prefix encoding, appendix C."""
    flag = 2 * leaf + len(key) % 2
    nibbles = bytes([flag]) + (b"" if len(key) % 2 else b"\0") + key
    return bytes(16 * high + low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def _nibbles(data: bytes) -> bytes:
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 15))
