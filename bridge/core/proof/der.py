"""DER as far as time-stamp tokens need it: definite lengths, shortest form, nothing trailing.

Source: ITU-T X.690 s8 and s10. BER's freedoms are refused: two spellings of one value would let a
token be altered without a trace.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

from bridge.core.errors import BridgeError, Fault

__all__ = [
    "BOOLEAN",
    "INTEGER",
    "NULL",
    "OCTETS",
    "OID",
    "SEQUENCE",
    "SET",
    "TIME",
    "Element",
    "context",
    "encode",
    "encode_integer",
    "encode_oid",
    "parse_der",
    "refuse_form",
]

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_ELEMENTS: Final = 512
"""Children of one element; a token holds at most a handful of certificates and attributes."""
_TIME: Final = re.compile(rb"([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z")


def context(number: int, *, constructed: bool = True) -> int:
    """The tag byte of a context-specific element, such as `[0]`."""
    return 0x80 | (0x20 if constructed else 0) | number


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One tag, length, value."""

    tag: int
    value: bytes
    whole: bytes
    """Tag and length included."""

    def children(self, tag: int | None = None) -> tuple["Element", ...]:
        """What a constructed element holds, which must have been written without a gap."""
        if tag is not None:
            self.expect(tag)
        return tuple(_elements(self.value))

    def expect(self, tag: int) -> "Element":
        """Itself, when it has this tag."""
        if self.tag != tag:
            refuse_form(f"tag 0x{self.tag:02x} where 0x{tag:02x} is expected")
        return self

    def inside(self, tag: int) -> "Element":
        """The single element of an explicit tag."""
        inner = self.children()
        if len(inner) != 1:
            refuse_form(f"{len(inner)} elements where one is expected")
        return inner[0].expect(tag)

    def exactly(self, count: int) -> tuple["Element", ...]:
        """The elements of a SEQUENCE of so many."""
        parts = self.children(SEQUENCE)
        if len(parts) != count:
            refuse_form(f"{len(parts)} elements where {count} are expected")
        return parts

    def at_least(self, count: int) -> tuple["Element", ...]:
        """The elements of a SEQUENCE of so many or more."""
        parts = self.children(SEQUENCE)
        if len(parts) < count:
            refuse_form(f"{len(parts)} elements where at least {count} are expected")
        return parts

    def boolean(self) -> bool:
        """True or false, as DER spells them."""
        if self.expect(BOOLEAN).value not in (b"\0", b"\xff"):
            refuse_form("a truth value is neither 00 nor ff")
        return self.value == b"\xff"

    def oid(self) -> str:
        """An object identifier in dotted form."""
        self.expect(OID)
        arcs, arc = [], 0
        for place, byte in enumerate(self.value):
            if byte == 0x80 and arc == 0 and (place == 0 or self.value[place - 1] < 0x80):
                refuse_form("an object identifier is not in its shortest form")
            arc = arc << 7 | byte & 0x7F
            if byte < 0x80:
                arcs.append(arc)
                arc = 0
        if not self.value or len(self.value) > 64 or self.value[-1] >= 0x80:
            refuse_form("an object identifier is cut or too long")
        first = min(arcs[0] // 40, 2)
        return ".".join(str(one) for one in (first, arcs[0] - 40 * first, *arcs[1:]))

    def integer(self) -> int:
        """A whole number of at most 64 bytes."""
        self.expect(INTEGER)
        data = self.value
        padded = len(data) > 1 and (data[0], data[1] >> 7) in ((0, 0), (0xFF, 1))
        if not 1 <= len(data) <= 64 or padded:
            refuse_form("a whole number is empty, too long or not in its shortest form")
        return int.from_bytes(data, signed=True)

    def time_text(self) -> tuple[datetime, bool]:
        """GeneralizedTime as whole seconds in UTC, and whether a fraction was cut off."""
        found = _TIME.fullmatch(self.expect(TIME).value)
        if not found:
            refuse_form("a time is not YYYYMMDDhhmmss[.f]Z")
        try:
            moment = datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            refuse_form("a time names a day or hour that does not exist")
        return moment, found[2] is not None


def parse_der(data: bytes) -> Element:
    """The single element that these bytes are.

    Raises:
        BridgeError: `token-form`; so do all readers of an element.
    """
    found = tuple(_elements(data))
    if len(found) != 1:
        refuse_form(f"{len(found)} elements where one is expected")
    return found[0]


def encode(tag: int, *parts: bytes) -> bytes:
    """One element over the joined parts; the inverse of `parse_der`."""
    value = b"".join(parts)
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    size = len(value).to_bytes((len(value).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + value


def encode_integer(number: int) -> bytes:
    """A whole number from 0."""
    return encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def encode_oid(text: str) -> bytes:
    """An object identifier from its dotted form."""
    first, second, *rest = (int(arc) for arc in text.split("."))
    return encode(OID, *(_arc(arc) for arc in (40 * first + second, *rest)))


def _arc(arc: int) -> bytes:
    parts = [arc & 0x7F]
    while arc := arc >> 7:
        parts.append(arc & 0x7F | 0x80)
    return bytes(reversed(parts))


def _elements(data: bytes) -> Iterator[Element]:
    at = count = 0
    while at < len(data):
        count += 1
        if count > MAX_ELEMENTS:
            refuse_form(f"more than {MAX_ELEMENTS} elements in a row")
        begin, at = at, at + 2
        if at > len(data) or data[begin] & 0x1F == 0x1F:
            refuse_form("an element is cut, or its tag has several bytes")
        size = data[begin + 1]
        if size >= 0x80:
            size, at = _long_size(data, at, size & 0x7F)
        if at + size > len(data):
            refuse_form("an element is cut")
        at += size
        yield Element(tag=data[begin], value=data[at - size : at], whole=data[begin:at])


def _long_size(data: bytes, at: int, width: int) -> tuple[int, int]:
    """A length of several bytes and where the value begins."""
    digits = data[at : at + width]
    size = int.from_bytes(digits)
    if not 1 <= width <= 3 or len(digits) != width or size < 0x80 or digits[0] == 0:
        refuse_form("a length is indefinite, cut, too large or not in its shortest form")
    return size, at + width


def refuse_form(what: str) -> NoReturn:
    """Say that bytes are no time-stamp token of the form that is read here."""
    raise BridgeError(
        "token-form",
        Fault.SENDER,
        what=what,
        where="time-stamp token",
        do="fetch the token again from whoever issued it",
    )
