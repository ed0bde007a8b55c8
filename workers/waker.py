"""Wake the workers after a commit: from a thread of its own: no sender waits for a broker."""

import threading
from types import TracebackType
from typing import Self

from celery import Celery

from workers.celery_app import broker_errors

__all__ = ["Waker"]

SHORTEST_GAP_S = 0.05
"""At most 20 wake-ups a second a process: each makes a worker look at everything that waits."""


class Waker:
    """Sends `project` soon after `wake()`; a broker that is down costs nothing.

    The beat looks every second anyway, so a wake-up that is lost is only late. Sequencing is not
    woken: a checkpoint for each commit would be many checkpoints and no more evidence.
    """

    def __init__(self, celery: Celery) -> None:
        """Start the thread; use as a context manager or call `close`."""
        self._celery, self._errors = celery, broker_errors(celery)
        self._asked, self._closing = threading.Event(), threading.Event()
        self.failed = 0
        """Wake-ups that the broker did not take."""
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Ask for a wake-up; never raises, never blocks."""
        self._asked.set()

    def close(self) -> None:
        """Send what was asked for, then stop; waits at most two seconds."""
        self._closing.set()
        self._asked.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._asked.wait()
            self._asked.clear()
            self._send("project")
            self._closing.wait(SHORTEST_GAP_S)

    def _send(self, task: str) -> None:
        try:
            self._celery.send_task(task, retry=False)
        except self._errors:
            self.failed += 1

    def __enter__(self) -> Self:
        """The waker, running."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread."""
        self.close()
