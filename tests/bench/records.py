"""What a record costs: intake in groups and projection, beside a commit for each message.

Run as `python -m tests.bench.records [MESSAGES]`; starts an embedded PostgreSQL in a fresh folder.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from bridge.core.ids import Instant, sha256
from bridge.core.policy.access import Caller, Role
from bridge.core.record.bundle import Apply, CanonicalBundle
from bridge.core.search.parameters import parse_query
from bridge.embedded import postgres
from bridge.flows.disclose import disclose_search
from bridge.flows.project import Projected, project
from bridge.flows.receive import Inbound, receive
from bridge.ports.dialect import Envelope, Verdict
from bridge.store.database import Database
from bridge.store.intake import PostgresIntake
from bridge.store.reading import PostgresReading
from bridge.store.schema import metadata
from bridge.store.versions import PostgresVersions

__all__ = ["main"]


class Sources:
    """The real clock and the real entropy."""

    def now(self) -> Instant:
        """The present moment."""
        return Instant(datetime.now(tz=UTC))  # noqa: TID251  a bench is a process of its own

    def take(self, size_bytes: int) -> bytes:
        """Fresh bytes."""
        return os.urandom(size_bytes)


class Ready:
    """A dialect whose bundles were made before the watch started."""

    name = "ready"

    def __init__(self, bundles: dict[bytes, CanonicalBundle]) -> None:
        """Hold one bundle a source."""
        self.bundles = bundles

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """Nothing to read."""
        return Envelope(sender=sender, message_type="ORU^R01", control_id=raw[:12].decode())

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """The bundle that was made before."""
        del sender, charset
        return self.bundles[raw]

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """As long as an ACK is."""
        del at
        return raw[:12] + b"ACK" * 60 + verdict.record.encode()


def main(messages: int = 4_000) -> None:
    """Print one line a figure."""
    folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-bench-"))
    url = postgres.start(folder)
    database = Database(url)
    metadata.create_all(database.engine)
    try:
        for group, workers in ((1, 0), (16, 0), (64, 1), (200, 2)):
            count = messages // 8 if group == 1 else messages
            rate = intake_rate(database, count, group)
            print(f"intake, {group:>3} a commit: {rate:8,.0f} records/s")  # noqa: T201
            if workers:
                records, versions, seconds = projection(url, workers)
                print(  # noqa: T201
                    f"projection of {records:,} records by {workers}:"
                    f" {records / seconds:8,.0f} records/s,"
                    f" {versions / seconds:8,.0f} versions/s with index and leaves"
                )
        middle, late = searching(database)
        print(f"search by patient, status and code: median {middle:.1f} ms, p95 {late:.1f} ms")  # noqa: T201
    finally:
        database.close()
        postgres.stop(folder)


def intake_rate(database: Database, count: int, group: int) -> float:
    """Records a second through `receive`, durable, conversion excluded."""
    dialect = Ready({raw: _bundle(raw, n) for n, raw in _sources(count, tag=group)})
    inputs = [
        Inbound(raw=raw, feed="bench", number=n, sender="lab")
        for n, raw in enumerate(dialect.bundles)
    ]
    intake, sources = PostgresIntake(database), Sources()

    def run() -> None:
        for start in range(0, count, group):
            part = inputs[start : start + group]
            receive(part, dialect=dialect, intake=intake, clock=sources, entropy=sources)

    return count / _seconds(run)


def count_of(database: Database, query: str) -> int:
    """One number."""
    with database.unit():
        return int(database.connection.execute(text(query)).scalar_one())


def projection(url: str, workers: int) -> tuple[int, int, float]:
    """Records and versions projected until nothing waits, and the seconds of the last worker."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(abs, range(workers))  # started, before any of them begins
        done = pool.map(_project_all, [url] * workers, chunksize=1)
    return sum(one[0] for one in done), sum(one[1] for one in done), max(one[2] for one in done)


def _project_all(url: str) -> tuple[int, int, float]:
    """What one worker does, in a process of its own."""
    database = Database(url)
    versions, sources = PostgresVersions(database), Sources()
    done: list[Projected] = []

    def run() -> None:
        while not done or done[-1].records:
            done.append(project(versions=versions, clock=sources, entropy=sources))

    seconds = _seconds(run)
    database.close()
    return sum(one.records for one in done), sum(one.versions for one in done), seconds


def searching(database: Database, count: int = 200) -> tuple[float, float]:
    """Median and 95th percentile of a search with its access event, in milliseconds."""
    sources = Sources()
    reading = PostgresReading(database)
    caller = Caller(subject="bench", roles=frozenset({Role.READER}))

    def one(patient: int) -> float:
        pairs = [
            ("patient", f"p{patient}"),
            ("status", "final"),
            ("code", "http://loinc.org|718-7"),
            ("_count", "20"),
        ]
        query = parse_query("Observation", pairs)
        return _seconds(
            lambda: disclose_search(
                query, caller=caller, reading=reading, clock=sources, entropy=sources
            )
        )

    times = sorted(one(n * 7 % 500) for n in range(count))
    return 1000 * times[count // 2], 1000 * times[count * 95 // 100]


def _sources(count: int, *, tag: int) -> list[tuple[int, bytes]]:
    return [(n, f"{tag:04}{n:08}".encode() + b"MSH|^~\\&|" * 150) for n in range(count)]


def _bundle(raw: bytes, n: int) -> CanonicalBundle:
    patient = n % 500
    entries = ",".join(
        f'{{"resource":{{"id":"{raw[:12].decode()}-{i}","resourceType":"Observation",'
        f'"status":"final","subject":{{"reference":"Patient/p{patient}"}},'
        f'"code":{{"coding":[{{"code":"718-7","system":"http://loinc.org"}}]}},'
        f'"valueQuantity":{{"code":"g/dL","system":"http://unitsofmeasure.org","value":13.{i}0}}'
        f"}}}}"
        for i in range(8)
    )
    return CanonicalBundle(
        canonical=f'{{"entry":[{entries}],"resourceType":"Bundle","type":"collection"}}'.encode(),
        source=sha256(raw),
        mapping=sha256(b"rules"),
        apply=Apply.MERGE,
        message_type="ORU^R01",
        control_id=raw[:12].decode(),
        lanes=(f"lane{patient:028}",),
    )


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
