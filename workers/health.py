"""What readiness looks at: database, queue, chain, log; each now, each with a bound."""

import json
import urllib.request
from collections.abc import Callable

from kombu.exceptions import OperationalError

from bridge.api.node import Health
from bridge.core.errors import BridgeError
from bridge.store.backlog import read_backlog
from bridge.telemetry import Metrics
from workers.celery_app import configured
from workers.wiring import Services

__all__ = ["Watchman"]

PATIENCE_S = 2.0


class Watchman:
    """Looks at the parts of a node and keeps the gauges true."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        """Nothing is looked at yet."""
        self._services, self._metrics = services, metrics
        self._celery = configured(services.settings)

    def look(self) -> dict[str, Health]:
        """The state of each part; a part that is down says what to do."""
        return {
            "database": _told(self._database),
            "queue": _told(self._queue),
            "chain": _told(self._chain),
            "log": _told(self._log),
        }

    def _database(self) -> str:
        backlog = read_backlog(self._services.database)
        self._metrics.unprojected.set(backlog.unprojected)
        self._metrics.unsequenced.set(backlog.unsequenced)
        return f"{backlog.unprojected} records and {backlog.unsequenced} leaves wait"

    def _queue(self) -> str:
        with self._celery.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE_S)
        return "reached"

    def _chain(self) -> str:
        urls = self._services.settings.chain.rpc
        heights = [_height(url) for url in urls]
        return f"{len(heights)} endpoints, newest block {max(heights, default=0)}"

    def _log(self) -> str:
        newest = self._services.book.newest()
        size = newest.size if newest else 0
        self._metrics.log_size.set(size)
        return f"{size} leaves under the newest checkpoint"


def _height(url: str) -> int:
    """Newest block of one endpoint, by JSON-RPC."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []})
    request = urllib.request.Request(  # noqa: S310 - configured by the operator
        url, body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
        return int(json.load(response)["result"], 16)


def _told(part: Callable[[], str]) -> Health:
    try:
        return Health(ok=True, detail=part())
    except (BridgeError, OperationalError, OSError, ValueError, KeyError) as error:
        return Health(ok=False, detail=str(error)[:300])
