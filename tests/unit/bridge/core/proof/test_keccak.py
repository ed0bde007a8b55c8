"""Keccak-256 agrees with the published value and with the library that Ethereum clients use."""

from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.proof.keccak import keccak256


def test_empty_input_gives_the_published_digest() -> None:
    """The hash of nothing is the constant that every Ethereum client carries."""
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )


@given(st.binary(max_size=700))
def test_agrees_with_the_reference_library(data: bytes) -> None:
    """Any bytes hash as the C implementation hashes them."""
    assert keccak256(data) == keccak(data)


def test_every_length_around_the_rate_agrees() -> None:
    """The padding is right when it fills the block, leaves one byte, or starts a new block."""
    for size in (*range(130, 140), *range(268, 276)):
        assert keccak256(bytes(size)) == keccak(bytes(size))
