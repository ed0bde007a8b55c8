"""OBX after OBX that are one value: a report sent line by line, a document sent piece by piece.

HL7 v2.5.1 ch. 7.4.2 has one OBX a result; senders whose lines or buffers are short send several.
"""

from base64 import b64decode, b64encode
from binascii import Error
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.attachments import starts_document

__all__ = ["joined"]

_JOINED: Final = frozenset({"TX", "FT", "ED"})
_DOCUMENT: Final = "ED"
_SAME: Final = (2, 3, 11)
"""Type, code and status."""
_GROUPED: Final = frozenset({"MB", "MCB", "MYC", "VR"})
"""Table 0074, microbiology: there OBX-4 counts organisms, not lines."""
_NONE: Final[frozenset[int]] = frozenset()
_HEADS: Final = ("", "", "", "")
"""ED.1 to ED.4 of a piece that says none of them."""
_DIGITS: Final = 10
"""No report has ten thousand million lines."""
_HEAD: Final = 16
"""Characters of base64 that hold every known beginning of a document."""


def joined(lines: list[list[str]], ctx: Context) -> frozenset[int]:
    """Numbers of the OBX whose value went into the first of their run; alters OBX-5 of the first.

    A run is OBX after OBX of one type, code and status whose OBX-4 is the same or counts up. Lines
    of TX and FT become repetitions. A piece of ED goes on where the one before it stopped.
    """
    if _JOINED.isdisjoint([fields[2] for fields in lines if fields[0] == "OBX"]):
        return _NONE
    found: list[int] = []
    run: _Lines | None = None
    section = ""
    for number, fields in enumerate(lines):
        if fields[0] == "OBX" and fields[2] in _JOINED:
            if run is not None and run.takes(fields):
                found.append(number)
                continue
            run = _begun(run, fields, ctx, section)
        else:
            _ended(run)
            run = None
        if fields[0] == "OBR":
            section = fields[24].upper()
    _ended(run)
    return frozenset(found)


def _begun(run: "_Lines | None", fields: list[str], ctx: Context, section: str) -> "_Lines":
    _ended(run)
    kind = _Pieces if fields[2] == _DOCUMENT else _Lines
    return kind(fields, ctx, counts=section not in _GROUPED)


def _ended(run: "_Lines | None") -> None:
    if run is not None:
        run.close()


class _Lines:
    """A run of TX or FT: its first OBX, and the values that go into it."""

    def __init__(self, fields: list[str], ctx: Context, *, counts: bool) -> None:
        self.ctx, self._first, self._counts = ctx, fields, counts
        self._same = [fields[at] for at in _SAME]
        self._at = fields[4]
        self.values = [fields[5]]

    def takes(self, fields: list[str]) -> bool:
        """Whether the OBX belongs to the run; its value is then kept."""
        if [fields[at] for at in _SAME] != self._same or not self._follows(fields[4]):
            return False
        if not self.add(fields[5]):
            return False
        self._at = fields[4]
        return True

    def add(self, value: str) -> bool:
        """Every line of a run is one of its value."""
        self.values.append(value)
        return True

    def close(self) -> None:
        """Put the values into OBX-5 of the first."""
        self._first[5] = self.ctx.repetition.join(self.values)

    def _follows(self, at: str) -> bool:
        """Whether OBX-4 is that of the run, or the next number."""
        if at == self._at:
            return True
        return self._counts and 0 < _number(at) == _number(self._at) + 1


class _Pieces(_Lines):
    """A run of ED: documents, each a list of pieces. Repetitions of OBX-5 are pieces too."""

    def __init__(self, fields: list[str], ctx: Context, *, counts: bool) -> None:
        super().__init__(fields, ctx, counts=counts)
        first, *rest = fields[5].split(ctx.repetition)
        self._documents = [_Document(first, ctx)]
        self._add_all(rest)

    def add(self, value: str) -> bool:
        """Whether the value goes on with the last document."""
        first, *rest = value.split(self.ctx.repetition)
        if not self._documents[-1].takes(_Document(first, self.ctx)):
            return False
        self._add_all(rest)
        return True

    def close(self) -> None:
        """Put the whole documents into OBX-5 of the first."""
        self.values = [one.text(self.ctx) for one in self._documents]
        super().close()

    def _add_all(self, values: list[str]) -> None:
        for value in values:
            piece = _Document(value, self.ctx)
            if not self._documents[-1].takes(piece):
                self._documents.append(piece)


class _Document:
    """What ED.1 to ED.4 say, and the pieces of ED.5; a piece may be a text without them."""

    def __init__(self, raw: str, ctx: Context) -> None:
        self._raw = raw
        parts = raw.split(ctx.component)
        whole = len(parts) > len(_HEADS)
        self.head = parts[: len(_HEADS)] if whole else [*_HEADS]
        self.pieces = [ctx.component.join(parts[len(_HEADS) :] if whole else parts)]
        self.bare = not any(self.head)
        self.length = len(self.pieces[0])

    def takes(self, piece: "_Document") -> bool:
        """Whether the piece is no document of its own; it is then part of this one.

        It says no other type, and this one was cut within four characters of base64, or began as a
        document does where the piece does not.
        """
        if self.head[3].lower() != "base64" or not (self.length and piece.length):
            return False
        if not piece.bare and (piece.head != self.head or self._ends(piece)):
            return False
        self.pieces += piece.pieces
        self.length += piece.length
        return True

    def text(self, ctx: Context) -> str:
        """The raw ED of the whole; as it was sent where nothing was joined."""
        if len(self.pieces) == 1:
            return self._raw
        return ctx.component.join([*self.head, _whole(self.pieces)])

    def _ends(self, piece: "_Document") -> bool:
        """Whether this one may be whole, and the piece the beginning of the next."""
        return self.length % 4 == 0 and (piece.begins() or not self.begins())

    def begins(self) -> bool:
        """Whether the first bytes are those of a known type of document."""
        return starts_document(_bytes(self.pieces[0][:_HEAD]))


def _whole(pieces: list[str]) -> str:
    """The base64 of all pieces: one text that was cut, or texts that were encoded one by one."""
    if any(piece.rstrip().endswith("=") for piece in pieces[:-1]):
        return b64encode(b"".join(map(_bytes, pieces))).decode("ascii")
    return "".join(pieces)


def _bytes(text: str) -> bytes:
    """What the base64 holds; nothing where it is none, which the datatype function reports."""
    try:
        return b64decode(text.encode())
    except (Error, ValueError):
        return b""


def _number(text: str) -> int:
    """A line number; what is none follows nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else -1
