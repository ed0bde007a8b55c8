"""What the log costs: sequencing into PostgreSQL, a proof, an audit, beside pymerkle.

Run as `python -m tests.bench.log [LEAVES]`; starts an embedded PostgreSQL in a fresh folder.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pymerkle import InmemoryTree
from sqlalchemy import text

from bridge.core.ids import Instant, LeafIndex, TreeSize
from bridge.core.log.checkpoint import VerifierKey
from bridge.core.log.merkle import leaf_hash, leaf_hashes, verify_inclusion
from bridge.core.log.tiles import grow, prove_consistency, prove_inclusion
from bridge.embedded import postgres
from bridge.flows.check import check, fetch_from
from bridge.flows.sequence import sequence
from bridge.ports.logbook import PublishedHead
from bridge.store.database import Database
from bridge.store.logbook import PostgresLogBook
from bridge.store.schema import metadata
from tests.fakes.signer import KnownSigner

__all__ = ["main"]

LEAVES = 1_000_000
PEER_LEAVES = 20_000
"""pymerkle keeps an object a node and slows down as it grows; this is enough to see its rate."""
# Subjects rise with time, as ids of UUID version 7 do: a random one would touch every index page.
QUEUE = text("""
INSERT INTO leaf_queue (kind, subject, leaf)
SELECT 1, '018f' || lpad(to_hex(i), 9, '0') || '-7abc-8def-0123456789ab',
    'fhir-anchor/leaf/1'::bytea || '\\x0001' || sha256(i::text::bytea)
FROM generate_series(CAST(:begin AS int), :end) AS i
""")


class WallClock:
    """The real clock."""

    def now(self) -> Instant:
        """The present moment."""
        return Instant(datetime.now(tz=UTC))  # noqa: TID251  a bench is a process of its own


def main() -> None:
    """Print a row a figure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LEAVES
    leaves = [b"fhir-anchor/leaf/1\0\1" + i.to_bytes(32) for i in range(100_000)]
    row("tree in memory", len(leaves), lambda: grow(TreeSize(0), {}, leaf_hashes(leaves)))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(postgres.start(Path(folder)))
        try:
            metadata.create_all(database.engine)
            _with_postgres(database, count)
        finally:
            database.close()
            postgres.stop(Path(folder))
    _peer()


def row(name: str, leaves: int, work: Callable[[], object]) -> None:
    """Time one piece of work; print its rate."""
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    print(f"{name:<44} {leaves / seconds:>12,.0f} leaves/s {seconds / leaves * 1e6:>10.1f} us")  # noqa: T201


def _with_postgres(database: Database, count: int) -> None:
    book = PostgresLogBook(database)
    with database.unit():
        database.connection.execute(QUEUE, {"begin": 1, "end": count})
        database.connection.execute(text("ANALYZE leaf_queue"))
    row("sequenced into PostgreSQL, 10,000 a batch", count, lambda: _drain(book))
    indices = [LeafIndex(at * count // 200) for at in range(200)]
    row("audit of the log from PostgreSQL", count, lambda: _audit(book))
    head = book.newest()
    if head is None:
        return
    row("inclusion proof from PostgreSQL", 200, lambda: _prove(book, head.size, indices))
    row("consistency proof from PostgreSQL", 200, lambda: _extend(book, head.size, indices))
    row("inclusion proof, leaf read, verified", 200, lambda: _verify(book, head, indices))


def _drain(book: PostgresLogBook) -> None:
    signer, clock = KnownSigner(), WallClock()
    while sequence(book=book, signer=signer, clock=clock, origin=signer.name):
        pass


def _prove(book: PostgresLogBook, size: TreeSize, indices: list[LeafIndex]) -> None:
    for index in indices:
        prove_inclusion(index, size, book.tiles)


def _extend(book: PostgresLogBook, size: TreeSize, indices: list[LeafIndex]) -> None:
    for index in indices:
        prove_consistency(TreeSize(index + 1), size, book.tiles)


def _verify(book: PostgresLogBook, head: PublishedHead, indices: list[LeafIndex]) -> None:
    for index in indices:
        path = prove_inclusion(index, head.size, book.tiles)
        verify_inclusion(leaf_hash(book.leaf_at(index) or b""), index, head.size, path, head.root)


def _audit(book: PostgresLogBook) -> None:
    signer = KnownSigner()
    key = VerifierKey.parse(signer.verifier_key)
    report = check(fetch=fetch_from(book), verifiers=[key], origin=signer.name)
    if report.findings:
        raise SystemExit(str(report.findings[0]))


def _peer() -> None:
    tree = InmemoryTree(algorithm="sha256")

    def fill() -> None:
        for index in range(PEER_LEAVES):
            tree.append_entry(index.to_bytes(52))

    row("pymerkle in memory, appended", PEER_LEAVES, fill)
    row(
        "pymerkle in memory, proofs", 200, lambda: [tree.prove_inclusion(i + 1) for i in range(200)]
    )


if __name__ == "__main__":
    main()
