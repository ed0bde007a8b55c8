r"""Escape sequences, HL7 v2.5.1 and v2.8 ch. 2.7: `\F\ \S\ \T\ \R\ \E\ \P\ \Xhh\ \.br\` and kin.

Highlighting has no meaning in a FHIR string and goes; formatting commands become line breaks and
spaces; what this page does not know, local `\Z..\` included, stays as written and is reported.
"""

from typing import Final, Protocol

__all__ = ["EscapeContext", "unescape"]

_SILENT: Final = {"H", "N", "C2842", "C284A", ".fi", ".nf", ".in", ".ti"}
_MAX_REPEAT: Final = 99
"""`.sp` and `.sk` take a count; no page has more than 99 lines: a count cannot inflate a field."""
_ISO_2022: Final = {"M2440": "\x1b$@", "M2442": "\x1b$B", "M242844": "\x1b$(D"}
"""Multi-byte sets of table 0211 as `M..` names them (ch. 2.7.3): ISO-IR 42, 87 and 159."""
_HEX: Final = frozenset("0123456789ABCDEFabcdef")


class EscapeContext(Protocol):
    """What the unescaper must know of the message."""

    field: str
    component: str
    subcomponent: str
    repetition: str
    escape: str
    truncation: str
    codec: str

    def note(self, code: str, text: str) -> None:
        """Record a finding at the path being converted."""


def unescape(text: str, ctx: EscapeContext) -> str:
    """The text with every known escape sequence resolved, left to right, each once."""
    escape = ctx.escape
    parts = text.split(escape)
    out = [parts[0]]
    kept = False
    index, last = 1, len(parts) - 1
    while index < last:
        body = parts[index]
        known = _multi_byte(body, parts[index + 1])
        if known is None:
            known = _sequence(body, ctx)
            known = known if known is None else known + parts[index + 1]
        if known is None:
            # Its closing character may open the next one: in `C:\dir\F\x` the second
            # backslash belongs to \F\.
            kept = True
            out += (escape, body)
            index += 1
            continue
        out.append(known)
        index += 2
    if index == last:
        kept = True
        out += (escape, parts[last])
    if kept:
        ctx.note("escape-unknown", "an unknown or unclosed escape sequence was kept as written")
    return "".join(out)


def _sequence(body: str, ctx: EscapeContext) -> str | None:
    """What one sequence stands for; None when it is unknown."""
    if len(body) == 1:
        return _character(body, ctx)
    if body in _SILENT:
        return ""
    if body[:1] == "X":
        return _hexadecimal(body[1:], ctx)
    if body[:1] == ".":
        return _formatting(body.lower())
    return None


def _character(body: str, ctx: EscapeContext) -> str | None:
    """A delimiter, or the start and end of highlighting."""
    if body in _SILENT:
        return ""
    return {
        "F": ctx.field,
        "S": ctx.component,
        "T": ctx.subcomponent if ctx.subcomponent >= " " else "&",
        "R": ctx.repetition,
        "E": ctx.escape,
        "P": ctx.truncation,
    }.get(body)


def _hexadecimal(digits: str, ctx: EscapeContext) -> str | None:
    """Bytes in the message's own character set; control characters that FHIR forbids are not."""
    if not digits or len(digits) % 2 or not _HEX.issuperset(digits):
        return None
    data = bytes.fromhex(digits)
    try:
        text = data.decode(ctx.codec)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if any(character < " " and character not in "\t\r\n" for character in text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _formatting(body: str) -> str | None:
    """`.br .sp<n> .sk<n> .in<n> .ti<n> .fi .nf .ce`: ch. 2.7.4."""
    name, count = body[:3], body[3:].lstrip("+- ")
    if count and not (count.isascii() and count.isdigit()):
        return None
    times = min(int(count[:4] or "1"), _MAX_REPEAT)
    match name:
        case ".br" | ".ce":
            return "\n" if not count else None
        case ".sp":
            return "\n" * times
        case ".sk":
            return " " * times
        case ".in" | ".ti" | ".fi" | ".nf":
            return ""
        case _:
            return None


def _multi_byte(body: str, following: str) -> str | None:
    r"""Text after `\M2442\` and kin: two 7-bit bytes a character; None when it is not that."""
    start = _ISO_2022.get(body)
    if start is None:
        return None
    try:
        data = (start + following + "\x1b(B").encode("ascii")
        return data.decode("iso2022_jp_1")
    except UnicodeError:
        return None
