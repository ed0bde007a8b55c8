"""A storm over a real node: senders at work, everything failing at random, then all is counted.

Run it: `make chaos`, or `python -m tests.scenarios.chaos --help`.
"""

import argparse
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from bridge.core.proof.report import Verdict
from tests.brokers import Broker, broker_named
from tests.scenarios.census import Census, census
from tests.scenarios.disk import SmallDisk, can_mount, small_disk
from tests.scenarios.engine import Door, Engine, HttpDoor, MllpDoor, letters
from tests.scenarios.fleet import start_fleet
from tests.scenarios.node import CHILDREN, Node, until
from tests.scenarios.weather import Monkey, Weather

__all__ = ["Storm", "storm", "table"]

Place = TypeVar("Place")
PIPELINED = 16
SETTLE_S = 300.0
"""For restarts, recovery, what waits to be projected, and the last anchor; on a busy machine."""
SETTLED_PER_S = 50
"""Records that a busy machine projects, sequences and anchors a second behind the storm."""
SAMPLE = 50
"""Receipts that are verified, spread over the run; audit and fsck look at every record."""
DISK_KB_A_MESSAGE = 80
"""With its resources, index, leaf and the write-ahead log."""


@dataclass(slots=True)
class Storm:
    """What a run did."""

    messages: int = 0
    sendings: int = 0
    acknowledged: int = 0
    refusals: int = 0
    breaks: int = 0
    calamities: Counter[str] = field(default_factory=Counter)
    final: int = 0
    verified: int = 0
    slowest_s: float = 0.0
    sending_s: float = 0.0
    seconds: float = 0.0
    audit: str = ""
    fsck: str = ""
    census: Census | None = None

    @property
    def faults(self) -> dict[str, int]:
        """What is not as it must be; empty after a good run."""
        assert self.census is not None
        figures = {
            "not_acknowledged": self.messages - self.acknowledged,
            "not_stored": self.messages - self.census.records,
            "not_final": self.messages - self.final,
            "audit_not_clean": int("clean" not in self.audit),
            "fsck_not_clean": int("clean" not in self.fsck),
        }
        return self.census.faults | {name: count for name, count in figures.items() if count}


def storm(node: Node, weather: Weather) -> Storm:
    """Send over all doors, failing meanwhile; then wait until all is final, and count.

    Every fourth sender uses HTTP and every fourth pipelines; the others wait for each answer.
    """
    started = time.monotonic()
    engines = list(_engines(node, weather))
    monkey = Monkey(node, weather)
    for engine in engines:
        engine.start()
    monkey.start()
    for engine in engines:
        engine.join()
    monkey.stop()
    done = Storm(messages=sum(len(engine.feed) for engine in engines), calamities=monkey.done)
    for engine in engines:
        done.sendings += engine.sendings
        done.acknowledged += len(engine.acknowledged)
        done.refusals += engine.refusals
        done.breaks += engine.breaks
        done.slowest_s = max(done.slowest_s, engine.slowest_s)
    done.sending_s = time.monotonic() - started
    _settle(node, engines, done)
    done.seconds = time.monotonic() - started
    return done


def _engines(node: Node, weather: Weather) -> Iterator[Engine]:
    each = -(-weather.messages // weather.senders)
    for number in range(weather.senders):
        turn = number % len(node.mllps)
        mllps, https = _from(node.mllps, turn), _from(node.https, turn)
        by_http = number % 4 == 3
        door: Door = HttpDoor(*https, token=node.token) if by_http else MllpDoor(*mllps)
        window = PIPELINED if number % 4 == 2 else 1
        yield Engine(
            list(letters(f"S{number}", each, merges=True)),
            door,
            window=window,
            gap_s=weather.seconds * window / each,
            within_s=weather.seconds * 6 + SETTLE_S,
        )


def _from(places: Sequence[Place], turn: int) -> tuple[Place, ...]:
    """The same places, another first."""
    return (*places[turn:], *places[:turn])


def _settle(node: Node, engines: Sequence[Engine], done: Storm) -> None:
    until(lambda: _serves(node), within_s=SETTLE_S, otherwise="the node did not come back")
    rows = node.wait_final(within_s=SETTLE_S + done.messages / SETTLED_PER_S)
    done.final = len(rows)
    for row in rows[:: max(1, len(rows) // SAMPLE)]:
        report = node.verify(*node.proof(row["record"]))
        assert report.verdict is Verdict.UNCHANGED, (row, report)
        done.verified += 1
    done.census = census(
        node.store_url,
        [letter for engine in engines for letter in engine.feed],
        [letter for engine in engines for letter in engine.acknowledged],
    )
    done.audit, done.fsck = node.audit(strict=False).strip(), node.fsck(strict=False).strip()


def _serves(node: Node) -> bool:
    """All processes are there and every API says that it is ready."""
    there = all(node.children(name) for name in CHILDREN) and node.postmaster() is not None
    return there and all(map(node.is_ready, node.https))


def table(done: Storm) -> Iterator[str]:
    """The report, a line a figure."""
    counted = done.census
    assert counted is not None
    yield f"{'messages':>32}  {done.messages}"
    yield f"{'sendings':>32}  {done.sendings}"
    yield f"{'not accepted, sent again':>32}  {done.refusals}"
    yield f"{'broken connections':>32}  {done.breaks}"
    yield f"{'acknowledged':>32}  {done.acknowledged}"
    for one in fields(counted):
        yield f"{one.name.replace('_', ' '):>32}  {getattr(counted, one.name)}"
    yield f"{'anchored final':>32}  {done.final}"
    yield f"{'receipts verified':>32}  {done.verified}"
    for name, count in sorted(done.calamities.items()):
        yield f"{f'kill -9 {name}' if name in CHILDREN else name:>32}  {count}"
    yield f"{'audit':>32}  {done.audit}"
    yield f"{'fsck':>32}  {done.fsck}"
    yield f"{'slowest answer':>32}  {done.slowest_s:.1f} s"
    yield f"{'seconds':>32}  {done.seconds:.1f}, of them sending {done.sending_s:.1f}"
    yield f"{'verdict':>32}  {done.faults or 'nothing lost, doubled, reordered or stuck'}"


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--senders", type=int, default=8)
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--every", type=float, default=3.0, help="mean seconds between calamities")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--size", type=int, default=2, help="API, MLLP and workers, of each")
    options.add_argument("--broker", choices=["folder", "redis", "rabbitmq"], default="redis")
    options.add_argument("--disk", action="store_true", help="fill the disk too; root, Linux")
    return options.parse_args()


def main() -> None:
    """One long run; prints its table, exits 1 when anything was lost, doubled or out of order."""
    given = _options()
    with contextlib.ExitStack() as held:
        broker: Broker | None = None
        if given.broker != "folder":
            broker = broker_named(given.broker)
            held.callback(broker.close)
            broker.start()
        disk: SmallDisk | None = None
        folder: Path | None = None
        if given.disk and not can_mount():
            sys.exit("--disk mounts a file system of its own: run it as root on Linux")
        if given.disk:
            room_mb = 2500 + given.messages * DISK_KB_A_MESSAGE // 1024
            disk = held.enter_context(small_disk(room_mb))
            folder = disk.folder
        node = held.enter_context(start_fleet(size=given.size, broker=broker, folder=folder))
        done = storm(
            node,
            Weather(
                messages=given.messages,
                senders=given.senders,
                seconds=given.seconds,
                every_s=given.every,
                seed=given.seed,
                broker=broker,
                disk=disk,
            ),
        )
    sys.stdout.writelines(f"{line}\n" for line in table(done))
    sys.exit(1 if done.faults else 0)


if __name__ == "__main__":
    main()
