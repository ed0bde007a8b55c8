"""Keccak-256 agrees with the published value and with the library that Ethereum clients use."""

import hashlib

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.proof.keccak import (
    chosen,
    in_python,
    keccak256,
    keccak256_each,
    pycryptodome,
    side_by_side,
)


def test_empty_input_gives_the_published_digest() -> None:
    """The hash of nothing is the constant that every Ethereum client carries."""
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_messages_side_by_side_do_not_touch(messages: list[bytes]) -> None:
    """Of any number of messages of any sizes, each hashes as it does alone."""
    assert in_python(messages) == tuple(keccak(message) for message in messages)


def test_full_lanes_stay_within_their_message() -> None:
    """What a turn pushes out of a lane of ones reaches neither neighbour."""
    messages = [bytes(135), b"\xff" * 135, bytes(135), b"\xff" * 271]

    assert in_python(messages) == tuple(keccak(message) for message in messages)


def test_the_permutation_written_out_is_that_of_the_tables() -> None:
    """Its turns, places and constants are those that FIPS 202 s3.2 derives."""
    for data in (b"", b"\x01", b"\xff" * 135):
        block = bytearray(data) + bytes(136 - len(data))
        block[len(data)] ^= 0x01
        block[-1] ^= 0x80

        assert in_python([data]) == (_permuted(bytes(block) + bytes(64))[:32],)


@given(st.binary(max_size=700))
def test_agrees_with_the_reference_library(data: bytes) -> None:
    """Any bytes hash as the C implementation hashes them."""
    assert keccak256(data) == keccak(data)


def test_every_length_around_the_rate_agrees() -> None:
    """The padding is right when it fills the block, leaves one byte, or starts a new block."""
    for size in (*range(130, 140), *range(268, 276)):
        assert keccak256(bytes(size)) == keccak(bytes(size))


def test_a_library_that_has_the_hash_computes_it() -> None:
    """OpenSSL has it from 3.2 on; what it answers is what Python answers."""
    each = chosen(_Linked)

    assert each is not in_python
    assert each([b"", b"a" * 300]) == in_python([b"", b"a" * 300])


def test_a_library_without_the_hash_is_not_asked_again() -> None:
    """An older OpenSSL, or one held to approved algorithms, does not know the name."""
    assert chosen(lambda _name, data: hashlib.new("no such hash", data)) is in_python


def test_a_library_that_pads_otherwise_is_not_believed() -> None:
    """SHA-3 differs in one byte of padding: the hash of nothing tells them apart."""
    assert chosen(lambda _name, data: hashlib.new("sha3_256", data)) is in_python


def test_the_first_library_that_has_the_hash_is_taken() -> None:
    """One that lacks it or gives another is passed over."""
    each = chosen(
        lambda _name, data: hashlib.new("no such hash", data),
        lambda _name, data: hashlib.new("sha3_256", data),
        _Linked,
    )

    assert each is not in_python
    assert each([b"a"]) == in_python([b"a"])


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_pycryptodome_gives_what_python_gives(messages: list[bytes]) -> None:
    """The library that a server has says of any bytes what the code here says."""
    assert chosen(pycryptodome)(messages) == in_python(messages)


def test_pycryptodome_that_is_not_there_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verifier has three dependencies; this is none of them."""
    monkeypatch.setattr("bridge.core.proof.keccak._pycryptodome", None)

    assert chosen(pycryptodome) is in_python


def test_messages_known_beforehand_and_others_hash_alike() -> None:
    """What was hashed side by side is looked up, what was not is hashed."""
    keccak_of = side_by_side([b"a", b"b" * 500])

    assert [keccak_of(one) for one in (b"b" * 500, b"a", b"c")] == [
        keccak256(one) for one in (b"b" * 500, b"a", b"c")
    ]


def test_each_is_the_hash_of_one() -> None:
    """Many at once and one alone go the same way."""
    assert keccak256_each([b"a", b"b"]) == (keccak256(b"a"), keccak256(b"b"))


class _Linked:
    """`hashlib.new` of an interpreter with OpenSSL 3.2."""

    def __init__(self, name: str, data: bytes) -> None:
        assert name == "KECCAK-256"
        self._data = data

    def digest(self) -> bytes:
        return bytes(keccak(self._data))


def _permuted(state: bytes) -> bytes:
    """Keccak-f[1600], each step of each round as FIPS 202 s3.2 words it, on lanes `[x, y]`."""
    a = {(x, y): int.from_bytes(state[8 * (x + 5 * y) :][:8], "little") for y, x in _PLACES}
    register = 1
    for _ in range(24):
        c = [a[x, 0] ^ a[x, 1] ^ a[x, 2] ^ a[x, 3] ^ a[x, 4] for x in range(5)]
        a = {(x, y): a[x, y] ^ c[x - 1] ^ _turned(c[(x + 1) % 5], 1) for x, y in a}
        a |= {at: _turned(a[at], turn) for at, turn in _turns()}
        a = {(x, y): a[(x + 3 * y) % 5, x] for x, y in a}
        a = {(x, y): a[x, y] ^ ~a[(x + 1) % 5, y] & a[(x + 2) % 5, y] for x, y in a}
        for power in range(7):
            a[0, 0] ^= (register & 1) << (1 << power) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return b"".join(a[x, y].to_bytes(8, "little") for y, x in _PLACES)


_PLACES = [(y, x) for y in range(5) for x in range(5)]


def _turns() -> list[tuple[tuple[int, int], int]]:
    """The offsets of rho, FIPS 202 s3.2.2."""
    x, y, turns = 1, 0, []
    for t in range(24):
        turns.append(((x, y), (t + 1) * (t + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return turns


def _turned(lane: int, turn: int) -> int:
    return (lane << turn | lane >> 64 - turn) & (1 << 64) - 1
