"""A file of several messages to its messages: FHS, BHS, BTS and FTS, or MSH after MSH.

HL7 v2.5.1 ch. 2.10.3. The envelopes hold nothing clinical; what they claim (how many messages, how
many batches) is counted again, and a difference is reported, because it means that some were lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bridge.core.record.bundle import Finding, Severity

__all__ = ["MAX_MESSAGES", "Batch", "may_hold_several", "split"]

MAX_MESSAGES: Final = 1_000_000
"""A year of a large hospital's feed; what is longer belongs in several files."""
_FRAMING: Final = b" \t\x00\x0b\x1c"
_BLANK: Final = _FRAMING + b"\r\n"
_MARK: Final = b"\xef\xbb\xbf"
_MAX_DIGITS: Final = 9
"""Of a count: more could not be messages of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The messages of one file, each with its bytes as they stood there."""

    messages: tuple[bytes, ...]
    """At least one: a file without MSH is given whole, so that whoever reads it refuses it."""
    findings: tuple[Finding, ...] = ()
    """Counts that do not agree and text outside of messages. Never holds content."""
    envelope: bytes = b""
    """The first FHS or BHS, if there is one."""


@dataclass(slots=True)
class _Reader:
    """Where the reading of the file stands."""

    messages: list[bytes] = field(default_factory=list)
    open: list[bytes] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    enveloped: bool = False
    envelope: bytes = b""
    batches: int = 0
    trailers: int = 0
    before: int = 0
    """Messages that earlier batches of the file hold."""

    def close(self) -> None:
        """The message that was being read is complete."""
        if self.open:
            while not self.open[-1].strip(_BLANK):
                self.open.pop()
            self.messages.append(b"".join(self.open))
            self.open = []

    def note(self, code: str, where: str, text: str) -> None:
        self.findings.append(Finding(code=code, severity=Severity.WARNING, where=where, text=text))


def split(data: bytes) -> Batch:
    """Each message of a file.

    A file of one message without envelope is that message, byte for byte. Otherwise a message is
    from its MSH to the next envelope segment or MSH, without MLLP framing and blank lines.

    Args:
        data: in any character set whose letters MSH are ASCII; other bytes are given whole.
    """
    reader = _Reader()
    for line, name in _lines(data):
        if name == b"MSH":
            reader.close()
            if len(reader.messages) >= MAX_MESSAGES:
                reader.note("batch-long", "file", f"only {MAX_MESSAGES} messages were read")
                break
            reader.open = [line]
        elif name in _ENVELOPE:
            reader.close()
            reader.enveloped = True
            _ENVELOPE[name](reader, line)
        elif reader.open:
            reader.open.append(line)
        elif line.strip(_BLANK):
            reader.note("batch-stray", "before MSH", "text outside of any message was not read")
    reader.close()
    if not reader.messages or (len(reader.messages) == 1 and not reader.enveloped):
        return Batch(messages=(data,))
    return Batch(
        messages=tuple(reader.messages),
        findings=tuple(reader.findings),
        envelope=reader.envelope,
    )


def may_hold_several(data: bytes) -> bool:
    """Whether it is worth to split it: most frames hold one message, and are asked that alone."""
    if data[:3] == b"MSH":
        return b"\rMSH" in data or b"\nMSH" in data
    return data[:64].lstrip(_BLANK + _MARK)[:3] in _ENVELOPE


def _lines(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each line with its end, and the name of the segment that it starts, if it is of interest."""
    for number, raw in enumerate(data.splitlines(keepends=True)):
        line = raw.removeprefix(_MARK) if number == 0 else raw
        start = line.lstrip(_FRAMING)
        name = start[:3]
        if (name == b"MSH" or name in _ENVELOPE) and _is_delimiter(start[3:4]):
            yield start, name
        else:
            yield line, b""


def _is_delimiter(byte: bytes) -> bool:
    return bool(byte) and not byte.isalnum() and not byte.isspace()


def _file_header(reader: _Reader, line: bytes) -> None:
    """FHS says who sends, and nothing that the messages do not say themselves."""
    reader.envelope = reader.envelope or line.rstrip(_BLANK)


def _batch_header(reader: _Reader, line: bytes) -> None:
    """BHS opens a batch."""
    reader.envelope = reader.envelope or line.rstrip(_BLANK)
    reader.batches += 1
    reader.before = len(reader.messages)


def _batch_trailer(reader: _Reader, line: bytes) -> None:
    """BTS-1 is the number of messages since BHS."""
    reader.trailers += 1
    _compare(reader, line, f"BTS[{reader.trailers}]-1", len(reader.messages) - reader.before,
             "messages in the batch")  # fmt: skip
    reader.before = len(reader.messages)


def _file_trailer(reader: _Reader, line: bytes) -> None:
    """FTS-1 is the number of batches of the file."""
    _compare(reader, line, "FTS-1", max(reader.batches, reader.trailers), "batches in the file")


def _compare(reader: _Reader, line: bytes, where: str, held: int, what: str) -> None:
    claimed = line[4:].split(line[3:4], 1)[0].strip(_BLANK)
    if not claimed:
        return
    if not claimed.isdigit() or len(claimed) > _MAX_DIGITS:
        reader.note("batch-count-form", where, "the count is no whole number")
    elif int(claimed) != held:
        reader.note(
            "batch-count",
            where,
            f"the trailer says {int(claimed)} {what}, there are {held}: "
            "ask the sender whether some were lost",
        )


_ENVELOPE: Final = {
    b"FHS": _file_header,
    b"BHS": _batch_header,
    b"BTS": _batch_trailer,
    b"FTS": _file_trailer,
}
