"""The sequencer: order, crashes at every step, forks that it must not sign."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.checkpoint import VerifierKey, open_checkpoint
from bridge.core.log.merkle import leaf_hashes, root_of
from bridge.core.log.tiles import Tile
from bridge.flows.sequence import Sequenced, sequence
from bridge.ports.logbook import AnchoredHead, PublishedHead
from tests.fakes.highwater import MemoryHighWater
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import FixedClock

ORIGIN = "log.example/test"
STEPS = ["assign", "write", "advance", "publish"]
LEAVES = [b"leaf %d" % index for index in range(1_000)]
HASHES = leaf_hashes(LEAVES)


def full_book(count: int) -> MemoryLogBook:
    """A book with pending leaves."""
    book = MemoryLogBook()
    for leaf in LEAVES[:count]:
        book.promise(leaf.decode(), leaf)
    return book


def run(
    book: MemoryLogBook,
    *,
    signer: KnownSigner | None = None,
    max_leaves: int = 300,
    anchored: AnchoredHead | None = None,
    asked: Callable[[], AnchoredHead] | None = None,
) -> Sequenced | None:
    """One run of the sequencer."""
    return sequence(
        book=book,
        signer=signer or KnownSigner(),
        clock=FixedClock(),
        origin=ORIGIN,
        max_leaves=max_leaves,
        high_water=MemoryHighWater(asked=asked or (lambda: anchored)),
    )


def drain(book: MemoryLogBook, *, max_leaves: int = 300) -> list[Sequenced]:
    """Run until nothing is left."""
    runs: list[Sequenced] = []
    while (one := run(book, max_leaves=max_leaves)) is not None:
        runs.append(one)
    return runs


def state(book: MemoryLogBook) -> tuple[object, ...]:
    """Everything durable."""
    return book.log, book.stored, book.stored_head, book.checkpoints, book.pending


def test_pending_leaves_end_under_a_signed_checkpoint() -> None:
    """Root, size and signature fit the leaves in their order."""
    book = full_book(700)

    runs = drain(book)

    assert [(one.size, one.leaves) for one in runs] == [(300, 300), (600, 300), (700, 100)]
    for one in runs:
        note = book.checkpoints[one.size].note
        head = open_checkpoint(note, [VerifierKey.parse(KnownSigner().verifier_key)], ORIGIN)
        assert (head.size, head.root) == (one.size, root_of(HASHES[: one.size * 32]))
    assert (book.pending, [leaf for _, leaf in book.log]) == ([], LEAVES[:700])


def test_nothing_pending_changes_nothing() -> None:
    """An idle run signs nothing."""
    book, signer = full_book(0), KnownSigner()

    assert run(book, signer=signer) is None

    assert (signer.signed, book.checkpoints) == ([], {})


def test_second_sequencer_stands_back() -> None:
    """While one process sequences, another does nothing."""
    book = full_book(5)

    with book.sequencing():
        result = run(book)

    assert (result, len(book.pending)) == (None, 5)


@pytest.mark.parametrize("persisted", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("already", [0, 256, 300])
def test_crash_at_a_step_heals_to_the_same_bytes(already: int, step: str, persisted: str) -> None:
    """Whether the step persisted or not, the next runs end where an undisturbed log ends."""
    undisturbed, crashed = full_book(already), full_book(already)
    drain(undisturbed)
    drain(crashed)
    for leaf in LEAVES[already : already + 330]:
        undisturbed.promise(leaf.decode(), leaf)
        crashed.promise(leaf.decode(), leaf)
    drain(undisturbed)
    crashed.fail_at = (step, persisted)

    with pytest.raises(BridgeError, match=f"{step} (did not persist|persisted, unreported)"):
        drain(crashed)
    drain(crashed)

    assert state(crashed) == state(undisturbed)


@pytest.mark.parametrize("step", STEPS)
def test_leaves_that_come_after_a_crash_join_no_earlier_batch(step: str) -> None:
    """The batch that a crash left is finished alone, so its checkpoint is the one it would be."""
    book = full_book(10)
    book.fail_at = (step, "after")
    with pytest.raises(BridgeError):
        run(book)
    for leaf in LEAVES[10:15]:
        book.promise(leaf.decode(), leaf)

    runs = drain(book)

    assert 10 in book.checkpoints
    assert runs[-1].size == 15


@given(
    st.lists(
        st.tuples(
            st.integers(0, 300),
            st.none() | st.tuples(st.sampled_from(STEPS), st.sampled_from(["before", "after"])),
        ),
        max_size=8,
    )
)
def test_any_order_of_intake_and_crashes_keeps_the_invariants(
    events: list[tuple[int, tuple[str, str] | None]],
) -> None:
    """No leaf is lost or doubled, every checkpoint fits the leaves, none contradicts another."""
    book, promised = full_book(0), 0

    for arriving, crash in events:
        for _ in range(arriving):
            book.promise(f"leaf {promised}", b"leaf %d" % promised)
            promised += 1
        book.fail_at = crash
        try:
            run(book, max_leaves=200)
        except BridgeError as error:
            assert error.code == "store-unavailable"  # noqa: PT017  most runs raise nothing
        book.fail_at = None
    drain(book)

    hashes = leaf_hashes(b"leaf %d" % index for index in range(promised))
    assert [leaf for _, leaf in book.log] == [b"leaf %d" % index for index in range(promised)]
    for size, head in book.checkpoints.items():
        assert head.root == root_of(hashes[: size * 32])
        assert book.root_at(size) == head.root


def test_only_full_tiles_and_the_newest_partial_ones_are_kept() -> None:
    """One row a tile: a partial tile makes room for the wider one that repeats it."""
    book = full_book(0)

    for leaf in LEAVES[:600]:
        book.promise(leaf.decode(), leaf)
        run(book)

    assert set(book.stored) == {
        Tile(level=0, n=0),
        Tile(level=0, n=1),
        Tile(level=0, n=2, width=88),
        Tile(level=1, n=0, width=2),
    }
    assert len(book.checkpoints) == 600


def test_log_behind_the_chain_is_not_signed() -> None:
    """A database restored from a backup stops before anything durable."""
    book, signer = full_book(10), KnownSigner()
    drain(book)
    book.promise("new", b"new")
    before = state(book)
    ahead = AnchoredHead(size=TreeSize(11), root=Digest(bytes(32)))

    with pytest.raises(
        BridgeError, match=r"independent head has 11 leaves, the stored log has 10 .* restore"
    ) as caught:
        run(book, signer=signer, anchored=ahead)

    assert (caught.value.code, caught.value.fault) == ("log-behind", Fault.OPERATOR)
    assert (state(book), signer.signed) == (before, [])


def test_log_that_forked_from_the_chain_is_not_signed() -> None:
    """Other leaves under the anchored size are another log."""
    book, signer = full_book(10), KnownSigner()
    drain(book)
    book.promise("new", b"new")
    forked = AnchoredHead(size=TreeSize(7), root=root_of(HASHES[32 : 8 * 32]))

    with pytest.raises(BridgeError, match=r"does not extend the independent head .* run fsck"):
        run(book, signer=signer, anchored=forked)

    assert (len(book.pending), signer.signed) == (1, [])


def test_database_that_goes_away_while_tiles_are_read_is_no_fork() -> None:
    """What could not be read is tried again, and nobody is told to look for a fork."""
    book = full_book(10)
    drain(book)
    book.promise("new", b"new")

    def asked() -> AnchoredHead:
        book.away = True
        return AnchoredHead(size=TreeSize(7), root=root_of(HASHES[: 7 * 32]))

    with pytest.raises(BridgeError) as refused:
        run(book, asked=asked)

    book.away = False
    assert refused.value.code == "store-unavailable"
    assert run(book) is not None


@pytest.mark.parametrize("size", [0, 7, 10])
def test_anchored_head_of_this_log_is_no_obstacle(size: int) -> None:
    """An older or equal head with the root that the log had then lets the run go on."""
    book = full_book(10)
    drain(book)
    book.promise("new", b"new")
    anchored = AnchoredHead(size=TreeSize(size), root=root_of(HASHES[: size * 32]))

    assert run(book, anchored=anchored) is not None


def test_head_rolled_back_behind_its_checkpoint_is_not_signed() -> None:
    """Someone set the head row back by hand: the published checkpoint tells."""
    book, signer = full_book(20), KnownSigner()
    run(book, max_leaves=10)
    earlier = book.stored_head
    run(book, max_leaves=10)
    book.stored_head = earlier

    with pytest.raises(BridgeError, match="the newest checkpoint has 20 leaves, the stored log"):
        run(book, signer=signer)

    assert signer.signed == []


def test_checkpoint_of_another_tree_stops_the_run() -> None:
    """Head and tiles agree, but not with what was signed before."""
    book, signer = full_book(10), KnownSigner()
    drain(book)
    forged = PublishedHead(size=TreeSize(10), root=Digest(bytes(32)), note=b"note")
    book.checkpoints = {10: forged}
    book.promise("new", b"new")

    with pytest.raises(BridgeError, match="does not extend the newest checkpoint"):
        run(book, signer=signer)

    assert (len(book.pending), signer.signed) == (1, [])


def test_edited_tile_stops_the_run() -> None:
    """A tile that no longer leads to the head is never grown on."""
    book = full_book(10)
    drain(book)
    book.promise("new", b"new")
    name = Tile(level=0, n=0, width=10)
    book.stored[name] = bytes(32) + book.stored[name][32:]

    with pytest.raises(BridgeError, match="newest tiles do not lead to the root of the head"):
        run(book)

    assert len(book.pending) == 1


def test_tile_that_reads_back_otherwise_stops_the_run() -> None:
    """Storage that keeps other bytes than it was given is found before the head moves."""
    book = full_book(10)
    book.stored[Tile(level=0, n=0, width=10)] = bytes(320)

    with pytest.raises(BridgeError, match=r"tile/0/000.p/10 reads back as other bytes"):
        run(book)

    assert book.stored_head is None


def test_log_under_another_name_is_refused() -> None:
    """A log never changes its origin."""
    book = full_book(10)
    drain(book)
    assert book.stored_head is not None
    book.stored_head = replace(book.stored_head, origin="log.example/other")

    with pytest.raises(BridgeError, match=r"stored log is 'log.example/other', the configured"):
        run(book)


def test_signer_that_signs_something_else_is_not_published() -> None:
    """The own signature is verified over the own text before anyone sees it."""
    book, signer = full_book(10), KnownSigner()
    signer.instead = f"{ORIGIN}\n1\n{'A' * 43}=\n".encode()

    with pytest.raises(BridgeError, match="the signer signed another text"):
        run(book, signer=signer)

    assert book.checkpoints == {}


def test_signer_with_a_wrong_signature_is_not_published() -> None:
    """A signature that does not verify stays inside."""

    class Broken(KnownSigner):
        def sign(self, note_text: bytes) -> bytes:
            return super().sign(note_text).replace(b"\n3\n", b"\n4\n")

    book = full_book(3)

    with pytest.raises(BridgeError, match="the signature does not fit the text"):
        run(book, signer=Broken())

    assert book.checkpoints == {}


def test_published_checkpoint_is_kept_before_the_next_may_be_signed() -> None:
    """Outside the database, in order, each once."""
    book = full_book(700)

    class Watched(MemoryHighWater):
        def keep(self, head: AnchoredHead) -> None:
            newest = book.newest()
            assert newest is not None
            assert newest.size == head.size
            with book.sequencing() as alone:
                assert not alone
            super().keep(head)

    mark = Watched()
    while sequence(
        book=book,
        signer=KnownSigner(),
        clock=FixedClock(),
        origin=ORIGIN,
        max_leaves=300,
        high_water=mark,
    ):
        pass

    assert [head.size for head in mark.kept] == [300, 600, 700]
    assert mark.kept[-1].root == root_of(HASHES[: 700 * 32])


def test_copy_restored_before_any_beat_is_not_signed_upon() -> None:
    """Where no chain tells its newest head, what was kept with the checkpoint does."""
    book, mark = full_book(600), MemoryHighWater()
    restored = full_book(600)
    for one, times in ((book, 2), (restored, 1)):
        for _ in range(times):
            given = mark if one is book else None
            sequence(
                book=one, signer=KnownSigner(), clock=FixedClock(), origin=ORIGIN, max_leaves=300,
                high_water=given,
            )  # fmt: skip

    with pytest.raises(BridgeError) as caught:
        sequence(
            book=restored, signer=KnownSigner(), clock=FixedClock(), origin=ORIGIN, high_water=mark
        )

    assert caught.value.code == "log-behind"
