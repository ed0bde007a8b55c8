"""Delimiters, segment ends and bounds of one message."""

import pytest

from adapters.hl7v2.syntax import MAX_MESSAGE_BYTES, header, read
from bridge.core.errors import BridgeError

MSH = b"MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5"


def notes_of(raw: bytes) -> tuple[list[str], list[str]]:
    """Lines and finding codes of a message."""
    codes: list[str] = []
    message = read(raw, note=lambda code, _text: codes.append(code))
    return message.lines, codes


@pytest.mark.parametrize(
    ("raw", "lines", "codes"),
    [
        pytest.param(MSH + b"\rPID|1\r", 2, [], id="CR as HL7 says"),
        pytest.param(MSH + b"\nPID|1\n", 2, ["segment-end"], id="LF"),
        pytest.param(MSH + b"\r\nPID|1\r\n", 2, ["segment-end"], id="CRLF"),
        pytest.param(b"\x0b" + MSH + b"\rPID|1\r\x1c\r", 2, ["framing-bytes"], id="framed"),
        pytest.param(b"\xef\xbb\xbf" + MSH + b"\r", 1, ["byte-order-mark"], id="BOM"),
        pytest.param(MSH + b"\r  PID|1\r", 2, ["segment-indented"], id="indented"),
        pytest.param(MSH + b"\rNTE|1||a\rb c\r", 2, ["segment-continued"], id="raw line end"),
        pytest.param(MSH + b"|a\x00b\r", 1, ["control-characters"], id="NUL"),
    ],
)
def test_segment_ends_are_tolerated_and_reported(raw: bytes, lines: int, codes: list[str]) -> None:
    """Each tolerance has a stable code and loses no segment."""
    found, noted = notes_of(raw)

    assert len(found) == lines
    assert noted == codes


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", r"does not begin with MSH \(byte 0\)"),
        (b"PID|1", r"does not begin with MSH \(byte 0\)"),
        (b"MSH", r"ends inside MSH \(MSH, byte 3\)"),
        (b"BHS|^~\\&|A\r" + MSH, r"a batch was offered"),
        (b"MSHa^~\\&a", r"is a letter.* \(MSH-1, byte 3\)"),
        (b"MSH|^x\\&|", r"is a letter.* \(MSH-2, byte 5\)"),
        (b"MSH|^~\\^|", r"declared for two delimiters \(MSH-2, byte 7\)"),
        (b"MSH||A|", r"declares no delimiters \(MSH-2, byte 4\)"),
        (b"MSH|^~\\&#!|A|", r"found more than 5 \(MSH-2, byte 4\)"),
        (MSH + b"\r" + MSH, r"a second MSH stands in one message \(segment 2\)"),
        (MSH + b" " * MAX_MESSAGE_BYTES, r"at most 16777216 are read"),
    ],
)
def test_what_is_no_message_is_refused_with_its_byte(raw: bytes, text: str) -> None:
    """One clear refusal that names the place."""
    with pytest.raises(BridgeError, match=text):
        notes_of(raw)


def test_delimiters_are_what_msh_says() -> None:
    """Any punctuation may separate; what is not declared separates nothing."""
    message = read(b"MSH#$%#A#B\rPID#1#a$b&c", note=lambda _code, _text: None)

    assert (message.delimiters.field, message.delimiters.component) == ("#", "$")
    assert message.delimiters.subcomponent != "&"


def test_offset_names_the_byte_of_a_field() -> None:
    """Positions can be found in the bytes as received."""
    raw = b"\r" + MSH + b"\rPID|1||MRN"
    message = read(raw, note=lambda _code, _text: None)

    assert message.offset(1, 3) == raw.index(b"MRN")
    assert message.offset(0, 9) == raw.index(b"ADT")


def test_header_reads_any_bytes() -> None:
    """Element n is MSH-n; bytes that are no MSH give an empty list."""
    assert header(MSH)[9] == "ADT^A01"
    assert header(b"\xff\x00MS") == []
