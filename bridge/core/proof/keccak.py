"""Keccak-256 as Ethereum uses it: SHA-3 with the padding byte 0x01 of the original submission.

Here because receipts must verify with the standard library alone: its `hashlib` has this hash where
OpenSSL 3.2 or later is linked. Elsewhere PyCryptodome computes it if it is installed (a server has
it, a verifier may), else Python does. Source: FIPS 202 s3 for the permutation, the Keccak reference
s1.1 for the padding, https://ethereum.github.io/yellowpaper/ s3.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Protocol, TypeAlias

from bridge.core.ids import Digest

try:
    from Crypto.Hash import keccak as _pycryptodome
except (ImportError, OSError):  # OSError: it is there, its machine code does not load
    _pycryptodome = None  # type: ignore[assignment]

__all__ = ["Keccak", "chosen", "in_python", "keccak256", "keccak256_each", "side_by_side"]

Keccak: TypeAlias = Callable[[bytes], Digest]
"""Keccak-256 of a message."""
Each: TypeAlias = Callable[[Sequence[bytes]], tuple[Digest, ...]]
"""Keccak-256 of each message."""

_NAME = "KECCAK-256"
_OF_NOTHING = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")

_RATE = 136
"""Bytes absorbed a permutation: 1600 bits less twice 256 bits of capacity."""
_LANES = _RATE // 8
_WIDEST = 17
"""Messages hashed side by side: a proof has at most 16 nodes and a header; more gain little."""
_LANE = (1 << 64) - 1
_PITCH = 128
"""Bits from a message's lane to that of the next. A lane has 64; what a turn pushes out at either
end falls into the room between, so that one mask cleans the lanes of all messages."""
_ROUNDS = (
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808A,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808B,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008A,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000A,
    0x0000_0000_8000_808B,
    0x8000_0000_0000_008B,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800A,
    0x8000_0000_8000_000A,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
)
"""The 24 constants of iota, FIPS 202 s3.2.5."""


@lru_cache(maxsize=_WIDEST)
def _side_by_side(count: int) -> tuple[int, tuple[int, ...]]:
    """The bits of `count` lanes, and the constants of the rounds in each of them."""
    ones = sum(1 << _PITCH * place for place in range(count))
    return ones * _LANE, tuple(ones * constant for constant in _ROUNDS)


def keccak256(data: bytes) -> Digest:
    """Keccak-256 of the bytes; in Python some 0.17 ms for each started 136 bytes."""
    return keccak256_each((data,))[0]


def side_by_side(messages: Sequence[bytes]) -> Keccak:
    """`keccak256` that has hashed these messages at once: `in_python` takes the longest's time."""
    known = dict(zip(messages, keccak256_each(messages), strict=True))
    return lambda data: known[data] if data in known else keccak256(data)


class Hashed(Protocol):
    """What `hashlib.new` gives."""

    def digest(self) -> bytes:
        """The hash of the data."""


Library: TypeAlias = Callable[[str, bytes], Hashed]
"""As `hashlib.new`; it refuses a name that it does not know with ValueError."""


def chosen(*libraries: Library) -> Each:
    """The Keccak-256 of the first library that knows the hash of nothing, else `in_python`."""
    for new in libraries:
        try:
            if new(_NAME, b"").digest() == _OF_NOTHING:
                return partial(_each_by, new)
        except ValueError:
            continue
    return in_python


def _each_by(new: Library, messages: Sequence[bytes]) -> tuple[Digest, ...]:
    return tuple(Digest(new(_NAME, one).digest()) for one in messages)


def pycryptodome(name: str, data: bytes) -> Hashed:
    """`hashlib.new` of PyCryptodome, where it is installed."""
    if _pycryptodome is None:
        raise ValueError(name)
    return _pycryptodome.new(digest_bits=256, data=data)


def in_python(messages: Sequence[bytes]) -> tuple[Digest, ...]:
    """Keccak-256 of each message, in the time of the longest and a little.

    The same lane of several messages stands in one number, because Python spends most of its time
    on the operation and little on its width.
    """
    if len(messages) > _WIDEST:
        return in_python(messages[:_WIDEST]) + in_python(messages[_WIDEST:])
    padded = [_padded(message) for message in messages]
    every, rounds = _side_by_side(len(messages))
    state = [0] * 25
    digests: dict[int, Digest] = {}
    for start in range(0, max(map(len, padded), default=0), _RATE):
        for lane in range(_LANES):
            at = start + 8 * lane
            row = b"".join([one[at : at + 8].ljust(16, b"\0") for one in padded])
            state[lane] ^= int.from_bytes(row, "little")
        state = _permute(state, every, rounds)
        for place, one in enumerate(padded):
            if len(one) == start + _RATE:
                digests[place] = _squeezed(state, place)
    return tuple(digests[place] for place in range(len(messages)))


def _padded(message: bytes) -> bytes:
    padded = bytearray(message) + bytes(_RATE - len(message) % _RATE)
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    return bytes(padded)


def _squeezed(state: Sequence[int], place: int) -> Digest:
    lanes = [state[lane] >> _PITCH * place & _LANE for lane in range(4)]
    return Digest(b"".join([lane.to_bytes(8, "little") for lane in lanes]))


def _permute(lanes: list[int], every: int, rounds: tuple[int, ...]) -> list[int]:
    """Keccak-f[1600] on 25 lanes, lane x + 5y: theta, rho and pi, chi, iota in each round.

    Written out, as loops over tables take twice as long; the tables stand in its test. In chi,
    `~y & z` is `z ^ y & z`, without the bits above a lane.
    """
    a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, *rest = lanes
    a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24 = rest
    for constant in rounds:
        c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20
        c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21
        c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22
        c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23
        c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24
        d0 = c4 ^ (c1 << 1 | c1 >> 63) & every
        d1 = c0 ^ (c2 << 1 | c2 >> 63) & every
        d2 = c1 ^ (c3 << 1 | c3 >> 63) & every
        d3 = c2 ^ (c4 << 1 | c4 >> 63) & every
        d4 = c3 ^ (c0 << 1 | c0 >> 63) & every
        b0 = a0 ^ d0
        b1 = ((t := a6 ^ d1) << 44 | t >> 20) & every
        b2 = ((t := a12 ^ d2) << 43 | t >> 21) & every
        b3 = ((t := a18 ^ d3) << 21 | t >> 43) & every
        b4 = ((t := a24 ^ d4) << 14 | t >> 50) & every
        b5 = ((t := a3 ^ d3) << 28 | t >> 36) & every
        b6 = ((t := a9 ^ d4) << 20 | t >> 44) & every
        b7 = ((t := a10 ^ d0) << 3 | t >> 61) & every
        b8 = ((t := a16 ^ d1) << 45 | t >> 19) & every
        b9 = ((t := a22 ^ d2) << 61 | t >> 3) & every
        b10 = ((t := a1 ^ d1) << 1 | t >> 63) & every
        b11 = ((t := a7 ^ d2) << 6 | t >> 58) & every
        b12 = ((t := a13 ^ d3) << 25 | t >> 39) & every
        b13 = ((t := a19 ^ d4) << 8 | t >> 56) & every
        b14 = ((t := a20 ^ d0) << 18 | t >> 46) & every
        b15 = ((t := a4 ^ d4) << 27 | t >> 37) & every
        b16 = ((t := a5 ^ d0) << 36 | t >> 28) & every
        b17 = ((t := a11 ^ d1) << 10 | t >> 54) & every
        b18 = ((t := a17 ^ d2) << 15 | t >> 49) & every
        b19 = ((t := a23 ^ d3) << 56 | t >> 8) & every
        b20 = ((t := a2 ^ d2) << 62 | t >> 2) & every
        b21 = ((t := a8 ^ d3) << 55 | t >> 9) & every
        b22 = ((t := a14 ^ d4) << 39 | t >> 25) & every
        b23 = ((t := a15 ^ d0) << 41 | t >> 23) & every
        b24 = ((t := a21 ^ d1) << 2 | t >> 62) & every
        a0, a1, a2 = b0 ^ b2 ^ b1 & b2 ^ constant, b1 ^ b3 ^ b2 & b3, b2 ^ b4 ^ b3 & b4
        a3, a4 = b3 ^ b0 ^ b4 & b0, b4 ^ b1 ^ b0 & b1
        a5, a6, a7 = b5 ^ b7 ^ b6 & b7, b6 ^ b8 ^ b7 & b8, b7 ^ b9 ^ b8 & b9
        a8, a9 = b8 ^ b5 ^ b9 & b5, b9 ^ b6 ^ b5 & b6
        a10, a11, a12 = b10 ^ b12 ^ b11 & b12, b11 ^ b13 ^ b12 & b13, b12 ^ b14 ^ b13 & b14
        a13, a14 = b13 ^ b10 ^ b14 & b10, b14 ^ b11 ^ b10 & b11
        a15, a16, a17 = b15 ^ b17 ^ b16 & b17, b16 ^ b18 ^ b17 & b18, b17 ^ b19 ^ b18 & b19
        a18, a19 = b18 ^ b15 ^ b19 & b15, b19 ^ b16 ^ b15 & b16
        a20, a21, a22 = b20 ^ b22 ^ b21 & b22, b21 ^ b23 ^ b22 & b23, b22 ^ b24 ^ b23 & b24
        a23, a24 = b23 ^ b20 ^ b24 & b20, b24 ^ b21 ^ b20 & b21
    head = [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12]
    return [*head, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24]


keccak256_each = chosen(hashlib.new, pycryptodome)
"""Keccak-256 of each message, by the fastest way that there is here."""
