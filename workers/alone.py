"""One node a folder: a second `up` is refused, and what an earlier one left is waited for.

Two locks. `up.lock` is held by `up` alone. `children.lock` is held also by every child, which
inherits it open: after a kill -9 of `up` it comes free when the last child has answered what it had
read and is gone, and with it ports, queue and chain.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bridge.core.errors import BridgeError, Fault

__all__ = ["alone"]

LEFT_OVER_S = 30.0
"""Children end within their 15 seconds of grace; twice that on a busy machine."""


@contextmanager
def alone(data: Path) -> Iterator[int]:
    """Hold the folder; gives the descriptor that children must inherit.

    Raises:
        BridgeError: `node-running` when another `up` has the folder, or children of one that was
            killed do not end.
    """
    with (data / "up.lock").open("w") as ours, (data / "children.lock").open("w") as theirs:
        if not _held(ours):
            raise _running(data, "another node runs on this folder", "stop it first")
        limit = time.monotonic() + LEFT_OVER_S
        while not _held(theirs):
            if time.monotonic() > limit:
                what = "processes of an earlier node still run on this folder"
                raise _running(data, what, "end them; they are named `fhir-anchor` or workers.main")
            time.sleep(0.1)
        yield theirs.fileno()


def _held(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _running(data: Path, what: str, do: str) -> BridgeError:
    advice = f"{do}, or choose another folder with --data"
    return BridgeError("node-running", Fault.OPERATOR, what=what, where=str(data), do=advice)
