"""Stamping: the newest checkpoint now and then, promises asked about, and nobody held up."""

from datetime import timedelta

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.flows.stamp import Stamping, stamp
from bridge.ports.logbook import PublishedHead
from tests.fakes.sources import FixedClock
from tests.fakes.stamps import FakeStamper, MemoryStamps


class _Heads:
    """The port `Heads`."""

    def __init__(self, size: int) -> None:
        self.size = size

    def newest(self) -> PublishedHead | None:
        note = b"note %d" % self.size
        return PublishedHead(size=TreeSize(self.size), root=Digest(bytes(32)), note=note)

    def root_at(self, size: int) -> Digest | None:
        raise NotImplementedError


class _World:
    """A log, a book, a system and a clock."""

    def __init__(self) -> None:
        self.heads, self.stamps, self.clock = _Heads(5), MemoryStamps(), FixedClock()
        self.stamper = FakeStamper(book=self.stamps)

    def run(self, stamper: FakeStamper | None = None) -> Stamping:
        return stamp(
            book=self.heads,
            stamps=self.stamps,
            stamper=stamper or self.stamper,
            clock=self.clock,
            every=timedelta(hours=1),
        )


def test_newest_checkpoint_is_stamped_at_most_every_so_often() -> None:
    """A grown log waits for the interval; a log that stands still is not stamped again."""
    world = _World()
    sizes = []

    for seconds, size in ((0, 5), (10, 7), (3600, 9), (3600, 9)):
        world.clock.advance(seconds)
        world.heads.size = size
        made = world.run().made
        sizes.append(made.size if made else None)

    assert sizes == [5, None, 9, None]


def test_clock_that_is_set_back_is_not_waited_for() -> None:
    """The last stamp was made while it was a year ahead."""
    world = _World()
    world.clock.advance(365 * 86_400)
    world.run()
    world.clock.advance(-365 * 86_400)
    world.heads.size = 7

    made = world.run().made

    assert made is not None
    assert made.size == 7


def test_empty_log_is_not_stamped() -> None:
    """There is nothing to prove yet."""
    world = _World()
    world.heads.size = 0

    assert (world.run().made, world.stamper.asked) == (None, [])


def test_promise_is_asked_about_until_it_is_kept() -> None:
    """Then it is complete and nobody is asked again."""
    world = _World()
    first = world.run()
    world.stamper.mined = True

    second, third = world.run(), world.run()

    assert (first.waiting, len(second.completed), second.waiting) == (1, 1, 0)
    assert third == Stamping(made=None, completed=(), waiting=0, problems=())


def test_system_that_is_down_is_a_fact_and_the_next_run_asks_again() -> None:
    """Nothing is stored, nothing raised; a second system is stamped all the same."""
    world = _World()
    world.stamper.down = True
    other = FakeStamper(kind="rfc3161", book=world.stamps)

    down, beside = world.run(), world.run(other)
    world.stamper.down = False
    after = world.run()

    assert [problem.code for problem in down.problems] == ["stamp-unavailable"]
    assert (down.made, bool(beside.made), bool(after.made)) == (None, True, True)


def test_open_promises_are_asked_about_while_no_new_stamp_can_be_had() -> None:
    """A refusal to stamp does not stop the upgrade of what was promised."""
    world = _World()
    world.run()
    world.clock.advance(3600)
    world.heads.size = 9
    world.stamper.down = True

    done = world.run()

    assert (len(done.problems), done.waiting) == (2, 1)


def test_fault_of_our_own_stops() -> None:
    """A wrong setting is for the operator to mend, not to be retried in silence."""
    world = _World()
    world.stamper.down, world.stamper.fault = True, Fault.OPERATOR

    with pytest.raises(BridgeError, match="it is down"):
        world.run()


def test_two_workers_keep_one_stamp() -> None:
    """The loser's promise is dropped."""
    world = _World()
    rival = FakeStamper()
    head = world.heads.newest()
    assert head is not None
    original = world.stamper.stamp

    def raced(note: bytes) -> object:
        if not world.stamps.rows:
            world.run(rival)
        return original(note)

    world.stamper.stamp = raced  # type: ignore[method-assign, assignment]  # a rival in between
    made = world.run().made

    assert (made, len(world.stamps.rows)) == (None, 1)
