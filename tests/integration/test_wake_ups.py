"""Wake-ups on real brokers: short queues, one a task, and a refusal that stops nobody."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from celery import Celery

from bridge.settings import load
from bridge.telemetry import Metrics
from tests.brokers import Broker, Rabbit, Redis
from workers import redisqueue
from workers.celery_app import KEPT, broker_errors, configured, queue_of
from workers.health import Watchman
from workers.waker import Waker
from workers.wiring import Services


def _celery(folder: Path, url: str) -> Celery:
    return configured(load(environment={}, overrides={"data": folder, "queue.url": url}))


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Rabbit]:
    """Running."""
    made = Rabbit()
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """Running, with a password."""
    made = Redis(password="secret")
    made.start()
    yield made
    made.close()


@pytest.fixture(params=["redis", "rabbit"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each of them."""
    return cast("Broker", request.getfixturevalue(request.param))


def test_a_day_without_a_worker_does_not_fill_the_broker(broker: Broker, tmp_path: Path) -> None:
    """However often it is woken, a queue keeps a few messages, and another task's keeps its own."""
    celery = _celery(tmp_path, broker.url)
    with celery.connection_for_write() as connection:  # a worker listens to all of them
        for queue in celery.amqp.queues.values():
            queue(connection.default_channel).declare()

    for _ in range(200):
        celery.send_task("project", retry=False)
    celery.send_task("sequence", retry=False)

    assert redisqueue.KEPT == KEPT
    waiting = [_waiting(celery, task) for task in ("project", "sequence", "anchor")]
    assert waiting == [KEPT, 1, 0]


def _waiting(celery: Celery, task: str) -> int:
    with celery.connection_for_write() as connection:
        try:
            found = connection.default_channel.queue_declare(queue_of(task), passive=True)
        except connection.channel_errors:  # Redis has no queue without a message
            return 0
        return cast("int", found.message_count)


@pytest.mark.parametrize(
    ("was", "now"), [(":guest@", ":stale@"), ("//", "/absent")], ids=["password", "virtual-host"]
)
def test_rabbitmq_that_refuses_us_is_an_outage_not_a_crash(
    rabbit: Rabbit, tmp_path: Path, was: str, now: str
) -> None:
    """A password or a virtual host was changed: wakers live on, readiness says so."""
    head, _, tail = rabbit.url.rpartition(was)

    _refused(head + now + tail, tmp_path)


def test_redis_that_refuses_us_is_an_outage_not_a_crash(redis: Redis, tmp_path: Path) -> None:
    """A password was changed."""
    _refused(redis.url.replace("secret", "stale"), tmp_path)


def _refused(url: str, folder: Path) -> None:
    settings = load(environment={}, overrides={"data": folder, "queue.url": url})
    celery = configured(settings)
    with pytest.raises(broker_errors(celery)):
        celery.send_task("project", retry=False)

    with Waker(celery) as waker:
        waker.wake()
        limit = time.monotonic() + 15
        while not waker.failed:
            assert time.monotonic() < limit, "the refusal was not counted"
            time.sleep(0.02)
        assert "waker" in {thread.name for thread in threading.enumerate()}

    queue = Watchman(Services(settings), Metrics())._ask("queue")["queue"]
    assert (queue.ok, "refused us" in queue.detail) == (False, True)


DEAF = """
import sys
from pathlib import Path
from bridge.settings import load
from workers import hearing, tasks
hearing.QUIET_S, hearing.LOOK_S = 3.0, 0.1
tasks.run_worker(load(environment={}, overrides={"data": Path(sys.argv[1])}))
"""


def test_worker_that_hears_nothing_ends_for_another_to_be_started(tmp_path: Path) -> None:
    """No beat, no waker: it says so in the log and goes, instead of living on uselessly."""
    done = subprocess.run(
        [sys.executable, "-c", DEAF, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert '"worker-deaf"' in done.stderr
