"""Slots: a system outside that hangs keeps one process, not all of them."""

import multiprocessing
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from workers.slots import slot


def _hold(folder: Path, task: str) -> None:
    with slot(folder, task):
        (folder / "held").touch()
        time.sleep(60)


def test_task_of_a_busy_system_stands_back(tmp_path: Path) -> None:
    """`watch` hangs at the chain: `anchor` is not let in beside it, stamping and projection are."""
    tasks = ("watch", "anchor", "stamp", "project", "project")
    with ExitStack() as held:
        free = tuple(held.enter_context(slot(tmp_path, task)) for task in tasks)

    assert free == (True, False, True, True, True)


def test_slot_is_free_after_its_task(tmp_path: Path) -> None:
    """The next beat finds it so."""
    with slot(tmp_path, "anchor"):
        pass

    with slot(tmp_path, "watch") as free:
        assert free


def test_slot_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """A kill -9 leaves no lock behind."""
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path, "stamp"))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with slot(tmp_path, "stamp") as before:
        assert not before
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    with slot(tmp_path, "stamp") as after:
        assert after
