"""The waker: soon after a commit, never in a sender's way."""

import threading
import time
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from workers.waker import Waker


class Broker(Celery):  # type: ignore[misc]  # celery publishes no types
    """A broker that remembers, blocks or is down."""

    def __init__(self) -> None:
        super().__init__("test")
        self.sent: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.down = False

    def send_task(self, name: str, *_: Any, **__: Any) -> None:
        """Take a wake-up."""
        self.open.wait(5)
        if self.down:
            raise OperationalError("no route to broker")
        self.sent.append(name)


def _soon(condition: Any) -> None:
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit, "it did not happen within five seconds"
        time.sleep(0.005)


def test_a_commit_wakes_the_projector() -> None:
    """One wake-up is one message to the worker."""
    broker = Broker()

    with Waker(broker) as waker:
        waker.wake()
        _soon(lambda: broker.sent)

    assert set(broker.sent) == {"project"}


def test_many_commits_at_once_are_few_messages() -> None:
    """A burst of 1,000 commits does not flood the broker: one message makes a worker see all."""
    broker = Broker()

    with Waker(broker) as waker:
        for _ in range(1000):
            waker.wake()
        _soon(lambda: broker.sent)

    assert len(broker.sent) <= 3


def test_a_broker_that_hangs_holds_up_no_sender() -> None:
    """`wake` returns at once while the broker does not answer."""
    broker = Broker()
    broker.open.clear()

    with Waker(broker) as waker:
        started = time.monotonic()
        for _ in range(100):
            waker.wake()
        waited = time.monotonic() - started
        broker.open.set()

    assert waited < 0.5


def test_a_broker_that_is_down_is_counted_and_tried_again() -> None:
    """Nothing is raised, and the next wake-up goes out when the broker is back."""
    broker = Broker()
    broker.down = True

    with Waker(broker) as waker:
        waker.wake()
        _soon(lambda: waker.failed)
        broker.down = False
        waker.wake()
        _soon(lambda: broker.sent)

    assert waker.failed >= 1


@pytest.mark.parametrize("asked", [False, True])
def test_closing_ends_the_thread(asked: bool) -> None:  # noqa: FBT001 - a parameter
    """No thread stays behind, whether or not a wake-up was under way."""
    waker = Waker(Broker())
    if asked:
        waker.wake()

    waker.close()

    assert "waker" not in {thread.name for thread in threading.enumerate()}
