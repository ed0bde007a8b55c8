"""What every AnchorBook promises, held against PostgreSQL and against the fake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.ids import Digest, Instant, TreeSize, parse_instant
from bridge.ports.anchors import AnchorBook, Attempt, State
from bridge.ports.chain import Fees, Inclusion, Payload, SignedAnchor, Spent
from bridge.store.anchors import PostgresAnchors
from bridge.store.database import Database
from tests.fakes.anchors import MemoryAnchors

NOW = parse_instant("2026-11-22T14:00:00.123456Z")
CHAIN, ACCOUNT, CONTRACT = "eip155:13371", "0x" + "ac" * 20, "0x" + "c0" * 20


@pytest.fixture(params=["memory", "postgres"])
def book(request: pytest.FixtureRequest) -> AnchorBook:
    """Each implementation, empty."""
    if request.param == "memory":
        return MemoryAnchors()
    clean: Database = request.getfixturevalue("clean")
    return PostgresAnchors(clean)


def attempt(nonce: int = 0, number: int = 0, size: int = 5) -> Attempt:
    """A plan as the flow makes it; its fee is larger than any 64-bit number."""
    root = Digest(bytes([size]) * 32)
    return Attempt(
        id=0,
        version=0,
        chain=CHAIN,
        contract=CONTRACT,
        account=ACCOUNT,
        nonce=nonce,
        round=number,
        payload=Payload(prev_root=Digest(bytes(32)), size=TreeSize(size), root=root),
        checkpoint=b"note",
        fees=Fees(max_fee_wei=10**20, tip_wei=1),
        gas=50_000,
        state=State.PLANNED,
        settled=False,
        planned=NOW,
    )


def planned(book: AnchorBook, offered: Attempt) -> Attempt:
    """Stored."""
    with book.unit():
        stored = book.plan(offered)
    assert stored is not None
    return stored


def whole(before: Attempt) -> Attempt:
    """With every optional part filled."""
    tag = bytes([before.nonce, before.round])
    return replace(
        before,
        state=State.EVIDENCED,
        settled=True,
        signed=SignedAnchor(tx_hash=tag * 16, raw=b"raw" + tag),
        sent=NOW,
        inclusion=Inclusion(
            block_number=7,
            block_hash=b"\x07" * 32,
            time=NOW,
            anchored=before.payload,
            spent=Spent(gas=38_000, cost_wei=10**20),
        ),
        evidence=b"{}",
        reason="accepted",
    )


def test_plan_comes_back_as_it_was_stored(book: AnchorBook) -> None:
    """Nothing is lost or rounded, fees of any size included."""
    stored = planned(book, attempt())

    with book.unit():
        found = book.unsettled(CHAIN, ACCOUNT)

    assert found == (stored,)
    assert replace(stored, id=0, version=0) == attempt()


def test_slot_is_taken_once(book: AnchorBook) -> None:
    """One plan a (chain, account, nonce, round), whoever comes second gets None."""
    planned(book, attempt())

    with book.unit():
        second = book.plan(attempt(size=9))

    assert second is None


def test_spent_is_what_was_paid_or_may_be(book: AnchorBook) -> None:
    """A mined nonce counts its cost, an open one its dearest offer, a foreign one nothing."""
    paid, open_, foreign = (planned(book, attempt(nonce=nonce)) for nonce in (1, 2, 3))
    dearer = planned(
        book, replace(attempt(nonce=2, number=1), fees=Fees(max_fee_wei=10**21, tip_wei=1))
    )
    with book.unit():
        book.swap(paid, whole(paid))
        book.swap(foreign, replace(foreign, state=State.FAILED, settled=True))

    with book.unit():
        now = book.spent_wei(CHAIN, ACCOUNT, since=NOW)
        later = book.spent_wei(CHAIN, ACCOUNT, since=Instant(NOW + timedelta(seconds=1)))

    assert open_.gas == dearer.gas
    assert now == 10**20 + dearer.gas * 10**21
    assert later == 0


def test_standing_is_the_largest_in_a_block(book: AnchorBook) -> None:
    """Of this chain and contract; what only waits does not count."""
    small, large, waiting = (
        planned(book, attempt(nonce=nonce, size=size)) for nonce, size in ((1, 5), (2, 9), (3, 12))
    )
    with book.unit():
        before = book.standing(CHAIN, small.contract)
        for one in (large, small):
            book.swap(one, replace(whole(one), state=State.MINED))

    with book.unit():
        found = book.standing(CHAIN, small.contract)
        elsewhere = book.standing(CHAIN, "0x" + "99" * 20)

    assert waiting.payload.size == 12
    assert (before, elsewhere) == (None, None)
    assert found is not None
    assert found.id == large.id


def test_next_round_is_above_every_round_of_the_nonce(book: AnchorBook) -> None:
    """0 for a fresh nonce."""
    planned(book, attempt(nonce=1))
    planned(book, attempt(nonce=1, number=1))

    with book.unit():
        rounds = book.next_round(CHAIN, ACCOUNT, 1), book.next_round(CHAIN, ACCOUNT, 2)

    assert rounds == (2, 0)


def test_swap_keeps_every_part(book: AnchorBook) -> None:
    """What was swapped in is what is read."""
    stored = planned(book, attempt())

    with book.unit():
        swapped = book.swap(stored, whole(stored))
    with book.unit():
        found = book.evidenced(CHAIN, CONTRACT, size_from=1)

    assert found == (swapped,)


def test_swap_of_a_row_that_changed_since_does_nothing(book: AnchorBook) -> None:
    """Of two workers with the same view of a row one wins."""
    stored = planned(book, attempt())
    with book.unit():
        first = book.swap(stored, replace(stored, state=State.SIGNED))

    with book.unit():
        second = book.swap(stored, replace(stored, state=State.FAILED))
    with book.unit():
        found = book.unsettled(CHAIN, ACCOUNT)

    assert second is None
    assert found == (first,)


def test_unsettled_is_in_order_and_without_settled_ones(book: AnchorBook) -> None:
    """By nonce, then by round; other accounts and chains are not ours."""
    late, early = planned(book, attempt(nonce=2)), planned(book, attempt(nonce=1))
    second = planned(book, attempt(nonce=1, number=1))
    done = planned(book, attempt(nonce=0))
    planned(book, replace(attempt(nonce=3), account="0x" + "00" * 20))
    with book.unit():
        book.swap(done, whole(done))

    with book.unit():
        found = book.unsettled(CHAIN, ACCOUNT)

    assert found == (early, second, late)


def test_evidenced_gives_the_smallest_head_that_covers_a_leaf_first(book: AnchorBook) -> None:
    """The earliest anchor of a leaf is the one with the smallest size above its index."""
    for nonce, size in enumerate((9, 5, 12)):
        stored = planned(book, attempt(nonce=nonce, size=size))
        with book.unit():
            book.swap(stored, whole(stored))

    with book.unit():
        found = book.evidenced(CHAIN, CONTRACT, size_from=6)

    assert [each.payload.size for each in found] == [9, 12]


def test_covering_attempts_are_those_that_stand_on_a_chain(book: AnchorBook) -> None:
    """Mined ones count before they are final; planned and replaced ones say nothing of a leaf."""
    for nonce, state in enumerate((State.MINED, State.REPLACED, State.EVIDENCED, State.SENT)):
        stored = planned(book, attempt(nonce=nonce, size=9 - nonce))
        with book.unit():
            book.swap(stored, replace(whole(stored), state=state))

    with book.unit():
        found = book.covering([6, 8, 10])

    assert {size: [each.state for each in near] for size, near in found.items()} == {
        6: [State.EVIDENCED, State.MINED],
        8: [State.MINED],
        10: [],
    }


def test_covering_reaches_the_nearest_evidence_behind_those_that_have_none(
    book: AnchorBook,
) -> None:
    """A leaf is final by an anchor that is, also where the nearest ones still wait."""
    for nonce in range(6):
        stored = planned(book, attempt(nonce=nonce, size=10 + nonce))
        state = State.EVIDENCED if nonce > 3 else State.MINED
        with book.unit():
            book.swap(stored, replace(whole(stored), state=state))

    with book.unit():
        found = book.covering({3})

    assert [each.payload.size for each in found[3]] == [10, 11, 12, 14]


def test_newest_evidence_is_that_of_the_highest_block(book: AnchorBook) -> None:
    """Whoever looks for lost blocks begins where chains lose them."""
    for nonce, height in enumerate((4, 9, 7)):
        stored = planned(book, attempt(nonce=nonce))
        after = whole(stored)
        assert after.inclusion is not None
        with book.unit():
            book.swap(
                stored, replace(after, inclusion=replace(after.inclusion, block_number=height))
            )

    with book.unit():
        found = book.newest_evidenced(CHAIN, ACCOUNT)

    assert [each.inclusion and each.inclusion.block_number for each in found] == [9, 7, 4]


def test_unit_that_fails_keeps_nothing(book: AnchorBook) -> None:
    """A plan and the replacement of its predecessor are durable together or not at all."""

    def half() -> None:
        with book.unit():
            book.plan(attempt())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    with book.unit():
        assert book.unsettled(CHAIN, ACCOUNT) == ()
