"""Segments of one message: bytes to lines and delimiters, lazily, losing nothing.

HL7 v2.5.1 ch. 2.5 and 2.6. Fields are split by who reads them; this page finds the header, decides
the delimiters, ends the segments, and can say at which byte a position stands.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final

from adapters.hl7v2.charset import decode
from adapters.hl7v2.header import HEADER_LIMIT, end_of_header
from bridge.core.errors import BridgeError, Fault

__all__ = ["MAX_MESSAGE_BYTES", "MAX_SEGMENTS", "Delimiters", "Message", "header", "read"]

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""As MLLP frames (design: intake): a scanned document of 12 MB in base64 still fits."""
MAX_SEGMENTS: Final = 120_000
"""Of four bytes each 16 MiB would hold four million, minutes in the one thread that commits; these
take five seconds. No real message has passed 50,000."""
ABSENT: Final = "\x1f"
"""Stands for a delimiter that MSH-2 does not declare: control characters never survive reading."""

_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\r\n\x1b")
_CONTROL_SIGNS: Final = tuple(bytes((code,)) for code in _CONTROLS)
_NAME: Final = itemgetter(slice(0, 3))
_FRAMING: Final = b" \t\r\n\x00\x0b"
Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimiters:
    """What MSH-1 and MSH-2 say; an undeclared one is a character that cannot occur."""

    field: str
    component: str
    repetition: str = ABSENT
    escape: str = ""
    subcomponent: str = ABSENT
    truncation: str = "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The lines of one message. `lines[0]` is MSH; a line is never empty."""

    lines: list[str]
    delimiters: Delimiters
    codec: str
    start: int
    """Offset of MSH in the bytes as received."""

    def offset(self, segment: int, field: int = 0) -> int:
        """Byte offset, from the first byte received, of a segment (from 0) or one of its fields.

        Counts one byte a segment end; with CRLF ends it is short by one a segment.
        """
        before = sum(len(line.encode(self.codec, "replace")) + 1 for line in self.lines[:segment])
        parts = self.lines[segment].split(self.delimiters.field)
        shift = 1 if segment == 0 else 0  # MSH-1 is the separator itself
        text = "".join(part + self.delimiters.field for part in parts[: max(0, field - shift)])
        return self.start + before + len(text.encode(self.codec, "replace"))


def header(raw: bytes) -> list[str]:
    """Fields of MSH read byte by byte as latin-1, or an empty list; never raises.

    Element n is MSH-n from n = 1 on, as for every other segment.
    """
    data = raw if raw[:3] == b"MSH" else _unmarked(raw[:HEADER_LIMIT].lstrip(_FRAMING), raw)
    if data[:3] != b"MSH" or len(data) < 4:
        return []
    line = data[: end_of_header(data)].decode("latin-1")
    if len(line) < 4:
        return []
    parts = line.split(line[3])
    return [parts[0], line[3], *parts[1:]]


def _unmarked(data: bytes, raw: bytes) -> bytes:
    """The same without a byte order mark, and of UTF-16 as if it were latin-1."""
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if data.startswith(mark):
            codec = "utf-8" if mark[0] == 0xEF else "utf-16"
            text = raw[:HEADER_LIMIT].decode(codec, "replace").lstrip("\ufeff")
            return text.encode("latin-1", "replace")
    return data


def read(
    raw: bytes,
    *,
    head: list[str] | None = None,
    charset: str = "",
    senders: tuple[str, ...] = (),
    note: Note,
) -> Message:
    """The message in these bytes.

    Args:
        raw: one message; framing bytes around it are tolerated and reported.
        head: what `header` said of these bytes, if it was asked before.
        charset: of the transport, empty when it says none.
        senders: the profile's charset and its fallback.
        note: takes (code, text) of a finding.

    Raises:
        BridgeError: `message-size`, `header-missing`, `delimiter-*`, `segment-count`,
            `message-many`, `batch-header`: all of fault SENDER.
    """
    if len(raw) > MAX_MESSAGE_BYTES:
        raise _refuse(
            "message-size",
            f"a message has {len(raw)} bytes, at most {MAX_MESSAGE_BYTES} are read",
            "message",
            "send large documents by reference (RP) or split the message",
        )
    head = header(raw) if head is None else head
    if not head:
        raise _no_header(raw)
    wide = raw[:2] in {b"\xff\xfe", b"\xfe\xff"}
    data = raw if wide else raw.strip(b" \t\x00\x0b\x1c\r\n")
    start = 0 if wide else len(raw) - len(raw.lstrip(b" \t\x00\x0b\x1c\r\n"))
    if not wide and len(data) != len(raw.rstrip(b"\r\n")):
        note("framing-bytes", "bytes of framing or blank lines around the message were skipped")
    declared: tuple[str, ...] = ()
    if len(head) > 18 and head[18]:
        declared = tuple([name for name in head[18].split(_repetition(head)) if name])
    text, codec = decode(data, declared=declared, transport=charset, senders=senders, note=note)
    # One look a sign is several times as fast as one pass that drops them all.
    if wide or [1 for sign in _CONTROL_SIGNS if sign in data] or "\x1b" in text:
        clean = text.translate(dict.fromkeys((*_CONTROLS, 0x1B)))
        if clean != text:
            note("control-characters", "control characters that FHIR forbids were dropped")
        text = clean
    if text[:3] != "MSH" or len(text) < 4:
        raise _no_header(raw)
    delimiters = _delimiters(text, start)
    return Message(
        lines=_lines(text, delimiters, note), delimiters=delimiters, codec=codec, start=start
    )


def _repetition(head: list[str]) -> str:
    """The repetition separator as MSH-2 spells it, before anything is checked."""
    return head[2][1] if len(head) > 2 and len(head[2]) > 1 else "~"


def _no_header(raw: bytes) -> BridgeError:
    """The refusal of what is no message, or a batch, or cut."""
    start = raw[:64].lstrip(_FRAMING)
    if start[:3] in {b"FHS", b"BHS"}:
        return _refuse(
            "batch-header",
            "a batch was offered where one message is expected",
            f"{start[:3].decode()}, byte 0",
            "split the batch first, each message is its own record",
        )
    if start[:3] == b"MSH":
        return _refuse(
            "header-cut",
            "the message ends inside MSH",
            f"MSH, byte {len(raw)}",
            "send the whole message",
        )
    return _refuse(
        "header-missing",
        "the message does not begin with MSH",
        "byte 0",
        "send one HL7 v2 message that starts with MSH and its delimiters",
    )


def _delimiters(text: str, start: int) -> Delimiters:
    """MSH-1 and MSH-2, refused where a reader could not tell data from delimiters."""
    field = text[3]
    end = text.find(field, 4)
    declared = text[4 : len(text) if end < 0 else end]
    return _declared(field, declared.split("\r", 1)[0].split("\n", 1)[0], start)


@lru_cache(maxsize=64)  # a process meets a handful; bounded against a sender that varies them
def _declared(field: str, declared: str, start: int) -> Delimiters:
    """The delimiters of MSH-1 and MSH-2."""
    _check(field, "MSH-1", start + 3)
    if not declared:
        raise _refuse(
            "delimiter-missing",
            "MSH-2 declares no delimiters",
            f"MSH-2, byte {start + 4}",
            "send MSH-2 as ^~\\& or with the characters that the message uses",
        )
    if len(declared) > 5:
        raise _refuse(
            "delimiter-count",
            f"MSH-2 has {len(declared)} characters, found more than 5",
            f"MSH-2, byte {start + 4}",
            "send component, repetition, escape, subcomponent and truncation, nothing else",
        )
    seen = field
    for position, character in enumerate(declared):
        _check(character, "MSH-2", start + 4 + position)
        if character in seen:
            raise _refuse(
                "delimiter-repeated",
                "one character is declared for two delimiters",
                f"MSH-2, byte {start + 4 + position}",
                "give each delimiter its own character",
            )
        seen += character
    names = ("component", "repetition", "escape", "subcomponent", "truncation")
    return Delimiters(field=field, **dict(zip(names, declared, strict=False)))


def _check(character: str, field: str, offset: int) -> None:
    """Refuse a delimiter that data would contain."""
    if character.isalnum() or character.isspace() or not character.isprintable():
        raise _refuse(
            "delimiter-form",
            "a delimiter is a letter, a digit, a space or a control character",
            f"{field}, byte {offset}",
            "declare punctuation as delimiters, usually |^~\\&",
        )


def _lines(text: str, delimiters: Delimiters, note: Note) -> list[str]:
    """The segments; ends of line other than CR are tolerated and reported."""
    if "\n" in text:
        note("segment-end", "segments end with LF or CRLF where HL7 says CR")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    lines = text.split("\r")
    if len(lines) > MAX_SEGMENTS:
        raise _refuse(
            "segment-count",
            f"a message has {len(lines)} segments, at most {MAX_SEGMENTS} are read",
            "message",
            "split the message",
        )
    field = delimiters.field
    if not lines[-1]:
        lines.pop()
    if [1 for line in lines if line[3:4] != field or not line[:3].isalnum()]:
        lines = _gathered(lines, field, note)
    if [*map(_NAME, lines)].count("MSH") != 1:
        _one_header(lines)
    return lines


def _gathered(lines: list[str], field: str, note: Note) -> list[str]:
    """The segments where some line is not one: what starts none belongs to the one before."""
    kept: list[str] = []
    tail: list[str] = []
    for line in lines:
        if (line[3:4] == field or len(line) == 3) and line[:3].isalnum():
            if tail:
                kept[-1] = "\n".join((kept[-1], *tail))
                tail = []
            kept.append(line)
        elif line:
            _oddity(line, field, kept, tail, note)
    if tail:
        kept[-1] = "\n".join((kept[-1], *tail))
    return kept


def _oddity(line: str, field: str, kept: list[str], tail: list[str], note: Note) -> None:
    """A line that starts no segment: an indented one, or text after an unescaped line end."""
    trimmed = line.strip()
    if trimmed[:3].isalnum() and trimmed[3:4] == field:
        note("segment-indented", "blanks before a segment name were skipped")
        kept.append(trimmed)
    elif trimmed:
        if not tail:
            note("segment-continued", "a line that starts no segment was joined to the last one")
        tail.append(line)


def _one_header(lines: list[str]) -> None:
    """One message has one MSH."""
    for number, line in enumerate(lines[1:], 2):
        if line[:3] == "MSH":
            raise _refuse(
                "message-many",
                "a second MSH stands in one message",
                f"segment {number}",
                "send each message in its own frame, or split the file first",
            )


def _refuse(code: str, what: str, where: str, do: str) -> BridgeError:
    """A refusal whose fault is the sender's."""
    return BridgeError(code, Fault.SENDER, what=what, where=where, do=do)
