"""What the log costs: sequencing into PostgreSQL, a proof, a receipt, an audit, beside pymerkle.

Run as `python -m tests.bench.log [LEAVES]`; starts an embedded PostgreSQL in a fresh folder, which
takes some 5 GB for ten million leaves.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pymerkle import BaseMerkleTree, InmemoryTree, SqliteTree
from sqlalchemy import text

from bridge.core.ids import Instant, LeafIndex, TreeSize
from bridge.core.log.checkpoint import VerifierKey
from bridge.core.log.merkle import leaf_hash, leaf_hashes, verify_inclusion
from bridge.core.log.tiles import grow, prove_consistency, prove_inclusion
from bridge.core.log.tlog_proof import TlogProof
from bridge.core.proof.receipt import Rebase, encode_receipt, parse_receipt
from bridge.embedded import postgres
from bridge.flows.check import check, fetch_from
from bridge.flows.sequence import sequence
from bridge.ports.logbook import PublishedHead
from bridge.store.database import Database
from bridge.store.logbook import PostgresLogBook
from bridge.store.schema import metadata
from tests.fakes import sealed
from tests.fakes.signer import KnownSigner

__all__ = ["main"]

LEAVES = 10_000_000
QUEUED = 1_000_000
"""Leaves that wait at a time: more than a backlog is in use, little enough to be vacuumed."""
PROOFS = 1000
FAR_APART = 6_700_417
"""A prime: leaves of consecutive proofs share no tile but the upper ones."""
PEER_IN_MEMORY = 1_000_000
"""pymerkle keeps an object a node: ten million leaves would take 5 GB."""
PEER_PROOFS = 3
"""pymerkle hashes all leaves again for a proof of what it keeps in SQLite."""
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
    _peers(count)


def row(name: str, times: int, work: Callable[[], object]) -> None:
    """Time one piece of work; print its rate, by the clock and by this process's processor."""
    seconds, on_processor = _timed(work)
    _print(name, times, seconds, on_processor)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    begin, begin_cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def _print(name: str, times: int, seconds: float, on_processor: float) -> None:
    each, cpu = seconds / times * 1e6, on_processor / times * 1e6
    figures = f"{times / seconds:>12,.0f} /s{each:>12,.1f} us{cpu:>12,.1f} us CPU"
    print(f"{name:<52}{figures}", flush=True)  # noqa: T201


def _with_postgres(database: Database, count: int) -> None:
    book = PostgresLogBook(database)
    _append(database, book, count)
    row("audit of the log from PostgreSQL", count, lambda: _audit(book))
    head = book.newest()
    if head is None:
        return
    indices = [LeafIndex(place * FAR_APART % count) for place in range(PROOFS)]
    row("inclusion proof from PostgreSQL", PROOFS, lambda: _prove(book, head.size, indices))
    row("consistency proof from PostgreSQL", PROOFS, lambda: _extend(book, head.size, indices))
    row("inclusion proof, leaf read, verified", PROOFS, lambda: _verify(book, head, indices))
    print(f"{'anchored receipt of a record':<52}{_receipt_size(book, head):>12,} bytes")  # noqa: T201


def _append(database: Database, book: PostgresLogBook, count: int) -> None:
    """Queue and sequence a slab at a time; only the sequencer's share is timed."""
    seconds = on_processor = 0.0
    for begin in range(0, count, QUEUED):
        with database.unit():
            slab = {"begin": begin + 1, "end": min(begin + QUEUED, count)}
            database.connection.execute(QUEUE, slab)
            database.connection.execute(text("ANALYZE leaf_queue"))
        took = _timed(lambda: _drain(book))
        seconds, on_processor = seconds + took[0], on_processor + took[1]
    _print("sequenced into PostgreSQL, 10,000 a batch", count, seconds, on_processor)


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


def _receipt_size(book: PostgresLogBook, head: PublishedHead) -> int:
    """Bytes of a receipt with a path of this tree, and a rebase from its middle to its head."""
    middle = TreeSize(head.size // 2 + 1)
    path = prove_inclusion(LeafIndex(0), head.size, book.tiles)
    further = prove_consistency(middle, head.size, book.tiles)
    receipt = replace(
        parse_receipt(sealed.dumped(sealed.World().record_receipt())),
        proof=TlogProof(index=LeafIndex(0), path=path, checkpoint=head.note),
        rebase=(Rebase(checkpoint=head.note, path=further),),
    )
    return len(encode_receipt(receipt))


def _audit(book: PostgresLogBook) -> None:
    signer = KnownSigner()
    key = VerifierKey.parse(signer.verifier_key)
    report = check(fetch=fetch_from(book), verifiers=lambda _: [key], origin=signer.name)
    if report.findings:
        raise SystemExit(str(report.findings[0]))


def _peers(count: int) -> None:
    """The same of pymerkle: in memory, and in the SQLite file that outlives a process."""
    few = min(count, PEER_IN_MEMORY)
    _peer(f"pymerkle in memory, {few:,} leaves", InmemoryTree(algorithm="sha256"), few, PROOFS)
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteTree(str(Path(folder) / "pymerkle.db"), algorithm="sha256") as kept,
    ):
        _peer(f"pymerkle in SQLite, {count:,} leaves", kept, count, PEER_PROOFS)


def _peer(name: str, tree: BaseMerkleTree, count: int, proofs: int) -> None:
    def fill() -> None:
        for begin in range(0, count, 10_000):
            tree.append_entries([i.to_bytes(52) for i in range(begin, min(begin + 10_000, count))])

    def prove() -> None:
        for place in range(proofs):
            tree.prove_inclusion(place * count // proofs + 1)

    row(name, count, fill)
    row(f"{name}: a proof", proofs, prove)


if __name__ == "__main__":
    main()
