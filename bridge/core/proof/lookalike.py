"""Why a document that nobody edited is not what was sealed: a program saved its text otherwise.

The verdict stays: other bytes are other bytes. But whoever asks should learn that a text editor, a
mail program or a transfer in text mode did it, and look for the untouched file.
"""

from collections.abc import Callable, Collection
from typing import Final

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, sha256
from bridge.core.record.canon import canonicalise

__all__ = ["lookalike"]

_BOM: Final = b"\xef\xbb\xbf"


def _narrow(data: bytes) -> bytes:
    try:
        return data.decode("utf-16").encode() if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else data
    except UnicodeError:
        return data


def _ends(data: bytes, end: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", end)


_WAYS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without its byte order mark", lambda data: data.removeprefix(_BOM)),
    ("in UTF-8 instead of UTF-16", _narrow),
    ("with line ends CR, as HL7 v2 has them", lambda data: _ends(data, b"\r")),
    ("with line ends LF", lambda data: _ends(data, b"\n")),
    ("with line ends CR LF", lambda data: _ends(data, b"\r\n")),
    ("without the line ends behind its text", lambda data: data.rstrip(b"\r\n")),
    ("with line ends CR and one more", lambda data: _ends(data.rstrip(b"\r\n"), b"\r") + b"\r"),
    ("without its MLLP frame", lambda data: data.removeprefix(b"\x0b").removesuffix(b"\x1c\r")),
)
"""Read as: it would be what was sealed, if it stood there ..."""


def lookalike(document: bytes, sealed: Collection[Digest]) -> str:
    """How the document would have to be saved to be what was sealed; empty when no way is known."""
    for words, way in _WAYS:
        other = way(document)
        if other != document and not _digests(other).isdisjoint(sealed):
            return words
    return ""


def _digests(data: bytes) -> set[Digest]:
    """Of the bytes, and of their canonical form when they have one."""
    try:
        return {sha256(data), sha256(canonicalise(data))}
    except BridgeError:
        return {sha256(data)}
