"""What happens to a node in a storm: kills, cuts, freezes, outages, full disks, at random."""

import itertools
import random  # noqa: TID251 - a test's dice
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import psutil
from sqlalchemy import text

from bridge.core.errors import BridgeError
from bridge.store.database import Database
from tests.brokers import Broker
from tests.scenarios.disk import SmallDisk
from tests.scenarios.node import CHILDREN, Node

__all__ = ["CALAMITIES", "Monkey", "Weather"]

BACK_WITHIN_S = 30.0
"""Until a process that was killed is there again to be killed."""
FROZEN_S = 4.0
"""A virtual machine that is moved, a disk that hangs: then it goes on as if nothing were."""
AWAY_S = 4.0
"""Of a broker, and of room on the disk."""
CALAMITIES = (*CHILDREN, "postgres", "backend", "cut", "freeze", "term")
"""What every node can suffer; `broker` and `disk` are for those that have one of their own."""


CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How hard it blows."""

    messages: int
    senders: int
    seconds: float
    """How long the senders take when nothing dies."""
    every_s: float
    """Mean time between two calamities."""
    rounds: int | None = None
    """How often each kind strikes; None: until the senders are done."""
    seed: int = 1
    broker: Broker | None = None
    """Killed, and started again."""
    disk: SmallDisk | None = None
    """Filled, and given back."""


class Monkey(threading.Thread):
    """One calamity after another, each kind as often as the others, at random moments."""

    def __init__(self, node: Node, weather: Weather) -> None:
        """A round is one of each kind."""
        super().__init__(daemon=True)
        self._node, self._weather = node, weather
        self._random = random.Random(weather.seed)  # noqa: S311 - a test's dice, seed in the report
        self._done = threading.Event()
        self.done: Counter[str] = Counter()
        """How often each struck."""

    def run(self) -> None:
        """Until told to stop, or the rounds are over."""
        for name in self._names():
            if self._done.wait(self._random.uniform(0.3, 1.7) * self._weather.every_s):
                return
            if self._strikes[name]() if name in self._strikes else self._kill(name):
                self.done[name] += 1

    def stop(self) -> None:
        """No more once this returns; rounds that were asked for are finished first."""
        if not self._weather.rounds:
            self._done.set()
        self.join()

    @property
    def _strikes(self) -> Mapping[str, Callable[[], bool]]:
        return {
            "cut": self._cut,
            "freeze": self._freeze,
            "term": self._term,
            "broker": self._broker_away,
            "disk": self._disk_full,
        }

    def _names(self) -> Iterator[str]:
        deck = [*CALAMITIES]
        deck += ["broker"] if self._weather.broker else []
        deck += ["disk"] if self._weather.disk else []
        rounds = self._weather.rounds
        for _ in range(rounds) if rounds else itertools.count():
            self._random.shuffle(deck)
            yield from deck

    def _kill(self, name: str) -> bool:
        """Kill -9 of one of this kind."""
        return self._told(self._awaited(name), psutil.Process.kill)

    def _term(self) -> bool:
        """An orderly stop of a door or a worker under load."""
        name = self._random.choice(("api", "mllp", "worker"))
        return self._told(self._awaited(name), psutil.Process.terminate)

    def _freeze(self) -> bool:
        """A process stands still, and goes on with what it believed: another did its work."""
        living = self._awaited(self._random.choice(("mllp", "worker", "backend")))
        chosen = [self._random.choice(living)] if living else []
        if not self._told(chosen, psutil.Process.suspend):
            return False
        self._done.wait(FROZEN_S)
        self._told(chosen, psutil.Process.resume)
        return True

    def _awaited(self, name: str) -> Sequence[psutil.Process]:
        """Those of this kind; when none lives at the moment, the next one that does."""
        limit = time.monotonic() + BACK_WITHIN_S
        while not (living := self._living(name)) and time.monotonic() < limit:
            time.sleep(0.05)
        return living

    def _told(
        self, living: Sequence[psutil.Process], act: Callable[[psutil.Process], None]
    ) -> bool:
        try:
            act(self._random.choice(living))
        except (IndexError, psutil.NoSuchProcess):
            return False
        return True

    def _cut(self) -> bool:
        """Every connection to the database is ended by an administrator."""
        try:
            with closing(Database(self._node.store_url, pool_size=1)) as database, database.unit():
                database.connection.execute(text(CUT))
        except BridgeError:
            return False
        return True

    def _broker_away(self) -> bool:
        broker = self._weather.broker
        assert broker is not None
        broker.kill()
        self._done.wait(AWAY_S)
        broker.start()
        return True

    def _disk_full(self) -> bool:
        disk = self._weather.disk
        assert disk is not None
        disk.fill()
        self._done.wait(AWAY_S)
        disk.release()
        return True

    def _living(self, name: str) -> Sequence[psutil.Process]:
        if name == "backend":
            return self._node.backends()
        if name == "postgres":
            server = self._node.postmaster()
            return [server] if server else []
        return self._node.children(name)
