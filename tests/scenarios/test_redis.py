"""Redis as broker, down and up again: senders never notice, and nothing stays behind."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from tests.conftest import require_program
from tests.scenarios.engine import HttpDoor, letters, send_all
from tests.scenarios.node import Node, free_port, start_node, until

SLOWEST_ANSWER_S = 5.0
"""On a busy machine; a sender that waited for a broker's time-outs would wait longer, each time."""


class Redis:
    """A real server without a disk: what it held is gone when it dies."""

    def __init__(self) -> None:
        """On a port of its own; not started."""
        self.port = free_port()
        self._program = require_program("redis-server")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For `queue.url`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ("--port", str(self.port), "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            [self._program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, within_s=10, otherwise="redis-server does not answer")

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@pytest.fixture(scope="module")
def broker() -> Iterator[Redis]:
    """Runs at first; a test may kill and start it."""
    made = Redis()
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def wired(broker: Redis) -> Iterator[Node]:
    """A node whose Celery speaks to that Redis."""
    with start_node(FHIR_ANCHOR__QUEUE__URL=broker.url) as made:
        yield made


@pytest.fixture(autouse=True)
def running(broker: Redis) -> Iterator[None]:
    """Whatever a test did to it, the next one finds it running."""
    yield
    broker.kill()
    broker.start()


def test_redis_carries_the_wake_ups(wired: Node, broker: Redis) -> None:
    """With Redis a feed is projected, sequenced and anchored final; the queue is empty then."""
    send_all(wired.mllp, letters("WITH", 20))

    rows = wired.wait_final()

    with redis.Redis(port=broker.port) as client:
        waiting = client.llen("celery")
    assert sum(row["sender"] == "WITH/STORM" for row in rows) == 20
    assert isinstance(waiting, int)
    assert waiting < 20


def test_redis_down_for_a_whole_run_costs_nobody_an_acknowledgement(
    wired: Node, broker: Redis
) -> None:
    """Every message is AA at once, by both doors; all of it is final once Redis is back."""
    broker.kill()

    slowest = 0.0
    for letter in letters("DOWN", 20):
        started = time.monotonic()
        send_all(wired.mllp, [letter], within_s=SLOWEST_ANSWER_S)
        slowest = max(slowest, time.monotonic() - started)
    by_http = list(letters("DOWNHTTP", 5))
    with closing(HttpDoor(wired.http, wired.token)) as door:
        answers = door.send(by_http)

    assert slowest < SLOWEST_ANSWER_S
    assert all(b"\rMSA|AA|" in answer for answer in answers)
    broker.start()
    rows = wired.wait_final(within_s=120)
    assert sum(row["sender"] == "DOWN/STORM" for row in rows) == 20
    assert sum(row["sender"] == "DOWNHTTP/STORM" for row in rows) == 5


def test_readiness_names_the_queue_that_is_down(wired: Node, broker: Redis) -> None:
    """An operator sees which part it is; the doors go on."""
    broker.kill()

    with wired.client() as client:
        said = client.get("/readyz")

    parts = said.json()
    assert not parts["queue"]["ok"], parts
    assert parts["database"]["ok"], parts


def test_a_node_that_starts_without_its_broker_takes_messages(broker: Redis) -> None:
    """Redis down from the start: doors open, messages are AA, and are final once it is there."""
    broker.kill()
    with start_node(FHIR_ANCHOR__QUEUE__URL=broker.url) as node:
        send_all(node.mllp, letters("EARLY", 5))

        broker.start()

        assert len(node.wait_final(within_s=120)) == 5
