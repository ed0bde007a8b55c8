"""What every LogBook promises, held against PostgreSQL and against the fake."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, LeafIndex, TreeSize
from bridge.core.log.merkle import EMPTY_ROOT, leaf_hashes, root_of
from bridge.core.log.tiles import Tile, grow, parse_entries
from bridge.ports.logbook import Head, LogBook, PublishedHead
from bridge.store.database import Database
from bridge.store.logbook import PostgresLogBook
from tests.fakes.logbook import MemoryLogBook
from tests.fakes.sources import FixedClock

NOW = FixedClock().now()
EMPTY = Head(origin="log", size=TreeSize(0), root=EMPTY_ROOT)
LEAVES = [b"leaf %d" % index for index in range(700)]
HASHES = leaf_hashes(LEAVES)
QUEUE = text("INSERT INTO leaf_queue (kind, subject, leaf) VALUES (1, :subject, :leaf)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A book and the way that leaves come into its queue."""

    book: LogBook
    promise: Callable[[Sequence[bytes]], None]


@pytest.fixture(params=["memory", "postgres"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """Each implementation, empty."""
    if request.param == "memory":
        memory = MemoryLogBook()

        def remember(leaves: Sequence[bytes]) -> None:
            for leaf in leaves:
                memory.promise(leaf.decode(), leaf)

        return Desk(book=memory, promise=remember)
    database: Database = request.getfixturevalue("clean")

    def insert(leaves: Sequence[bytes]) -> None:
        rows = [{"subject": leaf.decode(), "leaf": leaf} for leaf in leaves]
        with database.unit():
            database.connection.execute(QUEUE, rows)

    return Desk(book=PostgresLogBook(database), promise=insert)


def head_of(size: int) -> Head:
    """The head over the first leaves."""
    return Head(origin="log", size=TreeSize(size), root=root_of(HASHES[: size * 32]))


def published(size: int) -> PublishedHead:
    """A checkpoint over the first leaves, its note made up."""
    head = head_of(size)
    return PublishedHead(size=head.size, root=head.root, note=b"note %d" % size)


def extend(desk: Desk, before: Head, size: int) -> Head:
    """All four steps over leaves that are pending."""
    assert desk.book.assign(before, size - before.size) == size
    edge = {} if not before.size else desk.book.tiles(_edge(before.size))
    grown = grow(before.size, edge, HASHES[before.size * 32 : size * 32])
    desk.book.write(grown.tiles)
    desk.book.advance(before, head_of(size))
    desk.book.publish(published(size), NOW)
    return head_of(size)


def _edge(size: int) -> tuple[Tile, ...]:
    widths = [(level, size >> 8 * level) for level in range(3)]
    return tuple(
        Tile(level=level, n=count // 256, width=count % 256)
        for level, count in widths
        if count % 256
    )


def test_empty_book_has_nothing(desk: Desk) -> None:
    """No head, no checkpoint, no tile, no leaf."""
    book = desk.book

    assert (book.head(), book.newest(), book.checkpoint_text()) == (None, None, None)
    assert (book.tile(0, 0, 1), book.entries(0, 1), book.index_of("leaf 0")) == (None, None, None)
    assert (book.leaf_at(LeafIndex(0)), book.root_at(0), book.root_at(1)) == (None, None, None)
    assert book.published(size_from=1) is None
    assert book.assign(EMPTY, 10) == 0
    assert book.leaves(0, 0) == ()


def test_leaves_get_contiguous_indices_in_order(desk: Desk) -> None:
    """The first leaves that were promised come first, at most as many as asked."""
    desk.promise(LEAVES[:5])

    size = desk.book.assign(EMPTY, 3)

    assert size == 3
    assert desk.book.leaves(0, 3) == tuple(LEAVES[:3])
    assert [desk.book.index_of(f"leaf {i}") for i in range(4)] == [0, 1, 2, None]
    assert desk.book.leaf_at(LeafIndex(2)) == LEAVES[2]


def test_assigned_leaves_come_before_new_ones(desk: Desk) -> None:
    """A batch that a crash left is finished as it was, whatever is pending by then."""
    desk.promise(LEAVES[:3])
    desk.book.assign(EMPTY, 10)
    desk.promise(LEAVES[3:9])

    again = desk.book.assign(EMPTY, 10)

    assert again == 3
    assert desk.book.index_of("leaf 3") is None


def test_stale_head_assigns_nothing(desk: Desk) -> None:
    """A sequencer that was overtaken gives no leaf an index."""
    desk.promise(LEAVES[:4])
    extend(desk, EMPTY, 2)

    with pytest.raises(BridgeError, match="another sequencer moved the head"):
        desk.book.assign(EMPTY, 10)

    assert desk.book.index_of("leaf 2") is None


def test_missing_leaf_is_an_error(desk: Desk) -> None:
    """A gap is never passed over in silence."""
    desk.promise(LEAVES[:2])
    desk.book.assign(EMPTY, 10)

    with pytest.raises(BridgeError, match="3 leaves have indices, 2 are stored"):
        desk.book.leaves(0, 3)


def test_stored_tile_is_never_replaced(desk: Desk) -> None:
    """A name that exists keeps its first content."""
    name = Tile(level=0, n=0, width=1)
    desk.book.write({name: HASHES[:32]})

    desk.book.write({name: HASHES[32:64]})

    assert desk.book.tiles([name]) == {name: HASHES[:32]}


def test_wider_tile_answers_for_a_narrower_name(desk: Desk) -> None:
    """Its beginning is the tile that it was; a wider name than stored is left out."""
    desk.book.write({Tile(level=0, n=3, width=9): HASHES[: 9 * 32]})

    found = desk.book.tiles([Tile(level=0, n=3, width=w) for w in (2, 9, 10)])

    assert found == {
        Tile(level=0, n=3, width=2): HASHES[:64],
        Tile(level=0, n=3, width=9): HASHES[: 9 * 32],
    }
    assert desk.book.tile(0, 3, 1) == HASHES[:32]
    assert (desk.book.tile(1, 3, 1), desk.book.tile(0, 4, 1)) == (None, None)


def test_head_moves_only_from_where_it_is(desk: Desk) -> None:
    """Compare and swap: the second of two sequencers changes nothing."""
    desk.book.advance(EMPTY, head_of(5))

    with pytest.raises(BridgeError, match="another sequencer moved the head"):
        desk.book.advance(EMPTY, head_of(6))
    forged = Head(origin="log", size=TreeSize(5), root=Digest(bytes(32)))
    with pytest.raises(BridgeError, match="another sequencer moved the head"):
        desk.book.advance(forged, head_of(7))
    desk.book.advance(head_of(5), head_of(7))

    assert desk.book.head() == head_of(7)


def test_checkpoint_is_published_once(desk: Desk) -> None:
    """The same bytes again change nothing; other bytes for the same size are refused."""
    desk.book.publish(published(5), NOW)
    desk.book.publish(published(5), NOW)

    with pytest.raises(BridgeError, match="published with other bytes"):
        desk.book.publish(PublishedHead(size=TreeSize(5), root=EMPTY_ROOT, note=b"other"), NOW)

    assert desk.book.newest() == published(5)


def test_checkpoints_are_found_by_size(desk: Desk) -> None:
    """The newest is served; the smallest that holds a leaf goes into its receipt."""
    for size in (5, 9, 30):
        desk.book.publish(published(size), NOW)

    assert desk.book.newest() == published(30)
    assert desk.book.checkpoint_text() == b"note 30"
    assert desk.book.published(size_from=6) == published(9)
    assert desk.book.published(size_from=31) is None


def test_history_stays_readable_after_partial_tiles_are_dropped(desk: Desk) -> None:
    """Every root and every tile that a checkpoint ever needed is still served."""
    desk.promise(LEAVES)
    head = EMPTY

    for size in (3, 250, 256, 300, 700):
        head = extend(desk, head, size)

    assert [desk.book.root_at(size) for size in (1, 3, 250, 256, 300, 555, 700)] == [
        root_of(HASHES[: size * 32]) for size in (1, 3, 250, 256, 300, 555, 700)
    ]
    assert desk.book.root_at(701) is None
    assert desk.book.tile(0, 0, 250) == HASHES[: 250 * 32]
    assert desk.book.tile(0, 1, 44) == HASHES[256 * 32 : 300 * 32]


def test_entry_bundles_are_served(desk: Desk) -> None:
    """Leaves behind their lengths; a bundle that is not there yet is None."""
    desk.promise(LEAVES[:300])
    desk.book.assign(EMPTY, 300)

    assert parse_entries(desk.book.entries(0, 256) or b"") == tuple(LEAVES[:256])
    assert parse_entries(desk.book.entries(1, 44) or b"") == tuple(LEAVES[256:300])
    assert (desk.book.entries(1, 45), desk.book.entries(2, 1)) == (None, None)


def test_only_one_sequences(desk: Desk) -> None:
    """The second is told so, and the lock is free again afterwards."""
    with desk.book.sequencing() as first, desk.book.sequencing() as second:
        pass
    with desk.book.sequencing() as third:
        pass

    assert (first, second, third) == (True, False, True)
