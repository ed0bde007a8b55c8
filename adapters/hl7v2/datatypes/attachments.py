"""Documents: ED holds the bytes, RP points at them.

HL7 v2.8 ch. 2A.2.26 (ED), 2A.2.62 (RP); v2-to-FHIR maps ED[Attachment], RP[Attachment];
https://hl7.org/fhir/R4/datatypes.html#attachment wants contentType, size and a SHA-1 hash.
"""

import binascii
import hashlib
from base64 import b64decode, b64encode
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import (
    DELETE,
    clean,
    code_part,
    part,
    split_parts,
    uri_text,
)
from adapters.hl7v2.datatypes.registry import datatype
from bridge.core.record.bundle import JsonObject, Severity

__all__ = ["ed_attachment", "rp_attachment", "starts_document"]

_TYPES: Final = {
    "ap": "application",
    "application": "application",
    "au": "audio",
    "audio": "audio",
    "ft": "text",
    "im": "image",
    "image": "image",
    "multipart": "multipart",
    "text": "text",
    "tx": "text",
    "video": "video",
}
"""Table 0191 and its older codes to the top-level media types of RFC 2046."""
_SUBTYPES: Final = {
    "basic": "audio/basic",
    "dicom": "application/dicom",
    "doc": "application/msword",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "octet-stream": "application/octet-stream",
    "pdf": "application/pdf",
    "plain": "text/plain",
    "png": "image/png",
    "rtf": "application/rtf",
    "sgml": "text/sgml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "x-hl7-cda-level-one": "application/x-hl7-cda-level-one",
    "xml": "text/xml",
}
"""Table 0291 and the file suffixes that senders write there."""
_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"<?xml", "text/xml"),
    (b"PK\x03\x04", "application/zip"),
)
_UNKNOWN: Final = "application/octet-stream"
_MIME: Final = frozenset(
    " !#$&-^_./+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)
"""Characters of a media type (RFC 6838 s4.2), and the space that senders put in between."""


@datatype("ED", "Attachment", reads=(2, 3, 4, 5))
def ed_attachment(text: str, ctx: Context) -> JsonObject | None:
    """The document as base64 with media type, size in bytes and SHA-1.

    None, with an error finding `attachment-encoding`, when ED.5 is not what ED.4 says: half a
    document is worse than none, and the message as received is kept.
    """
    parts = split_parts(text, ctx)
    if len(parts) < 5 or not parts[4]:
        return None
    # Base64 has no delimiter in it; a text that does was sent unescaped and stays whole.
    whole = ctx.component.join(parts[4:])
    encoding = code_part(parts, 4, ctx).lower()
    # What is no base64 is refused below, so its characters need not be looked at twice.
    body = ctx.text(whole).strip() if encoding == "base64" else clean(whole, ctx)
    if not body or body == DELETE:
        return None
    data = _decoded(body, encoding, ctx)
    if data is None:
        ctx.note(
            "attachment-encoding",
            "a document is not in the encoding that its fourth component names: send it again",
            Severity.ERROR,
        )
        return None
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return {
        "contentType": _media_type(parts, 2, data, ctx),
        "data": _encoded(data, body),
        "size": len(data),
        "hash": b64encode(digest).decode("ascii"),
    }


@datatype("RP", "Attachment", reads=(1, 3, 4))
def rp_attachment(text: str, ctx: Context) -> JsonObject | None:
    """The pointer as url, with its media type."""
    parts = split_parts(text, ctx)
    url = uri_text(part(parts, 1, ctx))
    if not url:
        return None
    result: JsonObject = {"url": url}
    if len(parts) > 2:
        media = _named_type(code_part(parts, 3, ctx), code_part(parts, 4, ctx))
        if media:
            result["contentType"] = media
    return result


def starts_document(data: bytes) -> bool:
    """Whether the bytes begin as a document of a known type does."""
    return any(data.startswith(magic) for magic, _ in _MAGIC)


def _decoded(body: str, encoding: str, ctx: Context) -> bytes | None:
    """The bytes of table 0299: A (none), Hex, Base64; unsaid or unknown, base64 if it is that."""
    if encoding == "a":
        return body.encode()
    if encoding == "hex":
        return _hexadecimal(body)
    if encoding == "base64":
        return _base64(body, ctx)
    found = _base64(body, ctx) if len(body) % 4 == 0 else None
    ctx.note("attachment-encoding-unsaid", "a document's encoding is not of table 0299")
    return body.encode() if found is None else found


def _encoded(data: bytes, body: str) -> str:
    """Base64 of the data: the text that was sent where it is that already.

    A text of the right length that decodes strictly has no line breaks and lacks no padding; only
    the unused bits of its last four characters may differ.
    """
    if len(body) == (len(data) + 2) // 3 * 4:
        last = b64encode(data[(len(data) - 1) // 3 * 3 :]).decode("ascii")
        if body.endswith(last):
            return body
    return b64encode(data).decode("ascii")


def _hexadecimal(body: str) -> bytes | None:
    try:
        return bytes.fromhex(body) or None
    except ValueError:
        return None


def _base64(body: str, ctx: Context) -> bytes | None:
    """RFC 4648 s4 with line breaks; missing padding is restored and reported."""
    if len(body) % 4 == 0:  # mostly it has no line breaks, and looking for them takes as long
        try:
            return b64decode(body.encode(), validate=True) or None
        except binascii.Error:
            pass
    packed = "".join(body.split())
    missing = -len(packed) % 4
    if missing:
        packed += "=" * missing
    try:
        data = b64decode(packed.encode(), validate=True)
    except binascii.Error:
        return None
    if missing:
        ctx.note("attachment-padding", "base64 padding was missing", Severity.INFORMATION)
    return data or None


def _media_type(parts: list[str], at: int, data: bytes, ctx: Context) -> str:
    """What ED.2 and ED.3 say, else what the first bytes say."""
    kind, subtype = code_part(parts, at, ctx), code_part(parts, at + 1, ctx)
    named = _named_type(kind, subtype)
    if named and named != _UNKNOWN:
        return named
    for magic, media in _MAGIC:
        if data.startswith(magic):
            return media
    return named or ("text/plain" if _TYPES.get(kind.lower()) == "text" else _UNKNOWN)


def _named_type(kind: str, subtype: str) -> str:
    """A media type from table 0191 and 0291 or from what senders write in their place."""
    if not _MIME.issuperset(kind + subtype):
        return ""
    kind, subtype = kind.lower().replace(" ", ""), subtype.lower().replace(" ", "")
    for whole in (subtype, kind):
        if "/" in whole:
            return whole
    known = _SUBTYPES.get(subtype) or ("" if subtype else _SUBTYPES.get(kind, ""))
    top = _TYPES.get(kind, "")
    if known and (not top or known.startswith(top) or subtype in {"pdf", "rtf", "dicom"}):
        return known
    return f"{top}/{subtype}" if top and subtype else ""
