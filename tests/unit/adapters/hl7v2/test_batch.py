"""Files of many messages."""

from adapters.hl7v2.batch import split

ONE = b"MSH|^~\\&|A\rPID|1\r"


def test_batch_gives_its_messages_and_checks_its_counts() -> None:
    """Envelopes are taken off; a wrong count is reported, nothing is lost."""
    raw = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + ONE + b"BTS|3\rFTS|1\r"

    made = split(raw)

    assert made.messages == (ONE, ONE)
    assert [(note.code, note.where) for note in made.findings] == [("batch-count", "BTS-1")]


def test_messages_without_envelope_are_split_too() -> None:
    """Many messages one after the other, with LF ends."""
    assert split(ONE.replace(b"\r", b"\n") * 3).messages == (ONE,) * 3


def test_a_single_message_is_left_as_received() -> None:
    """Its bytes are what is recorded."""
    raw = b"\r\n" + ONE + b"\x1c\r"

    assert split(raw).messages == (raw,)


def test_empty_input_has_no_message() -> None:
    """Nothing gives nothing; noise is one message, to be refused by its reader."""
    assert split(b" \r\n").messages == ()
    assert split(b"noise").messages == (b"noise",)
