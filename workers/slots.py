"""One process at a time waits for each system outside: chain, stamping services, receivers.

A service that hangs keeps the process that asked it. Without a limit the next beat sends another
process after it, until none is left to project and to sequence.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["SLOT_OF", "slot"]

SLOT_OF: Final = {"anchor": "chain", "watch": "chain", "stamp": "stamp", "answer": "answer"}
"""Task to system. Tasks that are not named here touch nothing but the database."""
_WAIT_S: Final = 0.3
"""`anchor` waits for a `watch` that is about to end; it gives up before it is in the way."""


@contextmanager
def slot(folder: Path, task: str) -> Iterator[bool]:
    """True inside the block when the task may run: nobody else has its system, or it has none.

    The lock is the kernel's and ends with the process, however that ends.
    """
    system = SLOT_OF.get(task)
    if system is None:
        yield True
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{system}.slot").open("w") as held:
        limit = time.monotonic() + _WAIT_S
        free = _locked(held.fileno())
        while not free and time.monotonic() < limit:
            time.sleep(0.02)
            free = _locked(held.fileno())
        yield free


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
