"""MSH of any bytes whatever: the fields that a door needs before and without the whole parser.

Source: HL7 v2.5.1 ch. 2.15.9 (MSH), ch. 2.5.4 (delimiters). Reading never raises: what cannot
be read is empty, because a refusal must be worded for bytes that are not HL7 at all.
"""

import codecs
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["DEFAULT", "HEADER_LIMIT", "Delimiters", "Header", "end_of_header", "read_header"]

HEADER_LIMIT = 65_536
"""Bytes that are searched for the end of MSH. Real ones have 60 to 400; a field of 1 MB in MSH is
an attack, and what stands behind it is not read here."""
FIELD_LIMIT = 32
"""Fields that are split; MSH has 25 in v2.8.2."""
LEADING = b"\xef\xbb\xbf\r\n \t\0"
"""A UTF-8 byte order mark, line ends and padding that senders put before MSH."""
UTF_16 = {
    codecs.BOM_UTF16_LE: ("utf-16-le", codecs.BOM_UTF16_LE),
    codecs.BOM_UTF16_BE: ("utf-16-be", codecs.BOM_UTF16_BE),
    b"M\0": ("utf-16-le", b""),
    b"\0M": ("utf-16-be", b""),
}
"""The one charset family of table 0211 in which MSH does not read as ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """MSH-1 and MSH-2; `escape` and `subcomponent` are empty where the sender declares none."""

    field: bytes = b"|"
    component: bytes = b"^"
    repetition: bytes = b"~"
    escape: bytes = b"\\"
    subcomponent: bytes = b"&"
    declared: bytes = b"^~\\&"
    """MSH-2 as sent, with a truncation character (v2.7) where there is one."""


DEFAULT = Delimiters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What MSH says, as bytes; `parts[n - 1]` is MSH-n for n of 3 and more."""

    delimiters: Delimiters
    parts: tuple[bytes, ...]
    well_delimited: bool
    """MSH-1 and MSH-2 were usable, so the fields may be copied as they stand."""
    encoding: str = ""
    """`utf-16-le` or `utf-16-be` if the message is so encoded: the parts are then UTF-8."""
    mark: bytes = b""
    """The byte order mark of such a message."""

    def field(self, number: int) -> bytes:
        """MSH-n as sent, not unescaped; empty when absent."""
        if number < 3:
            return (b"", self.delimiters.field, self.delimiters.declared)[number]
        return self.parts[number - 1] if number <= len(self.parts) else b""

    def component(self, number: int, position: int) -> bytes:
        """Component of the first repetition of MSH-n, both from 1; empty when absent."""
        first = self.field(number).split(self.delimiters.repetition, 1)[0]
        components = first.split(self.delimiters.component, position)
        return components[position - 1] if position <= len(components) else b""

    def text(self, number: int, position: int = 1) -> str:
        """The component as text for a log or a comparison: UTF-8, else each byte a character."""
        found = self.component(number, position)
        try:
            return found.decode()
        except UnicodeDecodeError:
            return found.decode("latin-1")


def read_header(raw: bytes) -> Header:
    """MSH of the message, whatever the bytes are. Never raises."""
    encoding, mark = UTF_16.get(raw[:2], ("", b""))
    if encoding:
        text = raw[len(mark) : HEADER_LIMIT].decode(encoding, "replace").encode("utf-8", "replace")
        if text.startswith(b"MSH"):
            raw = text
        else:
            encoding, mark = "", b""
    if not raw.startswith(b"MSH"):
        raw = raw[:HEADER_LIMIT].lstrip(LEADING)
    segment = raw[: end_of_header(raw)]
    separator, delimiters = segment[3:4], None
    parts: tuple[bytes, ...] = ()
    if segment.startswith(b"MSH") and _may_delimit(separator):
        parts = tuple(segment.split(separator, FIELD_LIMIT)[:FIELD_LIMIT])
        delimiters = _delimiters(separator, parts[1][:6])
    return Header(
        delimiters=delimiters or DEFAULT,
        parts=parts,
        well_delimited=delimiters is not None,
        encoding=encoding,
        mark=mark,
    )


def end_of_header(raw: bytes) -> int:
    """Where MSH, with which the bytes begin, ends: at the line end that a segment follows.

    Senders on Unix end segments with LF, others let one stand inside a field of MSH.
    """
    stop = _line_end(raw, 0)
    while stop < HEADER_LIMIT:
        behind = raw[stop : stop + 16].lstrip(b"\r\n\t ")
        if not behind or (behind[:3].isalnum() and behind[3:4] in {raw[3:4], b"\r", b"\n", b""}):
            break
        stop = _line_end(raw, stop + 1)
    return stop


def _line_end(raw: bytes, start: int) -> int:
    end = raw.find(b"\r", start, HEADER_LIMIT)
    stop = min(HEADER_LIMIT, len(raw)) if end < 0 else end
    line_feed = raw.find(b"\n", start, stop)
    return stop if line_feed < 0 else line_feed


@lru_cache(maxsize=64)  # a process meets a handful; bounded against a sender that varies them
def _delimiters(field: bytes, declared: bytes) -> Delimiters | None:
    """None where they are letters, repeated, missing or too many (ch. 2.5.4)."""
    signs = [declared[i : i + 1] for i in range(len(declared))]
    distinct = len({field, *signs}) == len(signs) + 1
    if not (2 <= len(signs) <= 5 and distinct and all(map(_may_delimit, (field, *signs)))):
        return None
    escape, subcomponent = (*signs[2:4], b"", b"")[:2]
    return Delimiters(
        field=field,
        component=signs[0],
        repetition=signs[1],
        escape=escape,
        subcomponent=subcomponent,
        declared=declared,
    )


def _may_delimit(sign: bytes) -> bool:
    """Printable ASCII that is neither letter, digit nor space."""
    return b"!" <= sign <= b"~" and len(sign) == 1 and not sign.isalnum()
