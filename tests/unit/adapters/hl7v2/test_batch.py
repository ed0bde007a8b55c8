"""Files of several messages."""

import pytest

from adapters.hl7v2.batch import may_hold_several, split

LOST = "ask the sender whether some were lost"
ONE = b"MSH|^~\\&|LAB|ACME|||202601021530||ORU^R01|1|P|2.5.1\rPID|1||17\r"
TWO = ONE.replace(b"|1|P", b"|2|P")


def test_one_message_is_itself_byte_for_byte() -> None:
    """A file of one message is not touched, framing and blank lines included."""
    framed = b"\x0b" + ONE + b"\n\n\x1c\r"

    batch = split(framed)

    assert batch.messages == (framed,)
    assert batch.findings == ()


def test_messages_without_envelope_are_told_apart_by_msh() -> None:
    """MSH after MSH is a batch without header."""
    batch = split(ONE + b"\r\n\r\n" + TWO)

    assert batch.messages == (ONE, TWO)


def test_line_ends_of_the_file_stay_in_its_messages() -> None:
    """Bytes are what a sender is held to: LF stays LF."""
    unix = ONE.replace(b"\r", b"\n")

    batch = split(unix + b"\n" + unix)

    assert batch.messages == (unix, unix)


def test_envelopes_are_taken_off_and_counts_agree() -> None:
    """FHS, BHS, BTS and FTS are no messages."""
    file = b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r"

    batch = split(file)

    assert batch.messages == (ONE, TWO)
    assert batch.findings == ()


def test_one_message_in_an_envelope_is_taken_out() -> None:
    """An envelope around one message is taken off too."""
    batch = split(b"BHS|^~\\&\r" + ONE + b"BTS|1\r")

    assert batch.messages == (ONE,)


@pytest.mark.parametrize(
    ("trailer", "where", "text"),
    [
        (
            b"BTS|3\r",
            "BTS[1]-1",
            f"the trailer says 3 messages in the batch, there are 2: {LOST}",
        ),
        (
            b"BTS|2\rFTS|2\r",
            "FTS-1",
            f"the trailer says 2 batches in the file, there are 1: {LOST}",
        ),
        (b"BTS|two\r", "BTS[1]-1", "the count is no whole number"),
        (b"BTS|" + b"9" * 5000 + b"\r", "BTS[1]-1", "the count is no whole number"),
    ],
    ids=["message-count", "batch-count", "no-number", "endless-number"],
)
def test_counts_that_differ_are_reported(trailer: bytes, where: str, text: str) -> None:
    """A trailer that counts otherwise means that messages were lost on the way."""
    batch = split(b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + trailer)

    assert batch.messages == (ONE, TWO)
    assert [(found.where, found.text) for found in batch.findings] == [(where, text)]


def test_second_batch_counts_from_its_own_header() -> None:
    """BTS-1 counts its own batch."""
    file = b"BHS|^~\\&\r" + ONE + TWO + b"BTS|2\rBHS|^~\\&\r" + ONE + b"BTS|1\rFTS|2\r"

    batch = split(file)

    assert (len(batch.messages), batch.findings) == (3, ())


def test_text_before_the_first_message_is_reported() -> None:
    """What stands outside of messages is not read, and that is said."""
    batch = split(b"export of 2026\r" + ONE + TWO)

    assert [found.code for found in batch.findings] == ["batch-stray"]


@pytest.mark.parametrize("data", [b"", b"\r\n", b"hello", b"{}", b"MSHX"], ids=repr)
def test_file_without_message_is_given_whole(data: bytes) -> None:
    """Whoever converts it refuses it with its own words."""
    batch = split(data)

    assert batch.messages == (data,)


def test_own_delimiters_of_the_trailer_are_read() -> None:
    """The delimiter is what stands after the segment's name."""
    batch = split(b"BHS!^~\\&\r" + ONE.replace(b"|", b"!") + b"BTS!2!\r")

    assert [found.where for found in batch.findings] == ["BTS[1]-1"]


@pytest.mark.parametrize(
    ("data", "several"),
    [
        (ONE, False),
        (ONE + TWO, True),
        (ONE.replace(b"\r", b"\n") + TWO, True),
        (b"\r\nBHS|^~\\&\r" + ONE, True),
        (b"hello", False),
    ],
    ids=["one", "two", "two-with-LF", "batch", "nonsense"],
)
def test_most_frames_are_not_split(data: bytes, several: bool) -> None:  # noqa: FBT001 - a table
    """A second MSH at the start of a line, or an envelope, is what it takes."""
    assert may_hold_several(data) is several
