"""Deterministic ids: one business key gives one resource id in every process, for ever."""

import hashlib
from functools import lru_cache
from typing import Final

__all__ = ["lane", "resource_id"]


_LETTERS: Final = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")
"""The alphabet of RFC 4648 base32 in lower case."""
_SHORT: Final = tuple("\0\0\0" + chr(length) for length in range(128))
"""The four bytes of a length below 128, which are ASCII: most keys are joined as text."""


def _halvings() -> tuple[tuple[int, int], ...]:
    """Masks of the high halves of all groups, and what adding so many times moves them.

    160 bits become 2 groups of 80, 4 of 40 and so on to 32 of 5, each group in its own slot of
    twice that many bytes as there are groups left to split: at the end each 5 bits are one byte.
    To move a half by n bits is to add it 2**n - 1 times.
    """
    steps = []
    for level, (bits, slot) in enumerate(((80, 128), (40, 64), (20, 32), (10, 16), (5, 8))):
        low = sum(((1 << bits) - 1) << (2 * slot * group) for group in range(1 << level))
        steps.append((low << bits, (1 << (slot - bits)) - 1))
    return tuple(steps)


_HALVINGS: Final = _halvings()


@lru_cache(maxsize=1024)
def _begun(*parts: str) -> "hashlib._Hash":
    """SHA-256 over the parts that the keys of one name space share; copied, never updated."""
    return hashlib.sha256(_joined(parts))


def _joined(parts: tuple[str, ...]) -> bytes:
    """Length-prefixed parts, so that ("a", "bc") and ("ab", "c") never meet."""
    joined = ""
    try:
        for part in parts:
            joined += _SHORT[len(part)] + part
    except IndexError:
        return _joined_bytes(parts)
    return joined.encode() if joined.isascii() else _joined_bytes(parts)


def _joined_bytes(parts: tuple[str, ...]) -> bytes:
    """The same of any parts: a length is that of the bytes in UTF-8."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4) + part for part in encoded)


def _letters(digest: bytes) -> str:
    """The first 160 bits as 32 letters a-z2-7.

    Base32 by five steps over one number takes 0.9 us, letter by letter 1.9 us, `base64.b32encode`
    4 us: ids are made ten and more a message.
    """
    number = int.from_bytes(digest[:20])
    for high, times in _HALVINGS:
        number += (number & high) * times
    return number.to_bytes(32).translate(_LETTERS).decode()


def resource_id(namespace: str, resource_type: str, *key: str) -> str:
    """A FHIR id (https://hl7.org/fhir/R4/datatypes.html#id) of 32 characters a-z2-7.

    The first 160 bits of SHA-256 over all parts.

    Args:
        namespace: the sending organisation's name space; two hospitals never share ids by accident.
        resource_type: such as `Patient`.
        key: identifier with its assigning authority, else control id and source path.
    """
    state = _begun("fhir-anchor/id/1", namespace, resource_type).copy()
    state.update(_joined(key))
    return _letters(state.digest())


def lane(namespace: str, *key: str) -> str:
    """Name of an ordering lane: 32 characters that reveal nothing of the key."""
    state = _begun("fhir-anchor/lane/1", namespace).copy()
    state.update(_joined(key))
    return _letters(state.digest())
