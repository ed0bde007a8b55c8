"""Keccak-256 as Ethereum uses it: SHA-3 with the padding byte 0x01 of the original submission.

Here because receipts must verify with the standard library alone. Source: FIPS 202 s3 for the
permutation, the Keccak reference s1.1 for the padding, https://ethereum.github.io/yellowpaper/ s3.
"""

from operator import itemgetter

from bridge.core.ids import Digest

__all__ = ["keccak256"]

_RATE = 136
"""Bytes absorbed a permutation: 1600 bits less twice 256 bits of capacity."""
_LANE = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    """The 24 constants of iota from their shift register, FIPS 202 s3.2.5."""
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if state & 1:
                constant |= 1 << ((1 << power) - 1)
            state = state << 1 ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _rho_and_pi() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each place after pi: the place it comes from and its rotation, FIPS 202 s3.2.2-3.2.3."""
    sources, turns = [0] * 25, [0] * 25
    x, y, turn = 1, 0, 0
    for step in range(1, 25):
        turn = (turn + step) % 64
        following = (y, (2 * x + 3 * y) % 5)
        place = following[0] + 5 * following[1]
        sources[place], turns[place] = x + 5 * y, turn
        x, y = following
    return tuple(sources), tuple(turns)


_ROUND_CONSTANTS = _round_constants()
_SOURCES, _LEFT = _rho_and_pi()
_RIGHT = tuple(64 - turn for turn in _LEFT)
_MOVED = itemgetter(*_SOURCES)
_NEXT = itemgetter(*(place // 5 * 5 + (place % 5 + 1) % 5 for place in range(25)))
_AFTER_NEXT = itemgetter(*(place // 5 * 5 + (place % 5 + 2) % 5 for place in range(25)))


def keccak256(data: bytes) -> Digest:
    """Keccak-256 of the bytes; about 0.25 ms for each started 136 bytes in CPython 3.11."""
    padded = bytearray(data) + bytes(_RATE - len(data) % _RATE)
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * 25
    for start in range(0, len(padded), _RATE):
        for lane in range(17):
            at = start + 8 * lane
            state[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        state = _permute(state)
    return Digest(b"".join(lane.to_bytes(8, "little") for lane in state[:4]))


def _permute(a: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes, lane x + 5y: theta, rho and pi, chi, iota in each round."""
    for constant in _ROUND_CONSTANTS:
        c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
        c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
        c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
        c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
        c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
        columns = (
            c4 ^ (c1 << 1 & _LANE | c1 >> 63),
            c0 ^ (c2 << 1 & _LANE | c2 >> 63),
            c1 ^ (c3 << 1 & _LANE | c3 >> 63),
            c2 ^ (c4 << 1 & _LANE | c4 >> 63),
            c3 ^ (c0 << 1 & _LANE | c0 >> 63),
        )
        mixed = _MOVED([lane ^ column for lane, column in zip(a, columns * 5, strict=True)])
        b = [t << n & _LANE | t >> m for t, n, m in zip(mixed, _LEFT, _RIGHT, strict=True)]
        a = [x ^ (~y & z) for x, y, z in zip(b, _NEXT(b), _AFTER_NEXT(b), strict=True)]
        a[0] ^= constant
    return a
