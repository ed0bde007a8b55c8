"""The newest head reaches the chain once, whatever the chain and the process do meanwhile."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.flows.anchor import NO_BUDGET, Budget, Move, Step, anchor
from bridge.flows.watch import Watched, watch
from bridge.ports.anchors import Attempt, State
from bridge.ports.chain import Delivery
from tests.fakes.anchors import MemoryAnchors, MemoryHeads, grown
from tests.fakes.chain import GAS_USED, Crash, HostileChain
from tests.fakes.sources import FixedClock


@dataclass
class Node:
    """One node over fakes: its process may die, its rows and the chain stay."""

    chain: HostileChain = field(default_factory=HostileChain)
    anchors: MemoryAnchors = field(default_factory=MemoryAnchors)
    book: MemoryHeads = field(default_factory=MemoryHeads)
    clock: FixedClock = field(default_factory=FixedClock)
    budget: Budget = NO_BUDGET

    def anchor(self, size: int | None = None) -> Step:
        """One call of the flow, after the log grew."""
        self.book.size = size or self.book.size
        return anchor(
            book=self.book,
            anchors=self.anchors,
            chain=self.chain,
            clock=self.clock,
            budget=self.budget,
        )

    def watch(self) -> Watched:
        """One call of the watcher."""
        return watch(anchors=self.anchors, chain=self.chain, clock=self.clock)

    def states(self) -> list[State]:
        """Of all rows in order."""
        return [row.state for row in self.anchors.rows.values()]

    @property
    def last(self) -> Attempt:
        """The newest row."""
        return self.anchors.rows[len(self.anchors.rows)]


def test_head_goes_out_once_and_waits_for_its_block() -> None:
    """A second call sends nothing new while the first transaction is in flight."""
    node = Node()

    moves = [node.anchor(5).move, node.anchor().move, node.anchor(9).move]

    assert moves == [Move.SENT, Move.WAITING, Move.WAITING]
    assert len(set(node.chain.sent)) == 1


def test_nothing_is_sent_for_a_head_that_the_chain_has() -> None:
    """The chain's own state decides, so that a repeated call costs no gas."""
    node = Node(chain=HostileChain(instant=True))
    node.anchor(5)
    node.watch()

    step = node.anchor()

    assert step == Step(move=Move.IDLE, attempt=None)


def test_empty_log_is_not_anchored() -> None:
    """A log without a checkpoint has nothing to say."""
    assert Node().anchor().move is Move.IDLE


def test_signed_bytes_are_stored_before_they_leave() -> None:
    """A process that dies right before the broadcast sends the stored bytes afterwards."""
    node = Node(chain=HostileChain(crash_on="send-before"))
    with pytest.raises(Crash):
        node.anchor(5)
    stored = node.last.signed

    node.anchor(9)

    assert stored is not None
    assert node.chain.sent == [stored.raw]


def test_crash_after_the_broadcast_sends_the_same_bytes() -> None:
    """Nobody knows whether the first one arrived; the same bytes twice have one effect."""
    node = Node(chain=HostileChain(crash_on="send-after"))
    with pytest.raises(Crash):
        node.anchor(5)

    step = node.anchor()

    assert step.move is Move.SENT
    assert node.chain.sent == [node.chain.sent[0]] * 2
    assert node.last.reason == Delivery.KNOWN.value


@pytest.mark.parametrize("persists", [False, True], ids=["before-durable", "after-durable"])
@pytest.mark.parametrize("broadcast", ["", "send-before", "send-after"])
@pytest.mark.parametrize("at", range(6))
def test_crash_at_any_step_heals(*, at: int, broadcast: str, persists: bool) -> None:
    """Every durable step fails before and after it persisted; the head is evidenced once."""
    node = Node(chain=HostileChain(instant=True, crash_on=broadcast))
    node.book.size = 5
    node.anchors.crash_at, node.anchors.crash_persists = at, persists

    for _ in range(8):
        try:
            node.anchor()
            node.watch()
        except Crash:
            continue

    assert node.states() == [State.EVIDENCED]
    assert len(set(node.chain.sent)) == 1
    assert node.chain.head.size == 5


def test_two_workers_at_once_take_one_nonce() -> None:
    """The second plan of a slot is refused by the book, and its worker stands back."""
    node = Node()
    node.book.size = 5
    slow = MemoryAnchors()
    slow.rows = node.anchors.rows = {}
    plan, slow_node = slow.plan, Node(chain=node.chain, anchors=slow, book=node.book)

    def late(attempt: Attempt) -> Attempt | None:
        node.anchor()
        slow.rows = node.anchors.rows
        return plan(attempt)

    slow.next_round = lambda *_: 0  # type: ignore[method-assign]  # read before the other planned
    slow.plan = late  # type: ignore[method-assign]  # the other worker is faster by a moment

    assert slow_node.anchor().move is Move.WAITING
    assert len(node.chain.sent) == 1


def test_stuck_transaction_is_replaced_by_the_newest_head() -> None:
    """Same nonce, both fees up by an eighth, and the head that is newest now."""
    node = Node()
    node.anchor(5)
    first = node.last
    node.clock.advance(30)

    step = node.anchor(9)

    assert step.move is Move.REPLACED
    assert (node.last.nonce, node.last.round, node.last.payload.size) == (first.nonce, 1, 9)
    assert node.last.fees.tip_wei >= first.fees.tip_wei * 9 / 8
    assert node.last.fees.max_fee_wei >= first.fees.max_fee_wei * 9 / 8
    assert node.states() == [State.REPLACED, State.SENT]
    assert node.chain.pool[0] == node.chain.sent[-1]


def test_clock_that_is_set_back_is_not_waited_for() -> None:
    """Sent while it was a day ahead, a transaction would be called fresh for a day."""
    node = Node()
    node.anchor(5)
    node.clock.advance(-86_400)

    assert node.anchor(9).move is Move.REPLACED


def test_replaced_transaction_that_wins_is_the_anchor() -> None:
    """Every hash ever sent at a nonce is watched: the older one may be mined."""
    node = Node()
    node.anchor(5)
    old = node.chain.sent[0]
    node.clock.advance(30)
    node.anchor(9)
    node.chain.vanish()
    node.chain.force(old)
    node.chain.mine(3)

    node.watch()

    assert node.states() == [State.EVIDENCED, State.REPLACED]
    assert node.anchor().move is Move.SENT
    assert node.last.payload.size == 9


def test_fees_stop_at_the_cap_and_say_so() -> None:
    """A fee spike of 50 times never costs more than the operator allows."""
    node = Node(chain=HostileChain(fee_cap_wei=100))
    node.anchor(5)
    node.chain.base_wei *= 50
    moves = []

    for _ in range(30):
        node.clock.advance(30)
        moves.append(node.anchor().move)

    assert moves[0] is Move.REPLACED
    assert moves[-1] is Move.AT_CAP
    assert max(row.fees.max_fee_wei for row in node.anchors.rows.values()) <= 100


def test_spike_that_passes_lets_the_waiting_anchor_in() -> None:
    """At the cap the last transaction stays in the pool and is mined when prices fall."""
    node = Node(chain=HostileChain(fee_cap_wei=100))
    node.anchor(5)
    node.chain.base_wei = 500
    for _ in range(30):
        node.clock.advance(30)
        node.anchor()
    node.chain.base_wei = 10

    node.chain.mine(4)
    node.watch()

    assert node.last.state is State.EVIDENCED


def test_no_plan_is_made_while_the_price_is_above_the_cap() -> None:
    """A transaction that no block can take would only block its nonce."""
    node = Node(chain=HostileChain(base_wei=5000))

    assert node.anchor(5).move is Move.AT_CAP
    assert node.states() == []


def test_spending_stops_at_the_budget_and_goes_on_in_the_next_period() -> None:
    """What was paid counts, and what waits counts with the most that it may cost."""
    offered = 50_000 * 22
    node = Node(chain=HostileChain(instant=True, base_wei=10, tip_wei=2))
    node.budget = Budget(wei=offered + 2 * GAS_USED * 10, period=timedelta(hours=1))
    moves = []
    for size in range(1, 7):
        moves.append(node.anchor(size).move)
        node.watch()
        node.clock.advance(60)
    node.clock.advance(3600)

    later = node.anchor().move

    assert moves == [Move.SENT] * 3 + [Move.OVER_BUDGET] * 3
    assert later is Move.SENT


def test_replacement_beyond_the_budget_is_not_sent() -> None:
    """The first offer stays in the pool; a fee spike cannot drain the account."""
    node = Node(budget=Budget(wei=50_000 * 30, period=timedelta(days=1)))
    node.anchor(5)
    node.chain.base_wei *= 50
    node.clock.advance(30)

    move = node.anchor().move

    assert move is Move.OVER_BUDGET
    assert node.states() == [State.SENT]


def test_head_need_not_wait_until_a_foreign_transaction_is_final() -> None:
    """Another program used our nonce: the newest head takes the next one as soon as it is stuck."""
    node = Node(chain=HostileChain(depth=100))
    node.anchor(5)
    node.chain.foreign()
    node.clock.advance(30)

    step = node.anchor(9)
    node.chain.mine()
    node.watch()

    assert step.move is Move.SENT
    assert [(row.nonce, row.state) for row in node.anchors.rows.values()] == [
        (0, State.SENT),
        (1, State.MINED),
    ]
    assert node.chain.head.size == 9


def test_bytes_that_no_endpoint_takes_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say the row's fee model was wrong: once it is mended nobody has to touch the database."""
    node = Node()

    def refuse(_: bytes) -> Delivery:
        raise BridgeError(
            "chain-refused", Fault.PEER, what="type not supported", where="x", do="wait"
        )

    with monkeypatch.context() as patch:
        patch.setattr(node.chain, "send", refuse)
        for _ in range(3):
            with pytest.raises(BridgeError, match="type not supported"):
                node.anchor(5)
            node.clock.advance(30)
    node.anchor(7)
    node.chain.mine(3)
    node.watch()

    assert node.last.state is State.EVIDENCED
    assert node.chain.head.size == 7
    assert {row.fees for row in node.anchors.rows.values()} == {node.last.fees}


def test_underpriced_replacement_keeps_rising() -> None:
    """A pool that wants more than an eighth gets it in steps."""
    node = Node()
    node.anchor(5)
    held = node.chain.pool[0]
    node.chain.pool[0] = node.chain.sign(
        node.last.payload, nonce=0, gas=0, fees=type(node.last.fees)(max_fee_wei=60, tip_wei=6)
    ).raw
    assert held != node.chain.pool[0]
    reasons = []

    for _ in range(15):
        node.clock.advance(30)
        node.anchor()
        reasons.append(node.last.reason)

    assert reasons[0] == Delivery.UNDERPRICED.value
    assert Delivery.ACCEPTED.value in reasons


def test_restored_database_is_refused_before_it_signs() -> None:
    """The chain's head is the high-water mark: a smaller log must not go on."""
    node = Node(chain=HostileChain(instant=True))
    node.anchor(9)
    node.watch()
    node.book.size = 5

    with pytest.raises(BridgeError) as refused:
        node.anchor()

    assert str(refused.value) == (
        "the chain holds size 9 and the log has only 5 leaves (block 1) - "
        "the database is older than the chain: restore a newer backup; sign nothing; "
        "if no backup ever had so many leaves, it is a junk head of a thief: see the runbook"
    )


def test_forked_log_is_refused() -> None:
    """A head on the chain that is not in our history is never built upon."""
    node = Node(chain=HostileChain(instant=True))
    node.anchor(5)
    node.watch()
    node.book.branch, node.book.size = b"b", 9

    with pytest.raises(BridgeError, match="the chain's root at size 5 is not the log's root"):
        node.anchor()


def test_endpoint_that_lags_does_not_get_a_nonce_taken_twice() -> None:
    """Its nonce is one that we have seen mined."""
    node = Node(chain=HostileChain(depth=50))
    node.anchor(5)
    node.chain.mine()
    node.watch()
    node.chain.lag = 1

    step = node.anchor(9)

    assert step.move is Move.WAITING
    assert len(node.chain.sent) == 1


def test_next_head_goes_on_top_of_a_mined_one_that_is_not_final() -> None:
    """Finality takes minutes on public chains; anchors need not wait for each other."""
    node = Node(chain=HostileChain(depth=50))
    node.anchor(5)
    node.chain.mine()
    node.watch()

    node.anchor(9)
    node.chain.mine()

    assert node.chain.head.size == 9
    assert node.last.payload.prev_root == grown(5).root
