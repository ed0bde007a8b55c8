"""Several processes of one door: forked from one that holds the sockets, watched, replaced.

The parent accepts nothing and commits nothing, so that its death or a child's costs no message:
what a child had read and not answered is sent again by its sender, to another child.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess

__all__ = ["Crew"]

PR_SET_PDEATHSIG = 1
RESTART_PAUSE_S = 0.5
"""Before a process that died is replaced: one that dies at once does not spin."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Crew:
    """A fixed number of children that do the same work.

    Use from the main thread of a process without other threads: a fork copies only the caller.
    """

    def __init__(self, work: Callable[[], None], *, size: int, lost: Callable[[int], None]) -> None:
        """Start nothing yet.

        Args:
            work: what each child does until SIGTERM; it returns then.
            size: how many children.
            lost: hears the process id of each child that died and is replaced.
        """
        self._work, self._size, self._lost = work, size, lost
        self._children: list[ForkProcess] = []
        self._stopping = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT: each signal goes to every child, and the last child ends it."""
        woken, waker = os.pipe()
        os.set_blocking(waker, False)

        def on_signal(number: int, _: object) -> None:
            self._stopping = True
            for child in self._children:
                _tell(child, number)
            os.write(waker, b"\0")

        for number in SIGNALS:
            signal.signal(number, on_signal)
        while len(self._children) < self._size and not self._stopping:
            self._children.append(self._start())
        while not self._stopping or any(child.is_alive() for child in self._children):
            connection.wait([woken, *(c.sentinel for c in self._children if c.is_alive())])
            if not self._stopping:
                self._replace()
            elif any(child.is_alive() for child in self._children):
                time.sleep(0.05)  # the pipe stays readable once a signal came

    def _replace(self) -> None:
        """Start another child for each that died."""
        for place, child in enumerate(self._children):
            if child.is_alive() or self._stopping:
                continue
            child.join()
            self._lost(child.pid or 0)
            time.sleep(RESTART_PAUSE_S)
            if not self._stopping:
                self._children[place] = self._start()

    def _start(self) -> ForkProcess:
        parent = os.getpid()
        child = get_context("fork").Process(target=self._live, args=(parent,))
        child.start()
        if self._stopping:  # the signal came while it was being started
            _tell(child, signal.SIGTERM)
        return child

    def _live(self, parent: int) -> None:
        """In the child: its own group, so that Ctrl-C reaches it once, through its parent."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.setpgrp()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                return
        self._work()


def _tell(child: ForkProcess, number: int) -> None:
    if child.pid and child.is_alive():
        os.kill(child.pid, number)
