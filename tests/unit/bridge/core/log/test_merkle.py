"""Tree hashing against a naive tree written from the recursive text of RFC 6962."""

from functools import cache
from hashlib import sha256

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, LeafIndex, TreeSize
from bridge.core.log.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SIZES = range(1, 301)
LEAVES = [b"leaf %d" % index for index in range(300)]
HASHES = leaf_hashes(LEAVES)


@cache
def naive_root(begin: int, end: int) -> Digest:
    """MTH(D[begin:end]), RFC 6962 s2.1, by its recursion."""
    if end == begin:
        return Digest(sha256().digest())
    if end - begin == 1:
        return Digest(sha256(b"\0" + LEAVES[begin]).digest())
    split = begin + naive_split(end - begin)
    return Digest(sha256(b"\1" + naive_root(begin, split) + naive_root(split, end)).digest())


def naive_split(count: int) -> int:
    """The largest power of two smaller than count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def naive_path(index: int, begin: int, end: int) -> list[Digest]:
    """PATH(index, D[begin:end]), RFC 6962 s2.1.1, by its recursion."""
    if end - begin == 1:
        return []
    split = begin + naive_split(end - begin)
    if index < split:
        return [*naive_path(index, begin, split), naive_root(split, end)]
    return [*naive_path(index, split, end), naive_root(begin, split)]


def naive_subproof(size: int, begin: int, end: int, *, whole: bool) -> list[Digest]:
    """SUBPROOF(size, D[begin:end], whole), RFC 6962 s2.1.2, by its recursion."""
    if size == end - begin:
        return [] if whole else [naive_root(begin, end)]
    split = naive_split(end - begin)
    if size <= split:
        lower = naive_subproof(size, begin, begin + split, whole=whole)
        return [*lower, naive_root(begin + split, end)]
    upper = naive_subproof(size - split, begin + split, end, whole=False)
    return [*upper, naive_root(begin, begin + split)]


def node(height: int, index: int) -> Digest:
    """A node source straight over the leaf hashes."""
    return naive_root(index << height, (index + 1) << height)


def test_roots_agree_with_the_naive_tree() -> None:
    """Every size to 300 has the root of the recursion."""
    assert root_of(b"") == EMPTY_ROOT == naive_root(0, 0)
    for size in SIZES:
        assert root_of(HASHES[: size * 32]) == naive_root(0, size)
        assert root([leaf_hash(leaf) for leaf in LEAVES[:size]]) == naive_root(0, size)


def test_inclusion_proofs_agree_with_the_naive_tree() -> None:
    """Every leaf of every size to 300 has the path of the recursion, and it verifies."""
    for size in SIZES:
        for index in range(size):
            path = inclusion_proof(LeafIndex(index), TreeSize(size), node)

            assert list(path) == naive_path(index, 0, size)
            verify_inclusion(
                naive_root(index, index + 1),
                LeafIndex(index),
                TreeSize(size),
                path,
                naive_root(0, size),
            )


def test_consistency_proofs_agree_with_the_naive_tree() -> None:
    """Every pair of sizes to 300 has the proof of the recursion, and it verifies."""
    for size in SIZES:
        for earlier in range(1, size + 1):
            path = consistency_proof(TreeSize(earlier), TreeSize(size), node)

            assert list(path) == naive_subproof(earlier, 0, size, whole=True)
            verify_consistency(
                TreeSize(earlier),
                TreeSize(size),
                naive_root(0, earlier),
                naive_root(0, size),
                path,
            )


def test_path_of_another_position_is_refused() -> None:
    """Leaf 5 of 8 and its path hash to the root also as 5 of 7, 9 of 11 and 17 of 19.

    Only the size that stands beside the root in the checkpoint tells them apart, so every other
    index is refused for the same size, and every other size for the root it really has.
    """
    path = inclusion_proof(LeafIndex(5), TreeSize(8), node)
    leaf = naive_root(5, 6)

    accepted = [
        (index, size)
        for size in range(1, 40)
        for index in range(size)
        if _verifies(leaf, index, size, path, naive_root(0, size))
    ]

    assert accepted == [(5, 8)]


def _verifies(leaf: Digest, index: int, size: int, path: tuple[Digest, ...], top: Digest) -> bool:
    try:
        verify_inclusion(leaf, LeafIndex(index), TreeSize(size), path, top)
    except BridgeError:
        return False
    return True


@pytest.mark.parametrize("length", [0, 1, 2, 4, 63])
def test_path_of_another_length_is_refused(length: int) -> None:
    """A path that is too short or too long fails before any hashing."""
    with pytest.raises(BridgeError, match=rf"has {length} hashes, expected exactly 3 \(inclusion"):
        verify_inclusion(
            naive_root(5, 6), LeafIndex(5), TreeSize(8), [EMPTY_ROOT] * length, naive_root(0, 8)
        )


def test_index_at_the_size_is_refused() -> None:
    """The last leaf of a tree of 8 has index 7."""
    with pytest.raises(BridgeError, match="leaf index 8 is not below the tree size 8"):
        verify_inclusion(naive_root(0, 1), LeafIndex(8), TreeSize(8), [], naive_root(0, 8))


def test_inner_node_passed_as_leaf_is_refused() -> None:
    """A node over two leaves is no leaf of the tree of half the size."""
    inner = naive_root(0, 2)
    path = inclusion_proof(LeafIndex(0), TreeSize(8), node)[1:]

    with pytest.raises(BridgeError, match="expected exactly 3"):
        verify_inclusion(inner, LeafIndex(0), TreeSize(8), path, naive_root(0, 8))


def test_hash_of_another_size_is_refused() -> None:
    """31 bytes beside 33 must not slide into the same concatenation."""
    left, right = naive_root(0, 1), naive_root(1, 2)

    with pytest.raises(BridgeError, match="a hash is not 32 bytes long"):
        verify_inclusion(
            Digest(left + right[:1]), LeafIndex(0), TreeSize(2), [Digest(right[1:])],
            naive_root(0, 2),
        )  # fmt: skip


def test_other_leaf_is_refused_with_both_roots() -> None:
    """The refusal names the root that came out and the root that was expected."""
    path = inclusion_proof(LeafIndex(5), TreeSize(8), node)

    with pytest.raises(BridgeError, match=rf"expected {naive_root(0, 8).hex()} \(leaf 5 of tree 8"):
        verify_inclusion(naive_root(4, 5), LeafIndex(5), TreeSize(8), path, naive_root(0, 8))


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 5), (6, 5)])
def test_consistency_from_nothing_or_backwards_is_refused(size1: int, size2: int) -> None:
    """The empty tree proves nothing, and a log does not shrink."""
    with pytest.raises(BridgeError, match=r"needs 0 < size1 <= size2"):
        verify_consistency(TreeSize(size1), TreeSize(size2), EMPTY_ROOT, EMPTY_ROOT, [])


def test_same_size_with_another_root_is_refused() -> None:
    """Equal sizes are consistent only when the roots are equal."""
    verify_consistency(TreeSize(7), TreeSize(7), naive_root(0, 7), naive_root(0, 7), [])

    with pytest.raises(BridgeError, match="the proof leads to root"):
        verify_consistency(TreeSize(7), TreeSize(7), naive_root(0, 7), naive_root(0, 8), [])


@pytest.mark.parametrize("size1", [4, 6, 7])
def test_rewritten_history_is_refused(size1: int) -> None:
    """A new root over other old leaves is not consistent, whichever root was changed."""
    path = consistency_proof(TreeSize(size1), TreeSize(8), node)
    forged = naive_root(1, size1 + 1)

    with pytest.raises(BridgeError, match="the proof leads to root"):
        verify_consistency(TreeSize(size1), TreeSize(8), forged, naive_root(0, 8), path)
    with pytest.raises(BridgeError, match=r"\(tree 8\)"):
        verify_consistency(TreeSize(size1), TreeSize(8), naive_root(0, size1), forged, path)
