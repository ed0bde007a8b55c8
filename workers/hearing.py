"""A worker that hears nothing any more ends itself, so that whoever keeps it starts it again.

Beat speaks every second, so silence means a connection that is broken and does not know it: a
client library that lost count after its broker came back, a line that died without a word. The
process lives, answers every probe, and would do nothing until somebody looks.
"""

import os
import signal
import threading
import time
from collections.abc import Callable

import structlog
from celery import signals
from celery.worker.state import active_requests

__all__ = ["Hearing", "watch_hearing"]

QUIET_S = 30.0
"""Without a wake-up and without work. Dozens of workers still hear their part of beat's."""
BUSY_S = 600.0
"""Without a wake-up though a task seems to run: twice what a task may take."""
LOOK_S = 5.0
GRACE_S = 15.0
"""Between asking the worker to stop and ending it."""


class Hearing:
    """When the last wake-up came, and whether that is too long ago."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` is a steady one, in seconds."""
        self._clock = clock
        self._heard = clock()

    def hear(self, **_: object) -> None:
        """A wake-up came."""
        self._heard = self._clock()

    def is_deaf(self, *, working: bool) -> bool:
        """Whether nothing can be coming any more."""
        return self._clock() - self._heard > (BUSY_S if working else QUIET_S)


def watch_hearing(log: structlog.stdlib.BoundLogger) -> None:
    """From now on; for the main process of a worker."""
    hearing = Hearing(time.monotonic)
    signals.task_received.connect(hearing.hear, weak=False)

    def run() -> None:
        while not hearing.is_deaf(working=bool(active_requests)):
            time.sleep(LOOK_S)
        log.error("worker-deaf", pid=os.getpid())
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=run, name="hearing", daemon=True).start()
