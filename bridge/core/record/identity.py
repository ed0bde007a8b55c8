"""Deterministic ids: one business key gives one resource id in every process, for ever."""

import hashlib
from functools import lru_cache
from typing import Final

__all__ = ["lane", "resource_id"]


_LETTERS: Final = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")
"""The alphabet of RFC 4648 base32 in lower case."""
_LENGTHS: Final = tuple(length.to_bytes(4) for length in range(256))


def _halvings() -> tuple[tuple[int, int, int], ...]:
    """Masks of the low and the high halves of all groups, and how far the high ones move.

    160 bits become 2 groups of 80, 4 of 40 and so on to 32 of 5, each group in its own slot of
    twice that many bytes as there are groups left to split: at the end each 5 bits are one byte.
    """
    steps = []
    for level, (bits, slot) in enumerate(((80, 128), (40, 64), (20, 32), (10, 16), (5, 8))):
        low = sum(((1 << bits) - 1) << (2 * slot * group) for group in range(1 << level))
        steps.append((low, low << bits, slot - bits))
    return tuple(steps)


_HALVINGS: Final = _halvings()


@lru_cache(maxsize=1024)
def _begun(*parts: str) -> "hashlib._Hash":
    """SHA-256 over the parts that the keys of one name space share; copied, never updated."""
    return hashlib.sha256(_joined(parts))


def _joined(parts: tuple[str, ...]) -> bytes:
    """Length-prefixed parts, so that ("a", "bc") and ("ab", "c") never meet."""
    joined = b""
    for text in parts:
        part = text.encode()
        length = len(part)
        joined += (_LENGTHS[length] if length < 256 else length.to_bytes(4)) + part
    return joined


def _key(shared: tuple[str, ...], parts: tuple[str, ...]) -> str:
    """The first 160 bits of SHA-256 over all parts, as 32 letters a-z2-7.

    Base32 by five steps over one number takes 0.9 us, letter by letter 1.9 us, `base64.b32encode`
    4 us: ids are made ten and more a message.
    """
    state = _begun(*shared).copy()
    state.update(_joined(parts))
    number = int.from_bytes(state.digest()[:20])
    for low, high, shift in _HALVINGS:
        number = number & low | (number & high) << shift
    return number.to_bytes(32).translate(_LETTERS).decode()


def resource_id(namespace: str, resource_type: str, *key: str) -> str:
    """A FHIR id (https://hl7.org/fhir/R4/datatypes.html#id) of 32 characters a-z2-7.

    Args:
        namespace: the sending organisation's name space; two hospitals never share ids by accident.
        resource_type: such as `Patient`.
        key: identifier with its assigning authority, else control id and source path.
    """
    return _key(("fhir-anchor/id/1", namespace, resource_type), key)


def lane(namespace: str, *key: str) -> str:
    """Name of an ordering lane: 32 characters that reveal nothing of the key."""
    return _key(("fhir-anchor/lane/1", namespace), key)
