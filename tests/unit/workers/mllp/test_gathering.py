"""The queue of a committer: what is converted ahead, and how far."""

from adapters.hl7v2.mllp import FRAME_LIMIT
from bridge.flows.receive import Inbound
from workers.mllp.gathering import (
    GROUP_BYTES,
    GROUP_SIZE,
    LIGHT_BYTES,
    Gathering,
    Outcome,
    Work,
)


class Message:
    """One that waits, of some size."""

    def __init__(self, size_bytes: int = 1, *, line: object = None, silent: bool = False) -> None:
        self.inbound = Inbound(raw=bytes(size_bytes), feed="f", number=1)
        self.line = line or self
        self.unanswered = silent

    def settle(self, outcome: Outcome) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""


class Converter:
    """Counts what it converts."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, inbound: Inbound) -> Work:
        """As it is."""
        self.sizes.append(len(inbound.raw))
        return inbound


def gathering(*messages: Message) -> Gathering:
    """With these in it."""
    made = Gathering()
    for one in messages:
        made.add(one)
    return made


def convert_all(queue: Gathering) -> Converter:
    """As many as there is room for."""
    converter = Converter()
    while queue.may_convert:
        queue.convert(converter)
    return converter


def test_only_light_messages_are_converted_ahead() -> None:
    """What may hold up the loop for long is left to the thread."""
    queue = gathering(Message(1), Message(LIGHT_BYTES), Message(FRAME_LIMIT), Message(2))

    converter = convert_all(queue)

    assert converter.sizes == [1, 2]


def test_no_more_is_converted_ahead_than_one_transaction_takes() -> None:
    """Converted bundles are many times their messages: their number and bytes are bounded."""
    many = gathering(*[Message() for _ in range(GROUP_SIZE + 1)])
    size = LIGHT_BYTES - 1
    large = gathering(*[Message(size) for _ in range(GROUP_SIZE)])

    assert len(convert_all(many).sizes) == GROUP_SIZE
    assert sum(convert_all(large).sizes) < GROUP_BYTES + size
    assert not many.may_convert
    many.take()
    assert many.may_convert


def test_group_ends_before_what_is_not_converted() -> None:
    """A group that leaves early takes what is ready, and the rest keeps its place."""
    first, second = Message(1), Message(2)
    queue = gathering(first, second)
    queue.convert(Converter())

    group = queue.take()

    assert [one.waiting for one in group] == [first]
    assert [one.waiting for one in queue.take()] == [second]


def test_message_that_breaks_its_conversion_is_left_to_the_thread() -> None:
    """It keeps its place, and what stands behind it is converted."""
    queue = gathering(Message(1), Message(2))

    def broken(_: Inbound) -> Work:
        raise MemoryError

    try:
        queue.convert(broken)
    except MemoryError:
        assert convert_all(queue).sizes == [2]

    assert [one.work == one.waiting.inbound for one in queue.take()] == [True, True]


def test_what_is_told_to_come_again_is_not_converted() -> None:
    """A message behind one that was not stored goes back unconverted; other lines stay."""
    line = object()
    first, behind, other = Message(1, line=line), Message(2, line=line), Message(3)
    queue = gathering(first, behind, other)
    queue.convert(Converter())

    told = queue.give_back(queue.take())

    assert [one.waiting for one in told] == [first, behind]
    assert convert_all(queue).sizes == [3]
    assert [one.waiting for one in queue.take()] == [other]


def test_silent_message_of_an_outage_is_tried_again_in_its_place() -> None:
    """It is first in the next group."""
    silent, other = Message(1, silent=True), Message(2)
    queue = gathering(silent, other)
    queue.convert(Converter())

    told = queue.give_back(queue.take())
    convert_all(queue)

    assert told == []
    assert [one.waiting for one in queue.take()] == [silent, other]
