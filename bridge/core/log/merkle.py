"""RFC 6962 tree hashing: roots, inclusion and consistency proofs, and their verification.

Trees are strings of 32-byte hashes, not objects: a batch of leaves is hashed at C speed. A node is
named by its height and its index at that height; leaf hashes have height 0.
"""

import hmac
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, LeafIndex, TreeSize

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "NodeSource",
    "Range",
    "consistency_proof",
    "consistency_ranges",
    "inclusion_proof",
    "inclusion_ranges",
    "leaf_hash",
    "leaf_hashes",
    "range_nodes",
    "root",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
EMPTY_ROOT = Digest(sha256(b"").digest())
"""Root of the tree without leaves, RFC 6962 s2.1."""

NodeSource: TypeAlias = Callable[[int, int], Digest]
"""(height, index) -> hash of the complete subtree over leaves [index << height, +1 << height)."""
Range: TypeAlias = tuple[int, int]
"""Leaves [begin, end) under one element of a proof; the last range of a tree may be incomplete."""


def leaf_hash(leaf: bytes) -> Digest:
    """SHA-256(0x00 || leaf), RFC 6962 s2.1."""
    return Digest(sha256(b"\0" + leaf).digest())


def leaf_hashes(leaves: Iterable[bytes]) -> bytes:
    """The leaf hashes one after another, 32 bytes each."""
    return b"".join([sha256(b"\0" + leaf).digest() for leaf in leaves])


def root(hashes: Sequence[Digest]) -> Digest:
    """Merkle Tree Hash over leaf hashes, RFC 6962 s2.1."""
    return root_of(b"".join(hashes))


def root_of(hashes: bytes) -> Digest:
    """`root` over hashes that stand one after another.

    Every hash may be that of a subtree, provided that all are complete and of one height, save the
    last, which may be lower: pairing from the left then splits where RFC 6962 splits.
    """
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > HASH_SIZE:
        odd = len(hashes) % (2 * HASH_SIZE)
        paired = [
            sha256(b"\1" + hashes[at : at + 64]).digest() for at in range(0, len(hashes) - odd, 64)
        ]
        hashes = b"".join(paired) + hashes[len(hashes) - odd :]
    return Digest(hashes)


def inclusion_ranges(index: LeafIndex, size: TreeSize) -> tuple[Range, ...]:
    """What each element of the proof covers, leaf's sibling first: PATH of RFC 6962 s2.1.1."""
    if not 0 <= index < size:
        raise _refusal(
            "merkle-index",
            f"the leaf index {index} is not below the tree size {size}",
            "inclusion",
            "ask for a tree that holds the leaf",
        )
    begin, end = 0, int(size)
    ranges: list[Range] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return tuple(reversed(ranges))


def consistency_ranges(size1: TreeSize, size2: TreeSize) -> tuple[Range, ...]:
    """What each element of the proof covers: SUBPROOF of RFC 6962 s2.1.2."""
    _check_sizes(size1, size2)
    begin, end, whole = 0, int(size2), True
    ranges: list[Range] = []
    while size1 != end:
        middle = begin + _split(end - begin)
        if size1 <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        ranges.append((begin, end))
    return tuple(reversed(ranges))


def range_nodes(covered: Range) -> tuple[tuple[int, int], ...]:
    """The complete subtrees, (height, index) from the left, that make up a range of a tree."""
    begin, end = covered
    nodes: list[tuple[int, int]] = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        nodes.append((height, begin >> height))
        begin += 1 << height
    return tuple(nodes)


def inclusion_proof(index: LeafIndex, size: TreeSize, node: NodeSource) -> tuple[Digest, ...]:
    """The audit path of a leaf, sibling first, RFC 6962 s2.1.1."""
    return tuple(_range_hash(covered, node) for covered in inclusion_ranges(index, size))


def consistency_proof(size1: TreeSize, size2: TreeSize, node: NodeSource) -> tuple[Digest, ...]:
    """Proof that the tree of `size2` only adds to the tree of `size1`, RFC 6962 s2.1.2."""
    return tuple(_range_hash(covered, node) for covered in consistency_ranges(size1, size2))


def verify_inclusion(
    leaf_digest: Digest, index: LeafIndex, size: TreeSize, path: Sequence[Digest], root_hash: Digest
) -> None:
    """Return when the leaf hash stands at `index` of the tree (size, root), RFC 9162 s2.1.3.2.

    The length of the path must be exact: a path alone verifies at several indices and sizes.

    Raises:
        BridgeError: `merkle-index`, `merkle-hash-size`, `merkle-path-length` or `merkle-root`.
    """
    _check_length(path, len(inclusion_ranges(index, size)), "inclusion")
    _check_hashes((leaf_digest, *path, root_hash), "inclusion")
    current: bytes = leaf_digest
    at, last = int(index), size - 1
    for sibling in path:
        if at & 1 or at == last:
            current = _node_hash(sibling, current)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            current = _node_hash(current, sibling)
        at, last = at >> 1, last >> 1
    _check_root(current, root_hash, f"leaf {index} of tree {size}")


def verify_consistency(
    size1: TreeSize, size2: TreeSize, root1: Digest, root2: Digest, path: Sequence[Digest]
) -> None:
    """Return when tree (size2, root2) only adds to tree (size1, root1), RFC 9162 s2.1.4.2.

    The empty tree is refused: it is consistent with everything, so a proof from it says nothing.

    Raises:
        BridgeError: `merkle-size`, `merkle-hash-size`, `merkle-path-length` or `merkle-root`.
    """
    _check_length(path, len(consistency_ranges(size1, size2)), "consistency")
    _check_hashes((root1, root2, *path), "consistency")
    if size1 == size2:
        _check_root(root2, root1, f"tree {size2}")
        return
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first, *rest = path if size1 & (size1 - 1) else (root1, *path)
    old: bytes = first
    new: bytes = first
    for sibling in rest:
        if at & 1 or at == last:
            old, new = _node_hash(sibling, old), _node_hash(sibling, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = _node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    _check_root(old, root1, f"tree {size1} inside tree {size2}")
    _check_root(new, root2, f"tree {size2}")


def _node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), RFC 6962 s2.1."""
    return sha256(b"\1" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two smaller than `count`, RFC 6962 s2.1."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(covered: Range, node: NodeSource) -> Digest:
    """Hash over a range: its complete subtrees, joined from the right."""
    *larger, smallest = (node(height, index) for height, index in range_nodes(covered))
    current: bytes = smallest
    for left in reversed(larger):
        current = _node_hash(left, current)
    return Digest(current)


def _check_sizes(size1: TreeSize, size2: TreeSize) -> None:
    if not 0 < size1 <= size2:
        raise _refusal(
            "merkle-size",
            f"a consistency proof needs 0 < size1 <= size2, found {size1} and {size2}",
            "consistency",
            "compare two trees that hold leaves, the smaller first",
        )


def _check_length(path: Sequence[Digest], expected: int, where: str) -> None:
    if len(path) != expected:
        raise _refusal(
            "merkle-path-length",
            f"the path has {len(path)} hashes, expected exactly {expected}",
            where,
            "take the proof from an unaltered receipt",
        )


def _check_hashes(hashes: Iterable[bytes], where: str) -> None:
    if any(len(digest) != HASH_SIZE for digest in hashes):
        raise _refusal(
            "merkle-hash-size",
            "a hash is not 32 bytes long",
            where,
            "take the proof from an unaltered receipt",
        )


def _check_root(found: bytes, expected: Digest, where: str) -> None:
    if not hmac.compare_digest(found, expected):
        raise _refusal(
            "merkle-root",
            f"the proof leads to root {found.hex()}, expected {expected.hex()}",
            where,
            "treat leaf and tree as not proved",
        )


def _refusal(code: str, what: str, where: str, do: str) -> BridgeError:
    return BridgeError(code, Fault.SENDER, what=what, where=where, do=do)
