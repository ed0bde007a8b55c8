"""What was sent is followed through reorganisations until it is evidence."""

import pytest

from bridge.flows.anchor import anchor
from bridge.flows.watch import Watched, watch
from bridge.ports.anchors import State
from tests.fakes.anchors import MemoryAnchors, MemoryHeads
from tests.fakes.chain import HostileChain
from tests.fakes.sources import FixedClock


class Node:
    """One node over fakes."""

    def __init__(self, *, depth: int = 2) -> None:
        """With an anchor of size 5 in the pool."""
        self.chain, self.anchors = HostileChain(depth=depth), MemoryAnchors()
        self.book, self.clock = MemoryHeads(), FixedClock()
        self.send(5)

    def send(self, size: int) -> None:
        """The log grows and its head goes out."""
        self.book.size = size
        anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)

    def watch(self) -> Watched:
        """One look."""
        return watch(anchors=self.anchors, chain=self.chain, clock=self.clock)

    def states(self) -> list[State]:
        """Of all rows in order."""
        return [row.state for row in self.anchors.rows.values()]


def test_anchor_is_mined_then_final_then_evidenced() -> None:
    """Evidence is captured when the rule of the chain calls its block final, and not before."""
    node = Node()
    seen = []

    for _ in range(4):
        node.chain.mine()
        node.watch()
        seen.append(node.states()[0])

    assert seen == [State.MINED, State.MINED, State.EVIDENCED, State.EVIDENCED]
    assert node.anchors.rows[1].evidence is not None
    assert node.anchors.rows[1].settled


def test_looking_again_changes_nothing() -> None:
    """A settled attempt is not asked for again."""
    node = Node()
    node.chain.mine(3)
    node.watch()
    rows = dict(node.anchors.rows)

    again = node.watch()

    assert again == Watched()
    assert node.anchors.rows == rows


@pytest.mark.parametrize("depth", [1, 2, 8, 64])
@pytest.mark.parametrize("keep", [True, False], ids=["back-to-pool", "dropped"])
def test_reorganised_anchor_goes_out_again(*, depth: int, keep: bool) -> None:
    """The same bytes come back, in another block, whether or not the pool kept them."""
    node = Node(depth=100)
    node.chain.mine(depth)
    node.watch()
    before = node.anchors.rows[1].inclusion
    node.chain.reorg(depth, keep=keep)

    looked = node.watch()
    node.chain.mine()
    node.watch()

    after = node.anchors.rows[1].inclusion
    assert [each.id for each in looked.reorged] == [1]
    assert node.states() == [State.MINED]
    assert before is not None
    assert after is not None
    assert before.block_hash != after.block_hash
    assert len(set(node.chain.sent)) == 1


def test_two_anchors_in_one_reorganisation_both_come_back() -> None:
    """Each nonce is mended, in order."""
    node = Node(depth=100)
    node.chain.mine()
    node.watch()
    node.send(9)
    node.chain.mine()
    node.watch()
    node.chain.reorg(2, keep=False)

    node.watch()
    node.chain.mine(2)
    node.watch()

    assert node.states() == [State.MINED, State.MINED]
    assert node.chain.head.size == 9


def test_reorganisation_beyond_finality_takes_its_evidence_back() -> None:
    """Evidence of a block that is gone is not handed out; the anchor is mended."""
    node = Node(depth=2)
    node.chain.mine(4)
    node.watch()
    node.chain.reorg(4, keep=False)

    node.watch()
    none_left = node.anchors.evidenced(node.chain.name, node.chain.contract, size_from=1)
    node.chain.mine(4)
    node.watch()

    assert none_left == ()
    assert node.states() == [State.EVIDENCED]


def test_endpoint_that_lags_undoes_nothing() -> None:
    """A shorter chain is not proof that a block is gone."""
    node = Node(depth=2)
    node.chain.mine(3)
    node.watch()
    node.chain.lag = 3

    looked = node.watch()

    assert looked == Watched()
    assert node.states() == [State.EVIDENCED]


def test_vanished_transaction_is_sent_again() -> None:
    """A pool may forget; the stored bytes remember."""
    node = Node()
    node.chain.vanish()

    node.watch()
    node.chain.mine()

    assert node.chain.head.size == 5


def test_transaction_mined_after_it_was_given_up_counts() -> None:
    """A replaced transaction whose block comes late is the anchor; its successor is settled."""
    node = Node()
    given_up = node.chain.sent[0]
    node.clock.advance(60)
    node.send(9)
    node.chain.vanish()
    node.chain.force(given_up)

    node.watch()
    node.chain.mine(2)
    node.watch()

    assert node.states() == [State.EVIDENCED, State.REPLACED]
    assert all(row.settled for row in node.anchors.rows.values())


def test_other_transaction_wins_after_a_reorganisation() -> None:
    """Of two transactions at a nonce the canonical block decides, each time anew."""
    node = Node(depth=100)
    first = node.chain.sent[0]
    node.clock.advance(60)
    node.send(9)
    node.chain.mine()
    node.watch()
    node.chain.reorg(1, keep=False)
    node.chain.force(first)

    node.watch()

    assert node.states() == [State.MINED, State.REPLACED]


def test_foreign_transaction_at_our_nonce_fails_the_attempt() -> None:
    """Once that is final nothing of ours can be mined there; the head takes the next nonce."""
    node = Node()
    node.chain.foreign()
    node.watch()
    not_yet = node.states()
    node.chain.mine(2)

    looked = node.watch()
    node.send(5)

    assert not_yet == [State.SENT]
    assert [each.reason for each in looked.failed] == [
        "another transaction of this account took the nonce"
    ]
    assert node.states() == [State.FAILED, State.SENT]
    assert node.anchors.rows[2].nonce == 1


def test_reverted_anchor_is_failed_and_the_head_planned_anew() -> None:
    """A transaction without its event proves nothing and uses its nonce."""
    node = Node(depth=100)
    node.chain.mine()
    node.watch()
    node.send(9)
    second = node.chain.sent[-1]
    node.chain.reorg(1, keep=False)
    node.clock.advance(60)
    node.watch()
    node.chain.foreign()
    node.chain.force(second)

    node.watch()
    node.send(9)

    assert node.anchors.rows[2].state is State.FAILED
    assert node.anchors.rows[2].reason == "mined without the expected Anchored event"


def test_evidence_that_cannot_be_captured_is_tried_again() -> None:
    """The anchor stays final and the reason is told."""
    node = Node()
    node.chain.refuse_evidence = True
    node.chain.mine(3)
    looked = node.watch()
    node.chain.refuse_evidence = False

    healed = node.watch()

    assert [error.code for error in looked.problems] == ["evidence-gone"]
    assert [each.state for each in healed.evidenced] == [State.EVIDENCED]


def test_nonce_that_a_reorganisation_left_open_is_filled() -> None:
    """Ours waits behind a foreign transaction that is gone; the newest head takes its place."""
    node = Node()
    node.chain.vanish()
    node.chain.foreign()
    node.chain.mine(2)
    node.watch()
    node.send(5)
    node.chain.reorg(3, keep=False)

    for _ in range(4):
        node.clock.advance(60)
        node.send(9)
        node.chain.mine(3)
        node.watch()

    assert node.chain.head.size == 9
    assert node.anchors.unsettled(node.chain.name, node.chain.account) == ()
