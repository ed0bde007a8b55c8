"""What every StampBook promises, held against PostgreSQL and against the fake."""

import pytest

from bridge.core.ids import Digest, TreeSize, parse_instant, sha256
from bridge.ports.logbook import PublishedHead
from bridge.ports.stamps import Stamp, StampBook, Token
from bridge.store.database import Database
from bridge.store.logbook import PostgresLogBook
from bridge.store.stamps import PostgresStamps
from tests.fakes.stamps import MemoryStamps

NOW = parse_instant("2026-11-22T14:00:00.123456Z")
SIZES = (5, 7, 9)


@pytest.fixture(params=["memory", "postgres"])
def book(request: pytest.FixtureRequest) -> StampBook:
    """Each implementation, empty, beside three published checkpoints."""
    if request.param == "memory":
        return MemoryStamps()
    clean: Database = request.getfixturevalue("clean")
    log = PostgresLogBook(clean)
    for size in SIZES:
        root = Digest(sha256(b"%d" % size))
        log.publish(PublishedHead(size=TreeSize(size), root=root, note=b"note %d" % size), NOW)
    return PostgresStamps(clean)


def stamp(size: int, *, kind: str = "ots", complete: bool = False) -> Stamp:
    """Of one of the checkpoints."""
    token = Token(data=b"token %d" % size, complete=complete)
    return Stamp(size=TreeSize(size), note=b"note %d" % size, kind=kind, token=token, at=NOW)


def test_stamp_is_kept_once(book: StampBook) -> None:
    """A second worker's stamp of the same checkpoint and kind is dropped."""
    with book.unit():
        seen = [book.keep(stamp(5)), book.keep(stamp(5)), book.keep(stamp(5, kind="rfc3161"))]

    assert seen == [True, False, True]


def test_newest_is_of_the_largest_checkpoint_and_reads_back_whole(book: StampBook) -> None:
    """By kind; what was kept comes back as it was."""
    with book.unit():
        for one in (stamp(7), stamp(5), stamp(9, kind="rfc3161", complete=True)):
            book.keep(one)

        assert book.newest("ots") == stamp(7)
        assert book.newest("rfc3161") == stamp(9, kind="rfc3161", complete=True)
        assert book.newest("newspaper") is None


def test_promises_come_largest_first_until_they_are_kept(book: StampBook) -> None:
    """A renewed stamp that is complete is no longer asked about."""
    with book.unit():
        for size in (9, 5, 7):
            book.keep(stamp(size))
        book.renew(stamp(7), Token(data=b"proof", complete=True))

        assert book.pending("ots") == (stamp(9), stamp(5))


def test_only_one_worker_renews(book: StampBook) -> None:
    """The loser's token is dropped, and a proof is never replaced."""
    with book.unit():
        book.keep(stamp(5))
        proof = Token(data=b"proof", complete=True)

        seen = [book.renew(stamp(5), proof), book.renew(stamp(5), Token(data=b"x", complete=True))]

        assert seen == [True, False]
        newest = book.newest("ots")
        assert newest is not None
        assert newest.token == proof
