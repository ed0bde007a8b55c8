"""Commands that look at a node that exists, whether or not it runs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.embedded import postgres
from bridge.settings import Settings
from workers.alone import alone
from workers.wiring import Services

__all__ = ["visited"]


@contextmanager
def visited(settings: Settings) -> Iterator[Services]:
    """The services of a node that exists; an embedded server started for this is stopped after.

    Raises:
        BridgeError: `node-missing` when no node was ever here: looking must not make one, least of
            all a new log key. `node-running` when one starts or stops at this moment.
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
        with closing(Services(settings)) as node:
            yield node
        return
    with alone(settings.data):
        try:
            with closing(Services(settings)) as node:
                yield node
        finally:
            postgres.stop(settings.data)
