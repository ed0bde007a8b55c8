"""The log in a real PostgreSQL: crashes, races and lost connections of the sequencer."""

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from bridge.core.errors import BridgeError
from bridge.core.log.checkpoint import VerifierKey, open_checkpoint
from bridge.core.log.merkle import leaf_hashes, root_of
from bridge.flows.sequence import Sequenced, sequence
from bridge.ports.logbook import Head, LogBook, PublishedHead
from bridge.store.database import Database
from bridge.store.logbook import PostgresLogBook
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import FixedClock

ORIGIN = "log.example/test"
KEY = VerifierKey.parse(KnownSigner().verifier_key)
QUEUE = text("""
INSERT INTO leaf_queue (kind, subject, leaf)
SELECT 1, 'leaf ' || i, ('leaf ' || i)::bytea FROM generate_series(CAST(:begin AS int), :end) AS i
""")
TAMPER = text("UPDATE tile SET data = overlay(data PLACING '\\x00' FROM 5)")
STATE = [
    text("SELECT * FROM leaf ORDER BY index"),
    text("SELECT * FROM tile ORDER BY level, n, width"),
    text("SELECT * FROM head"),
    text("SELECT size, root, note FROM checkpoint ORDER BY size"),
]


def promise(database: Database, begin: int, end: int) -> None:
    """Queue leaves [begin, end)."""
    with database.unit():
        database.connection.execute(QUEUE, {"begin": begin, "end": end - 1})


def run(book: LogBook, max_leaves: int = 300) -> Sequenced | None:
    """One run of the sequencer."""
    return sequence(
        book=book, signer=KnownSigner(), clock=FixedClock(), origin=ORIGIN, max_leaves=max_leaves
    )


def drain(book: LogBook, max_leaves: int = 300) -> None:
    """Run until nothing is left."""
    while run(book, max_leaves) is not None:
        pass


def state(database: Database) -> list[Sequence[object]]:
    """Everything durable but the times."""
    with database.unit():
        return [database.connection.execute(query).all() for query in STATE]


def expected_root(size: int) -> bytes:
    """The root over the leaves that `promise` makes."""
    return root_of(leaf_hashes(b"leaf %d" % index for index in range(size)))


class DyingLogBook(PostgresLogBook):
    """Ends the process, as far as the flow can tell, before or after one durable step."""

    def __init__(self, database: Database, step: str, when: str) -> None:
        super().__init__(database)
        original = getattr(self, step)

        def dying(*arguments: object) -> object:
            if when == "after":
                original(*arguments)
            raise SystemExit(step)

        setattr(self, step, dying)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["assign", "write", "advance", "publish"])
def test_crash_at_a_step_heals_to_the_same_bytes(clean: Database, step: str, when: str) -> None:
    """Rows after a crash and a restart are those of a log that never crashed."""
    book = PostgresLogBook(clean)
    promise(clean, 0, 800)
    drain(book)
    undisturbed = state(clean)
    with clean.unit():
        clean.connection.execute(text("TRUNCATE leaf, tile, head, checkpoint, leaf_queue"))
    promise(clean, 0, 800)
    run(book)

    with pytest.raises(SystemExit):
        run(DyingLogBook(clean, step, when))
    drain(book)

    assert state(clean) == undisturbed


def test_tampered_tile_is_found_before_anything_is_signed(clean: Database) -> None:
    """The database is trusted for order, not for integrity."""
    book = PostgresLogBook(clean)
    promise(clean, 0, 10)
    drain(book)
    promise(clean, 10, 20)
    with clean.unit():
        clean.connection.execute(
            text("UPDATE tile SET data = overlay(data PLACING '\\x00' FROM 5)")
        )

    with pytest.raises(BridgeError, match="newest tiles do not lead to the root of the head"):
        run(book)

    newest = book.newest()
    assert newest is not None
    assert newest.size == 10


def test_sequencers_side_by_side_make_one_log(database_url: str, clean: Database) -> None:
    """Four sequencers and a busy intake: no leaf lost, none doubled, no checkpoint contradicted."""
    failures: list[BridgeError] = []

    def work() -> None:
        own = Database(database_url)
        book = PostgresLogBook(own)
        for _ in range(25):
            try:
                run(book, max_leaves=70)
            except BridgeError as error:
                failures.append(error)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for begin in range(0, 1_000, 50):
        promise(clean, begin, begin + 50)
    for thread in threads:
        thread.join()
    drain(PostgresLogBook(clean))

    _, _, heads, checkpoints = state(clean)
    assert failures == []
    assert [(row.size, row.root) for row in heads] == [(1_000, expected_root(1_000))]  # type: ignore[attr-defined]  # rows
    for row in checkpoints:
        head = open_checkpoint(row.note, [KEY], ORIGIN)  # type: ignore[attr-defined]  # rows
        assert head.root == expected_root(head.size)


def test_sequencer_that_lost_its_lock_is_overtaken_not_mixed_up(clean: Database) -> None:
    """Its session was cut, another took over: the compare-and-swap stops the first."""
    slow, fast = PostgresLogBook(clean), PostgresLogBook(clean)
    promise(clean, 0, 100)

    class Overtaken(PostgresLogBook):
        def advance(self, before: Head, after: Head) -> None:
            with clean.unit():
                clean.connection.execute(
                    text("""SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
                    WHERE locktype = 'advisory' AND pid <> pg_backend_pid()""")
                )
            drain(fast)
            super().advance(before, after)

    with pytest.raises(BridgeError, match="another sequencer moved the head"):
        run(Overtaken(clean))

    newest = slow.newest()
    assert isinstance(newest, PublishedHead)
    assert (newest.size, newest.root) == (100, expected_root(100))


def test_lock_of_a_dead_process_is_free(database_url: str, clean: Database) -> None:
    """The lock lives with the session, so nobody has to clear it."""
    dead = Database(database_url)
    with PostgresLogBook(dead).sequencing() as first:
        assert first
        with PostgresLogBook(clean).sequencing() as meanwhile:
            assert not meanwhile
        with clean.unit():
            clean.connection.execute(
                text("""SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
                WHERE locktype = 'advisory' AND pid <> pg_backend_pid()""")
            )

        with PostgresLogBook(clean).sequencing() as second:
            assert second
    dead.close()


def test_lock_is_free_the_moment_the_block_ends(clean: Database) -> None:
    """Runs that follow each other at once never stand back for their own shadow."""
    book, alone = PostgresLogBook(clean), []

    for _ in range(50):
        with book.sequencing() as first:
            alone.append(first)

    assert alone == [True] * 50


def test_reads_join_an_open_unit(clean: Database) -> None:
    """A caller that holds a unit reads the log inside it."""
    book = PostgresLogBook(clean)
    promise(clean, 0, 3)
    drain(book)

    with clean.unit():
        index = book.index_of("leaf 2")

    assert index == 2
