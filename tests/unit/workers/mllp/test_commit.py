"""Group commit: what waits shares a transaction, failures find their own, order is kept."""

import asyncio
from collections.abc import Callable, Coroutine

from bridge.core.errors import BridgeError
from bridge.flows.receive import Inbound, Received
from tests.fakes.feed import MemoryFeed, adt, as_they_are
from workers.mllp.commit import Committer
from workers.mllp.gathering import GROUP_SIZE, HEAVY_BYTES, Outcome


class Ticket:
    """One message that waits."""

    def __init__(self, raw: bytes, *, unanswered: bool = False, line: object = None) -> None:
        self.line = line or self
        self.inbound = Inbound(raw=raw, feed="f", number=1)
        self.unanswered = unanswered
        self.outcome: Outcome | None = None
        self.flushed = asyncio.Event()

    def settle(self, outcome: Outcome) -> None:
        """Keep it."""
        self.outcome = outcome

    def flush(self) -> None:
        """Say that answers may leave."""
        self.flushed.set()

    @property
    def status(self) -> str:
        """What became of it in one word."""
        match self.outcome:
            case Received(status=status):
                return status
            case BridgeError(code=code):
                return code
            case _:
                return type(self.outcome).__name__


class Bench:
    """A committer with what it reported."""

    def __init__(self, feed: MemoryFeed) -> None:
        self.commits = 0
        self.failures: list[tuple[str, int]] = []
        self.committer = Committer(
            as_they_are(feed),
            committed=self.committed,
            failed=self.failed,
        )

    def committed(self) -> None:
        """Count."""
        self.commits += 1

    def failed(self, cause: BaseException, count: int) -> None:
        """Keep."""
        self.failures.append((type(cause).__name__, count))


def run(scene: Callable[[MemoryFeed, Bench], Coroutine[None, None, None]]) -> None:
    """Play a scene on a loop of its own."""

    async def play() -> None:
        feed = MemoryFeed()
        bench = Bench(feed)
        try:
            async with asyncio.timeout(10):
                await scene(feed, bench)
        finally:
            feed.gate.set()
            bench.committer.close()

    asyncio.run(play())


def submit(bench: Bench, *tickets: Ticket) -> None:
    """Submit in order."""
    for ticket in tickets:
        bench.committer.submit(ticket)


def test_what_arrives_in_one_turn_shares_one_transaction() -> None:
    """Messages of many connections that are ready together are committed together, in order."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        tickets = [Ticket(adt(str(n))) for n in range(10)]

        submit(bench, *tickets)
        await tickets[-1].flushed.wait()

        assert feed.groups == [10]
        assert list(feed.kept) == [t.inbound.raw for t in tickets]
        assert {t.status for t in tickets} == {"stored"}
        assert bench.commits == 1

    run(scene)


def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    """The next group gathers while the transaction runs, without added delay, up to the bound."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.gate.clear()
        first, rest = Ticket(adt("first")), [Ticket(adt(str(n))) for n in range(GROUP_SIZE + 5)]

        submit(bench, first)
        await asyncio.to_thread(feed.entered.wait)
        submit(bench, *rest)
        waiting = len(bench.committer)
        feed.gate.set()
        await rest[-1].flushed.wait()

        assert waiting == GROUP_SIZE + 5
        assert feed.groups == [1, GROUP_SIZE, 5]

    run(scene)


def test_messages_do_not_gather_without_bound() -> None:
    """A group ends at 2 MiB, however few messages that is."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        tickets = [Ticket(adt(str(n), extra=bytes(200 * 1024))) for n in range(12)]

        submit(bench, *tickets)
        await tickets[-1].flushed.wait()

        assert feed.groups == [11, 1]

    run(scene)


def test_heavy_messages_have_a_group_of_their_own_each() -> None:
    """One that takes seconds to convert holds up no neighbour's commit, and is not starved."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.gate.clear()
        first = Ticket(adt("first"))
        heavy = [Ticket(adt(f"h{n}", extra=bytes(HEAVY_BYTES))) for n in range(3)]
        light = [Ticket(adt(f"l{n}")) for n in range(GROUP_SIZE + 1)]

        submit(bench, first)
        await asyncio.to_thread(feed.entered.wait)
        submit(bench, *heavy, *light)
        feed.gate.set()
        await heavy[-1].flushed.wait()

        assert feed.groups == [1, GROUP_SIZE, 1, 1, 1, 1]
        names = [raw.split(b"|")[9] for raw in feed.kept]
        assert names[-4:] == [b"h0", b"l256", b"h1", b"h2"]

    run(scene)


def test_nothing_overtakes_a_heavy_message_in_its_line() -> None:
    """Other lines go first; what the same connection sent behind it stays behind it."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        line = object()
        heavy = Ticket(adt("heavy", extra=bytes(HEAVY_BYTES)), line=line)
        behind, other = Ticket(adt("behind"), line=line), Ticket(adt("other"))

        submit(bench, heavy, behind, other)
        await behind.flushed.wait()

        assert [raw.split(b"|")[9] for raw in feed.kept] == [b"other", b"heavy", b"behind"]

    run(scene)


def test_message_that_breaks_the_group_fails_alone() -> None:
    """One bad message never fails its neighbours: each is tried alone and the culprit is found."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.crash_on = b"|poison|"
        tickets = [Ticket(adt(name)) for name in ("a", "poison", "b")]

        submit(bench, *tickets)
        await tickets[-1].flushed.wait()

        assert [t.status for t in tickets] == ["stored", "ZeroDivisionError", "stored"]
        assert bench.failures == [("ZeroDivisionError", 1)]

        after = Ticket(adt("c"))
        submit(bench, after)
        await after.flushed.wait()
        assert after.status == "stored"

    run(scene)


def test_outage_is_told_to_all_and_heals_by_itself() -> None:
    """With the storage down every sender is told; when it is back, nothing has to be restarted."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.down = True
        tickets = [Ticket(adt("a")), Ticket(adt("b"))]
        submit(bench, *tickets)
        await tickets[-1].flushed.wait()
        feed.down = False
        again = Ticket(adt("a"))

        submit(bench, again)
        await again.flushed.wait()

        assert [t.status for t in tickets] == ["store-unavailable"] * 2
        assert again.status == "stored"
        assert bench.failures == [("BridgeError", 2)]

    run(scene)


def test_message_that_is_owed_no_answer_is_tried_until_it_is_stored() -> None:
    """Nobody would send it again, so an outage keeps it and its place."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.down = True
        silent, loud = Ticket(adt("silent"), unanswered=True), Ticket(adt("loud"))
        submit(bench, silent, loud)
        await loud.flushed.wait()
        told_early = silent.outcome
        feed.down = False

        await silent.flushed.wait()

        assert told_early is None
        assert (silent.status, loud.status) == ("stored", "store-unavailable")

    run(scene)


def test_missing_results_are_never_taken_for_acceptance() -> None:
    """A result less than messages means that nobody knows whose it is: nothing is accepted."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.lose_results = True
        ticket = Ticket(adt("a"))

        submit(bench, ticket)
        await ticket.flushed.wait()

        assert str(ticket.outcome) == (
            "1 messages were offered and 0 results came back (workers.mllp.commit)"
            " - stop the listener and report this defect"
        )

    run(scene)


def test_nothing_overtakes_a_message_that_comes_again() -> None:
    """What waits behind it in its line goes back with it; other lines are stored."""

    async def scene(feed: MemoryFeed, bench: Bench) -> None:
        feed.gate.clear()
        feed.down = True
        line = object()
        first = Ticket(adt("first"), line=line)
        submit(bench, first)
        await asyncio.to_thread(feed.entered.wait)
        behind, other = Ticket(adt("behind"), line=line), Ticket(adt("other"))
        submit(bench, behind, other)

        feed.gate.set()
        await behind.flushed.wait()
        feed.down = False
        await other.flushed.wait()

        assert (first.status, behind.status) == ("store-unavailable", "store-unavailable")
        assert other.status == "stored"
        assert bench.failures == [("BridgeError", 2)]

    run(scene)
