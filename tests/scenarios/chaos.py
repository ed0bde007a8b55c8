"""A storm over a real node: senders at work, processes killed at random, then everything counted.

Run it: `make chaos`, or `python -m tests.scenarios.chaos --messages 5000 --senders 8 --seconds 60`.
"""

import argparse
import itertools
import random  # noqa: TID251 - a test's dice
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from sqlalchemy import text

from bridge.core.proof.report import Verdict
from bridge.embedded import postgres
from bridge.store.database import Database
from tests.scenarios.engine import Door, Engine, HttpDoor, MllpDoor, letters
from tests.scenarios.node import CHILDREN, Node, start_node, until

__all__ = ["Census", "Monkey", "Storm", "Weather", "census", "storm"]

PIPELINED = 16
SETTLE_S = 240.0
"""For restarts, recovery, what waits to be projected, and the last anchor; on a busy machine."""
BACK_WITHIN_S = 30.0
"""Until a process that was killed is there again to be killed."""
SAMPLE = 20
"""Receipts that are verified, spread over the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What the database holds after a run."""

    records: int
    doubled: int
    """Control ids with more than one record."""
    missing: tuple[str, ...]
    """Acknowledged, and no record."""
    record_leaves: int
    revisions: int
    revision_leaves: int
    disorder: tuple[str, ...]
    """Patients whose versions are not in the order in which their messages were sent."""


@dataclass(slots=True)
class Storm:
    """What a run did."""

    messages: int = 0
    sendings: int = 0
    acknowledged: int = 0
    refusals: int = 0
    breaks: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    final: int = 0
    verified: int = 0
    sending_s: float = 0.0
    seconds: float = 0.0
    audit: str = ""
    fsck: str = ""
    census: Census | None = None


class Monkey(threading.Thread):
    """Kill -9 of one process after another, each kind as often as the others, at random moments."""

    def __init__(self, node: Node, *, every_s: float, rounds: int | None, seed: int) -> None:
        """`every_s` is the mean time between two kills; a round kills one of each kind."""
        super().__init__(daemon=True)
        self._node, self._every_s, self._rounds = node, every_s, rounds
        self._random = random.Random(seed)  # noqa: S311 - a test's dice, seed in the report
        self._done = threading.Event()
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        """Until told to stop, or the rounds are over."""
        for name in self._names():
            if self._done.wait(self._random.uniform(0.3, 1.7) * self._every_s):
                return
            self._kill(name)

    def stop(self) -> None:
        """No more kills once this returns; rounds that were asked for are finished first."""
        if not self._rounds:
            self._done.set()
        self.join()

    def _names(self) -> Iterator[str]:
        deck = [*CHILDREN, "postgres", "backend"]
        for _ in range(self._rounds) if self._rounds else itertools.count():
            self._random.shuffle(deck)
            yield from deck

    def _kill(self, name: str) -> None:
        """One of this kind; when none lives at the moment, the next one that does."""
        limit = time.monotonic() + BACK_WITHIN_S
        while not (living := self._living(name)):
            if time.monotonic() > limit:
                return
            time.sleep(0.05)
        try:
            self._random.choice(living).kill()
        except psutil.NoSuchProcess:
            return
        self.kills[name] += 1

    def _living(self, name: str) -> Sequence[psutil.Process]:
        if name == "backend":
            return self._node.backends()
        if name == "postgres":
            server = self._node.postmaster()
            return [server] if server else []
        return self._node.children(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How hard it blows."""

    messages: int
    senders: int
    seconds: float
    """How long the senders take when nothing dies."""
    every_s: float
    """Mean time between two kills."""
    rounds: int | None = None
    """How often each kind of process is killed; None: until the senders are done."""
    seed: int = 1


def storm(node: Node, weather: Weather) -> Storm:
    """Send over all doors, killing meanwhile; then wait until all is final, and count.

    Every fourth sender uses HTTP and every fourth pipelines; the others wait for each answer.
    """
    started = time.monotonic()
    engines = list(_engines(node, weather))
    monkey = Monkey(node, every_s=weather.every_s, rounds=weather.rounds, seed=weather.seed)
    for engine in engines:
        engine.start()
    monkey.start()
    for engine in engines:
        engine.join()
    monkey.stop()
    done = Storm(messages=sum(len(engine.feed) for engine in engines), kills=monkey.kills)
    for engine in engines:
        done.sendings += engine.sendings
        done.acknowledged += len(engine.acknowledged)
        done.refusals += engine.refusals
        done.breaks += engine.breaks
    done.sending_s = time.monotonic() - started
    _settle(node, engines, done)
    done.seconds = time.monotonic() - started
    return done


def _engines(node: Node, weather: Weather) -> Iterator[Engine]:
    each = -(-weather.messages // weather.senders)
    for number in range(weather.senders):
        door: Door = HttpDoor(node.http, node.token) if number % 4 == 3 else MllpDoor(node.mllp)
        window = PIPELINED if number % 4 == 2 else 1
        yield Engine(
            list(letters(f"S{number}", each)),
            door,
            window=window,
            gap_s=weather.seconds * window / each,
            within_s=weather.seconds * 4 + SETTLE_S,
        )


def _settle(node: Node, engines: Sequence[Engine], done: Storm) -> None:
    until(lambda: _serves(node), within_s=SETTLE_S, otherwise="the node did not come back")
    rows = node.wait_final(within_s=SETTLE_S)
    done.final = len(rows)
    for row in rows[:: max(1, len(rows) // SAMPLE)]:
        report = node.verify(*node.proof(row["record"]))
        assert report.verdict is Verdict.UNCHANGED, (row, report)
        done.verified += 1
    done.census = census(node, engines)
    done.audit, done.fsck = node.audit().strip(), node.fsck().strip()


def _serves(node: Node) -> bool:
    """All processes are there and the API says that it is ready."""
    if not all(node.children(name) for name in CHILDREN) or node.postmaster() is None:
        return False
    try:
        with node.client() as client:
            return client.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def census(node: Node, engines: Sequence[Engine]) -> Census:
    """Count in the database itself, past everything that could hide a row."""
    database = Database(postgres.start(node.folder), pool_size=1)
    try:
        with database.unit():
            connection = database.connection
            stored: Counter[str] = Counter(
                connection.execute(text("SELECT control_id FROM record")).scalars()
            )
            names = connection.execute(
                text(
                    "SELECT id, substring(convert_from(body, 'UTF8') from '\"Step([0-9]+)') "
                    "FROM resource_version WHERE type = 'Patient' AND NOT deleted "
                    "ORDER BY id, version"
                )
            ).all()
            return Census(
                records=sum(stored.values()),
                doubled=sum(1 for count in stored.values() if count > 1),
                missing=tuple(
                    letter.control
                    for engine in engines
                    for letter in engine.acknowledged
                    if letter.control not in stored
                ),
                record_leaves=_count(database, "SELECT count(*) FROM leaf WHERE kind = 1"),
                revisions=_count(database, "SELECT count(*) FROM revision"),
                revision_leaves=_count(database, "SELECT count(*) FROM leaf WHERE kind = 6"),
                disorder=tuple(_disorder(names)),
            )
    finally:
        database.close()


def _count(database: Database, sql: str) -> int:
    return int(database.connection.execute(text(sql)).scalar_one())


def _disorder(names: Iterable[Any]) -> Iterator[str]:
    last: dict[str, int] = {}
    for row in names:
        patient, step = str(row[0]), int(row[1])
        if step < last.get(patient, 0):
            yield patient
        last[patient] = step


def _table(done: Storm) -> Iterator[str]:
    counted = done.census
    assert counted is not None
    yield f"{'messages':>24}  {done.messages}"
    yield f"{'sendings':>24}  {done.sendings}"
    yield f"{'not accepted, resent':>24}  {done.refusals}"
    yield f"{'broken connections':>24}  {done.breaks}"
    yield f"{'acknowledged':>24}  {done.acknowledged}"
    yield f"{'stored':>24}  {counted.records}"
    yield f"{'lost':>24}  {len(counted.missing)}"
    yield f"{'doubled':>24}  {counted.doubled}"
    yield f"{'leaves of records':>24}  {counted.record_leaves}"
    yield f"{'revisions and leaves':>24}  {counted.revisions} and {counted.revision_leaves}"
    yield f"{'patients out of order':>24}  {len(counted.disorder)}"
    yield f"{'anchored final':>24}  {done.final}"
    yield f"{'receipts verified':>24}  {done.verified}"
    for name, count in sorted(done.kills.items()):
        yield f"{'kill -9 ' + name:>24}  {count}"
    yield f"{'audit':>24}  {done.audit}"
    yield f"{'fsck':>24}  {done.fsck}"
    yield f"{'seconds':>24}  {done.seconds:.1f}, of them sending {done.sending_s:.1f}"


def main() -> None:
    """One long run; prints its table, exits 1 when anything was lost, doubled or out of order."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--senders", type=int, default=8)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--every", type=float, default=3.0, help="mean seconds between two kills")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    with start_node() as node:
        done = storm(
            node,
            Weather(
                messages=given.messages,
                senders=given.senders,
                seconds=given.seconds,
                every_s=given.every,
                seed=given.seed,
            ),
        )
    sys.stdout.writelines(f"{line}\n" for line in _table(done))
    counted = done.census
    assert counted is not None
    whole = done.acknowledged == done.messages == counted.records == counted.record_leaves
    sys.exit(0 if whole and not (counted.missing or counted.doubled or counted.disorder) else 1)


if __name__ == "__main__":
    main()
