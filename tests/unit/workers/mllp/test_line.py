"""The line of a connection: room, order, and what is counted."""

from typing import cast

from bridge.core.errors import BridgeError, Fault
from tests.fakes.feed import adt
from tests.fakes.sources import FixedClock
from workers.mllp.commit import Committer
from workers.mllp.door import Door, MemoryBudget
from workers.mllp.feed import FeedCounters, Limits, Listener
from workers.mllp.line import Line, Message

DOWN = BridgeError("store-unavailable", Fault.PEER, what="down", where="store", do="start it")


class Here:
    """A connection that notes what its messages tell it."""

    def __init__(self, **listener: object) -> None:
        """Of a listener with these keys."""
        made = Listener(feed="f", host="", port=0, **listener)  # type: ignore[arg-type]  # as said
        self.door = Door(
            listener=made,
            committer=cast("Committer", None),
            clock=FixedClock(),
            counters=FeedCounters(),
            budget=MemoryBudget(limit_bytes=1),
            emit=print,
            connections=set(),
            closed=lambda: None,
        )
        self.line = Line(self.door.counters)
        self.told: list[bool] = []

    def message(self, control_id: str) -> Message:
        """The next one in line."""
        raw = adt(control_id)
        made = Message(self, raw, sender="lab", arrived=0.0, together=None)
        self.line.add(made)
        return made

    def put_off(self, *, answered: bool) -> None:
        """A message could not be stored."""
        self.told.append(answered)

    def flush(self) -> None:
        """Nothing is written here."""


def test_answers_leave_in_the_order_of_arrival() -> None:
    """One that is settled early waits for those before it."""
    here = Here()
    first, second = here.message("1"), here.message("2")

    second.reply = b"two"
    early = here.line.answered(1.0)
    first.reply = b"one"

    assert (early, here.line.answered(1.0)) == ([], [b"one", b"two"])
    assert (len(here.line), here.line.size_bytes, here.door.counters.waiting) == (0, 0, 0)


def test_room_ends_by_number_and_by_bytes_but_one_is_always_taken() -> None:
    """A message over the bound of bytes would wait for ever otherwise."""
    here = Here()

    empty = here.line.has_room(Limits(unanswered=1, unanswered_bytes=1))
    here.message("1")

    assert empty
    assert here.line.has_room(Limits(unanswered=2))
    assert not here.line.has_room(Limits(unanswered=1))
    assert not here.line.has_room(Limits(unanswered_bytes=1))


def test_messages_of_a_feed_are_numbered_and_carry_their_sender() -> None:
    """Their numbers count over all connections of the listener."""
    here = Here()

    numbers = [here.message(str(n)).inbound.number for n in range(3)]

    assert numbers == [1, 2, 3]
    assert here.message("4").inbound.sender == "lab"


def test_outage_is_told_to_the_connection_with_or_without_an_answer() -> None:
    """A listener that answers says AE; one that closes the line says nothing."""
    answering, closing = Here(outage="answer"), Here(outage="close")

    for here in (answering, closing):
        here.message("1").settle(DOWN)

    assert (answering.told, closing.told) == ([True], [False])
    assert closing.line.answered(0.0) == [b""]
    assert closing.door.counters.unstored == 1


def test_line_of_a_peer_that_is_gone_counts_nobody() -> None:
    """What it sent is stored all the same, and nobody waits for it."""
    here = Here()
    here.message("1")

    here.line.clear()

    assert (len(here.line), here.line.size_bytes, here.door.counters.waiting) == (0, 0, 0)
