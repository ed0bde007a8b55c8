"""Deterministic ids: one business key gives one resource id in every process, for ever."""

import hashlib

import msgspec

__all__ = ["lane", "resource_id"]

_array = msgspec.json.encode
"""Of texts alone: `canon.canonical` without its look at keys, of which there are none."""
_HEX_DIGITS = 40
"""160 bits: nobody finds two keys of one id, and a FHIR id may have 64 characters."""


def resource_id(namespace: str, resource_type: str, *key: str) -> str:
    """A FHIR id (https://hl7.org/fhir/R4/datatypes.html#id) of 40 hexadecimal digits.

    The first 160 bits of SHA-256 over the canonical JSON array `["fhir-anchor/id/1", namespace,
    resource_type, ...key]`: quotes and escapes keep ("a", "bc") and ("ab", "c") apart.

    Args:
        namespace: the sending organisation's name space; two hospitals never share ids by accident.
        resource_type: such as `Patient`.
        key: identifier with its assigning authority, else control id and source path.
    """
    parts = _array(["fhir-anchor/id/1", namespace, resource_type, *key])
    return hashlib.sha256(parts).hexdigest()[:_HEX_DIGITS]


def lane(namespace: str, *key: str) -> str:
    """Name of an ordering lane: 40 hexadecimal digits that reveal nothing of the key."""
    parts = _array(["fhir-anchor/lane/1", namespace, *key])
    return hashlib.sha256(parts).hexdigest()[:_HEX_DIGITS]
