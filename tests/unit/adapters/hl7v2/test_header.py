"""MSH of any bytes: what can be read is read, what cannot is empty, nothing raises."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.hl7v2.header import DEFAULT, Delimiters, read_header

MSH = b"MSH|^~\\&|LAB^1.2^ISO|HOSP|US|X|20261122||ORU^R01^ORU_R01|C1|P|2.5.1|||AL|NE\rPID|1\r"


def test_fields_and_components_count_as_the_standard_counts() -> None:
    """MSH-1 is the separator itself, so MSH-3 is what stands behind the encoding characters."""
    header = read_header(MSH)

    assert [header.field(n) for n in (1, 2, 3, 10, 16, 17, 40)] == [
        b"|",
        b"^~\\&",
        b"LAB^1.2^ISO",
        b"C1",
        b"NE",
        b"",
        b"",
    ]
    assert [header.component(9, n) for n in (1, 2, 3, 4)] == [b"ORU", b"R01", b"ORU_R01", b""]
    assert header.text(3, 3) == "ISO"
    assert header.well_delimited


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf" + MSH, id="byte-order-mark"),
        pytest.param(b"\r\n \0" + MSH, id="padding"),
        pytest.param(MSH.replace(b"\r", b"\n"), id="LF"),
        pytest.param(MSH.replace(b"\r", b"\r\n"), id="CRLF"),
        pytest.param(MSH.decode().encode("utf-16"), id="UTF-16-with-mark"),
        pytest.param(MSH.decode().encode("utf-16-be"), id="UTF-16-without-mark"),
    ],
)
def test_tolerated_forms_read_as_the_strict_one(raw: bytes) -> None:
    """A mark, padding, another line end or UTF-16 changes no field."""
    header = read_header(raw)

    assert header.parts == read_header(MSH).parts
    assert header.delimiters == DEFAULT


def test_other_delimiters_are_taken_as_declared() -> None:
    """MSH-1 and MSH-2 say how the rest is cut, whatever they are."""
    header = read_header(b"MSH#*!?+%#A*B+C!D\r")

    assert header.delimiters == Delimiters(
        field=b"#",
        component=b"*",
        repetition=b"!",
        escape=b"?",
        subcomponent=b"+",
        declared=b"*!?+%",
    )
    assert header.component(3, 2) == b"B+C"


def test_two_encoding_characters_leave_the_others_undeclared() -> None:
    """An old sender that declares component and repetition alone is served with those."""
    header = read_header(b"MSH|^~|A\r")

    assert (header.delimiters.escape, header.delimiters.subcomponent) == (b"", b"")
    assert header.well_delimited


@pytest.mark.parametrize(
    ("raw", "control_id"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"MSH", b"", id="three-bytes"),
        pytest.param(b"MSH|", b"", id="separator-alone"),
        pytest.param(b"PID|1||42\r", b"", id="no-MSH"),
        pytest.param(b"MSHa^~\\&aLABaHOSPaaaaaaC1\r", b"", id="letter-as-separator"),
        pytest.param(b"MSH|^^^^|A|B|C|D|E|F|G|C1\r", b"C1", id="repeated"),
        pytest.param(b"MSH|abcd|A|B|C|D|E|F|G|C1\r", b"C1", id="letters"),
        pytest.param(b"MSH||A|B|C|D|E|F|G|C1\r", b"C1", id="missing"),
        pytest.param(b"MSH|^~\\&#+|A|B|C|D|E|F|G|C1\r", b"C1", id="too-many"),
        pytest.param(b"MSH\xff\xfe\x00", b"", id="not-text"),
    ],
)
def test_unusable_delimiters_fall_back_to_the_usual_ones(raw: bytes, control_id: bytes) -> None:
    """The control id is still found where MSH-1 alone is usable."""
    header = read_header(raw)

    assert header.delimiters == DEFAULT
    assert not header.well_delimited
    assert header.field(10) == control_id


def test_field_of_a_megabyte_is_not_searched_to_its_end() -> None:
    """What stands behind 64 KiB of MSH is not read for an answer."""
    header = read_header(b"MSH|^~\\&|" + b"x" * 1_000_000 + b"|HOSP\r")

    assert len(header.field(3)) == 65_536 - 9
    assert header.field(4) == b""


def test_text_that_is_not_utf_8_keeps_its_bytes() -> None:
    """A Latin-1 application name is readable in a log."""
    assert read_header("MSH|^~\\&|LÄB\r".encode("latin-1")).text(3) == "LÄB"
    assert read_header("MSH|^~\\&|LÄB\r".encode()).text(3) == "LÄB"


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda tail: b"MSH" + tail))
@example(b"\xff\xfe\x00")
@example(b"M\0")
def test_reading_never_raises(raw: bytes) -> None:
    """Any bytes have a header."""
    header = read_header(raw)

    assert all(isinstance(header.text(number, 2), str) for number in range(30))


@pytest.mark.parametrize(
    ("raw", "control"),
    [
        (MSH.replace(b"HOSP", b"HO\nSP"), b"C1"),
        (MSH.replace(b"\r", b"\r\n \r\n"), b"C1"),
        (MSH.replace(b"\rPID", b"\r PID"), b"C1"),
        (MSH.replace(b"C1", b"C\n1"), b"C\n1"),
    ],
    ids=["LF-in-a-field", "blank-lines", "indented-segment", "LF-in-MSH-10"],
)
def test_line_end_inside_the_header_ends_nothing(raw: bytes, control: bytes) -> None:
    """MSH ends where a segment follows, as the reader of the whole message has it."""
    header = read_header(raw)

    assert (header.field(10), header.field(12)) == (control, b"2.5.1")
