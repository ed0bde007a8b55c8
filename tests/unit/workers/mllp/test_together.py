"""Several messages in one frame."""

import pytest

from adapters.hl7v2.batch import Batch
from adapters.hl7v2.mllp import frame, unframed
from tests.fakes.feed import adt
from tests.fakes.sources import FixedClock
from workers.mllp import together
from workers.mllp.together import Together, messages_of

BATCH = b"BHS|^~\\&|LAB|HOSP|US|X|20261122||||B7\r"


def test_frame_of_one_message_is_that_message() -> None:
    """Byte for byte, also where MSH stands in a text."""
    raw = adt("1") + b"NTE|1||MSH is the first\r"

    assert messages_of(raw) == Batch(messages=(raw,))


@pytest.mark.parametrize("envelope", [b"", BATCH], ids=["bare", "batch"])
def test_frame_of_several_messages_is_taken_apart(envelope: bytes) -> None:
    """With and without an envelope."""
    found = messages_of(envelope + adt("1") + adt("2"))

    assert found.messages == (adt("1"), adt("2"))
    assert found.envelope == envelope.rstrip()


def test_frame_of_too_many_messages_is_left_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would wait in memory for its answer."""
    monkeypatch.setattr(together, "MOST", 1)
    raw = adt("1") + adt("2")

    assert messages_of(raw).messages == (raw,)


def test_answers_leave_together_in_order() -> None:
    """The last one brings the frame; a message without an answer adds none."""
    answers = Together(Batch(messages=(b"", b"", b"")), FixedClock())

    left = [answers.gather(one, stored=True) for one in (frame(b"a\r"), b"", frame(b"b\r"))]

    assert left[:2] == [b"", b""]
    assert unframed(left[2]) == [b"a\rb\r"]


def test_nothing_leaves_where_one_message_is_to_come_again() -> None:
    """The line breaks, and the sender sends all of them again."""
    answers = Together(Batch(messages=(b"", b"")), FixedClock())

    assert answers.gather(frame(b"a"), stored=True) == b""
    assert answers.gather(b"", stored=False) == b""


def test_nobody_is_answered_who_asks_for_nothing() -> None:
    """An empty frame would be one more message."""
    answers = Together(Batch(messages=(b"",)), FixedClock())

    assert answers.gather(b"", stored=True) == b""
