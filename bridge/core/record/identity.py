"""Deterministic ids: one business key gives one resource id in every process, for ever."""

import hashlib
from functools import lru_cache
from typing import Final

__all__ = ["lane", "resource_id"]


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = tuple(first + second for first in _LETTERS for second in _LETTERS)
"""Ten bits as two letters of RFC 4648 base32, lower case: ids are made ten and more a message."""
_SHIFTS: Final = tuple(range(150, -1, -10))


@lru_cache(maxsize=1024)
def _begun(*parts: str) -> "hashlib._Hash":
    """SHA-256 over the parts that the keys of one name space share; copied, never updated."""
    return hashlib.sha256(_joined(parts))


def _joined(parts: tuple[str, ...]) -> bytes:
    """Length-prefixed parts, so that ("a", "bc") and ("ab", "c") never meet."""
    encoded = [text.encode() for text in parts]
    return b"".join([len(part).to_bytes(4) + part for part in encoded])


def _key(shared: tuple[str, ...], parts: tuple[str, ...]) -> str:
    """The first 160 bits of SHA-256 over all parts, as 32 letters a-z2-7."""
    state = _begun(*shared).copy()
    state.update(_joined(parts))
    number = int.from_bytes(state.digest()[:20])
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


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
