"""Deterministic ids: one business key gives one resource id in every process, for ever."""

import base64

from bridge.core.ids import sha256

__all__ = ["lane", "resource_id"]


def _key(purpose: str, parts: tuple[str, ...]) -> bytes:
    """SHA-256 over length-prefixed parts, so that ("a", "bc") and ("ab", "c") never meet."""
    data = b"".join(
        len(part).to_bytes(4) + part for part in (text.encode() for text in (purpose, *parts))
    )
    return sha256(data)


def resource_id(namespace: str, resource_type: str, *key: str) -> str:
    """A FHIR id (https://hl7.org/fhir/R4/datatypes.html#id) of 32 characters a-z2-7.

    Args:
        namespace: the sending organisation's name space; two hospitals never share ids by accident.
        resource_type: such as `Patient`.
        key: identifier with its assigning authority, else control id and source path.
    """
    digest = _key("fhir-anchor/id/1", (namespace, resource_type, *key))
    return base64.b32encode(digest[:20]).decode("ascii").lower()


def lane(namespace: str, *key: str) -> str:
    """Name of an ordering lane: 32 characters that reveal nothing of the key."""
    digest = _key("fhir-anchor/lane/1", (namespace, *key))
    return base64.b32encode(digest[:20]).decode("ascii").lower()
