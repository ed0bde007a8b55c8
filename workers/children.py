"""Child processes of `up`: started, watched, started again when they die, stopped in order."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bridge.core.errors import BridgeError, Fault

__all__ = ["Child", "Children", "Watched"]

PR_SET_PDEATHSIG = 1
STOP_GRACE_S = 15.0
"""A listener finishes what it read and answers it before it goes; then it is killed."""
SETTLED_S = 5.0
"""Whoever lived this long is started again at once; whoever did not, after a pause."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0
"""Doubling: a process that cannot start costs seconds of work a minute, and not all of it."""


class Watched(Protocol):
    """Something that may die and can be started again."""

    name: str

    def ended(self) -> bool:
        """True when it is gone and should not be."""

    def start(self) -> None:
        """Start it. Raises BridgeError when it does not start."""


@dataclass(slots=True, kw_only=True)
class Child:
    """One process of the node, by its command: `fhir-anchor <arguments>`."""

    name: str
    program: Sequence[str] = (sys.executable, "-m", "workers.main")
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[], bool] = lambda: True
    """Whether it serves; asked until it says yes."""
    inherited: Sequence[int] = ()
    """Descriptors that it keeps open."""
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Run it with this interpreter; its standard error goes to its log file."""
        command = [*self.program, *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                pass_fds=self.inherited,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - only a system call, no lock
            )

    def ended(self) -> bool:
        """True when it was started and is gone."""
        return self.process is not None and self.process.poll() is not None


def _die_with_parent() -> None:
    """Linux ends the child when `up` is killed hard; elsewhere its port stays busy."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class _Turn:
    """When one of the watched was started, and how long to wait before the next time."""

    of: Watched
    started: float
    pause_s: float = 0.0
    due: float | None = None


class Children:
    """Keeps the processes of a node alive until it is told to stop."""

    def __init__(self, on_restart: Callable[[str], None], inherited: Sequence[int] = ()) -> None:
        """`on_restart` hears the name of each child that had died; all keep `inherited` open."""
        self._children: list[Child] = []
        self._turns: list[_Turn] = []
        self._inherited = inherited
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._restarting = threading.Lock()
        self._on_restart = on_restart
        self._watcher = threading.Thread(target=self._watch, name="children", daemon=True)

    def start(self, child: Child) -> None:
        """Start a child; `wait` says when it serves."""
        child.inherited = self._inherited
        child.start()
        self._children.append(child)
        self.keep(child)

    def keep(self, watched: Watched) -> None:
        """Watch also this, which somebody else started and stops."""
        self._turns.append(_Turn(watched, time.monotonic()))

    def wait(self, *, within_s: float) -> None:
        """Wait until every child serves; they start side by side.

        Raises:
            BridgeError: `child-not-ready` with the child's last log line, so that a busy port or a
                wrong setting is named and not guessed.
        """
        limit = time.monotonic() + within_s
        waiting = list(self._children)
        while waiting := [child for child in waiting if not child.ready()]:
            dead = next((child for child in waiting if child.ended()), None)
            if dead or time.monotonic() > limit:
                raise _not_ready(dead or waiting[0])
            time.sleep(0.05)

    def watch(self) -> None:
        """From now on, restart whatever dies."""
        self._watcher.start()

    def stop(self) -> None:
        """Ask all to stop in reverse order of their start, wait, kill what stays."""
        self._stopping.set()
        with self._restarting:  # what is being started now is stopped too
            pass
        alive = [c.process for c in reversed(self._children) if c.process and not c.ended()]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        limit = time.monotonic() + STOP_GRACE_S
        for process in alive:
            try:
                process.wait(timeout=max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            for turn in self._turns:
                with self._restarting:
                    if turn.of.ended() and not self._stopping.is_set():
                        self._again(turn)
        # Linux signals a child when the thread that started it ends, and a listener that is told
        # twice closes at once: this thread stays until all are gone.
        self._stopped.wait()

    def _again(self, turn: _Turn) -> None:
        """Start it when its pause is over; a start that fails is a death too."""
        now = time.monotonic()
        if turn.due is None:
            quick = now - turn.started < SETTLED_S
            turn.pause_s = min(turn.pause_s * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S) if quick else 0.0
            turn.due = now + turn.pause_s
        if now < turn.due:
            return
        turn.started, turn.due = now, None
        self._on_restart(turn.of.name)
        try:
            turn.of.start()
        except BridgeError as error:
            self._on_restart(f"{turn.of.name}:{error.code}")


def _not_ready(child: Child) -> BridgeError:
    return BridgeError(
        "child-not-ready",
        Fault.OPERATOR,
        what=f"the {child.name} process did not start: {_last_line(child.log)}",
        where=str(child.log),
        do="mend what it says and start again",
    )


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")
