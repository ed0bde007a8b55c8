"""Who holds a data folder: one `up` at a time, and commands that look at a node that exists."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.embedded import postgres
from bridge.settings import Settings
from workers.wiring import Services

__all__ = ["held", "visited"]

LOCK = "node.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """This process alone starts and stops the embedded parts of the folder, inside the block.

    Without it a second `up` on a folder would, on its way out, stop the database of the first.
    The kernel frees the lock of a process that died.

    Raises:
        BridgeError: `node-held` when another process holds the folder.
        OSError: when the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BridgeError(
                "node-held",
                Fault.OPERATOR,
                what="another process runs a node out of this folder",
                where=str(folder),
                do="use that node, stop it, or choose another folder with --data",
            ) from error
        yield


@contextmanager
def visited(settings: Settings) -> Iterator[Services]:
    """The services of a node that exists; an embedded server started for this is stopped after.

    Raises:
        BridgeError: `node-missing` when no node was ever here: looking must not make one, least of
            all a new log key. `node-held` when one starts or stops at this moment.
    """
    key = settings.log.key_file or str(settings.data / "log.key")
    if not Path(key).exists() or not (settings.store.url or postgres.exists(settings.data)):
        raise BridgeError(
            "node-missing",
            Fault.OPERATOR,
            what="no node lives here: its log key or its database is missing",
            where=str(settings.data),
            do="give --data DIR of a node, or --config FILE that names its parts",
        )
    if settings.store.url or postgres.is_running(settings.data):
        yield Services(settings)
        return
    with held(settings.data):
        try:
            yield Services(settings)
        finally:
            postgres.stop(settings.data)
