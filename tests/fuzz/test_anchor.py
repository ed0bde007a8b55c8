"""Any order of growth, crash, reorganisation, loss and fee spike ends with the newest head."""

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.flows.anchor import anchor
from bridge.flows.watch import watch
from bridge.ports.anchors import State
from tests.fakes.anchors import MemoryAnchors, MemoryHeads, grown
from tests.fakes.chain import Crash, HostileChain
from tests.fakes.sources import FixedClock


class Anchoring(RuleBasedStateMachine):
    """A node and a hostile chain, driven at random."""

    def __init__(self) -> None:
        """An empty log, an empty chain."""
        super().__init__()
        self.chain, self.anchors = HostileChain(depth=3, fee_cap_wei=500), MemoryAnchors()
        self.book, self.clock = MemoryHeads(), FixedClock()

    @rule(leaves=st.integers(1, 5))
    def grow(self, leaves: int) -> None:
        """The log publishes a larger head."""
        self.book.size += leaves

    @rule()
    def anchor(self) -> None:
        """A worker runs."""
        with contextlib.suppress(Crash):
            anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)

    @rule()
    def watch(self) -> None:
        """Another worker runs."""
        with contextlib.suppress(Crash):
            watch(anchors=self.anchors, chain=self.chain, clock=self.clock)

    @rule(at=st.integers(0, 3), persists=st.booleans())
    def crash_at_a_write(self, *, at: int, persists: bool) -> None:
        """A coming write is the last one of its process."""
        self.anchors.crash_at, self.anchors.crash_persists = at, persists

    @rule(when=st.sampled_from(["send-before", "send-after"]))
    def crash_at_a_broadcast(self, when: str) -> None:
        """A coming broadcast is the last thing its process does."""
        self.chain.crash_on = when

    @rule(count=st.integers(1, 4))
    def mine(self, count: int) -> None:
        """Blocks come."""
        self.chain.lag = 0
        self.chain.mine(count)

    @rule(depth=st.integers(1, 8), keep=st.booleans())
    def reorg(self, *, depth: int, keep: bool) -> None:
        """Blocks go, final ones too."""
        self.chain.reorg(min(depth, len(self.chain.blocks) - 1), keep=keep)

    @rule(lag=st.integers(0, 2))
    def lag(self, lag: int) -> None:
        """The endpoint that answers is behind."""
        self.chain.lag = min(lag, len(self.chain.blocks) - 1)

    @rule()
    def vanish(self) -> None:
        """The pool forgets."""
        self.chain.vanish()

    @rule(number=st.integers(0, 20))
    def late(self, number: int) -> None:
        """A miner includes some transaction that it saw earlier, if its nonce is the next one."""
        for raw in self.chain.sent[number : number + 1]:
            self.chain.mine_this(raw)

    @rule()
    def foreign(self) -> None:
        """Somebody else uses our key."""
        self.chain.foreign()

    @rule(base=st.sampled_from([1, 10, 400, 5000]))
    def fees(self, base: int) -> None:
        """Prices move."""
        self.chain.base_wei = base

    @rule(seconds=st.sampled_from([5, 31]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @invariant()
    def only_stored_bytes_were_sent(self) -> None:
        """Whatever reached the chain is in the book and can be found again."""
        stored = {row.signed.raw for row in self.anchors.rows.values() if row.signed}

        assert set(self.chain.sent) <= stored

    @invariant()
    def heads_on_the_chain_are_of_the_log(self) -> None:
        """The contract holds a head that the log had."""
        head = self.chain.head

        assert head.sequence == 0 or head.root == grown(head.size).root

    @invariant()
    def fees_stay_below_the_cap(self) -> None:
        """Whatever happens."""
        assert all(row.fees.max_fee_wei <= 500 for row in self.anchors.rows.values())

    def teardown(self) -> None:
        """When the world calms down, the next head is final and evidenced, and nothing hangs."""
        self.book.size += 1
        self.chain.lag, self.chain.base_wei, self.chain.crash_on = 0, 1, ""
        self.anchors.crash_at = None
        for _ in range(12):
            self.clock.advance(31)
            anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)
            self.chain.mine(4)
            watch(anchors=self.anchors, chain=self.chain, clock=self.clock)
        assert self.chain.head.size == self.book.size
        # What may be left waits behind nonces of foreign transactions that a reorganisation took;
        # heads to come fill those.
        left = self.anchors.unsettled(self.chain.name, self.chain.account)
        assert all(row.nonce > self.chain.view().nonce for row in left)
        evidenced = [r for r in self.anchors.rows.values() if r.state is State.EVIDENCED]
        for row in evidenced:
            assert row.signed is not None
            found = self.chain.find(row.signed.tx_hash)
            assert found == row.inclusion
            assert found is not None
            assert row.evidence is not None
            assert found.block_hash.hex() in row.evidence.decode()
        assert max(row.payload.size for row in evidenced) == self.book.size


Anchoring.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnchoring = Anchoring.TestCase
