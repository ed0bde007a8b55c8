"""What readiness looks at: database, queue, chain, log; side by side, each within a bound."""

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException

from bridge.api.node import Health
from bridge.core.errors import BridgeError, Fault
from bridge.store.backlog import read_anchored, read_backlog, read_lags
from bridge.store.tallies import read_tallies
from bridge.telemetry import Metrics
from workers.celery_app import broker_errors, configured
from workers.mllp.tally import FeedMetrics
from workers.wiring import Services

__all__ = ["Watchman"]

PATIENCE_S = 2.0
"""For all parts together: a load balancer asks every few seconds and gives up after some."""


class Watchman:
    """Looks at the parts of a node and keeps the gauges true.

    A look that hangs is left to itself and asked no second time until it ends, so a part that
    never answers costs one thread.
    """

    def __init__(self, services: Services, metrics: Metrics) -> None:
        """Nothing is looked at yet."""
        self._services, self._metrics = services, metrics
        self._celery = configured(services.settings)
        self._broker_errors = broker_errors(self._celery)
        self._parts: dict[str, Callable[[], str]] = {
            "database": self._database,
            "queue": self._queue,
            "chain": self._chain,
            "log": self._log,
        }
        self._feeds = FeedMetrics(services.clock)
        metrics.registry.register(self._feeds)
        self._threads = ThreadPoolExecutor(len(self._parts), thread_name_prefix="look")
        self._looks: dict[str, Future[Health]] = {}

    def look(self) -> dict[str, Health]:
        """The state of each part, now; a part that is down says what to do."""
        return self._ask(*self._parts)

    def measure(self) -> None:
        """Bring the gauges up to date; what does not answer leaves them as they were."""
        self._ask("database", "log")

    def _ask(self, *names: str) -> dict[str, Health]:
        for name in names:
            hanging = self._looks.get(name)
            if hanging is None or hanging.done():
                self._looks[name] = self._threads.submit(_told, self._parts[name])
        looks = {name: self._looks[name] for name in names}
        wait(looks.values(), timeout=PATIENCE_S)
        silent = Health(ok=False, detail=f"no answer within {PATIENCE_S:.0f} s")
        return {name: look.result() if look.done() else silent for name, look in looks.items()}

    def _database(self) -> str:
        backlog = read_backlog(self._services.database)
        self._metrics.unprojected.set(backlog.unprojected)
        self._metrics.unsequenced.set(backlog.unsequenced)
        self._metrics.halted.set(backlog.halted)
        self._metrics.quarantined.set(backlog.quarantined)
        self._feeds.tallies = read_tallies(self._services.database)
        self._feeds.lags = read_lags(self._services.database)
        return f"{backlog.unprojected} records and {backlog.unsequenced} leaves wait"

    def _queue(self) -> str:
        try:
            with self._celery.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0)
        except self._broker_errors as error:
            raise BridgeError(
                "broker-unavailable",
                Fault.PEER,
                what=f"the broker did not answer or refused us, {type(error).__name__}",
                where="queue.url",
                do="start it, or mend queue.url; nothing is lost meanwhile",
            ) from error
        return "reached"

    def _chain(self) -> str:
        urls = self._services.settings.chain.rpc
        heights = [_height(url) for url in urls]
        return f"{len(heights)} endpoints, newest block {max(heights, default=0)}"

    def _log(self) -> str:
        newest = self._services.book.newest()
        size = newest.size if newest else 0
        anchored = read_anchored(self._services.database)
        self._metrics.log_size.set(size)
        self._metrics.unanchored.set(max(size - anchored, 0))
        return f"{size} leaves under the newest checkpoint, {anchored} of them anchored for good"


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
    except (BridgeError, HTTPException, OSError, ValueError, KeyError, TypeError) as error:
        return Health(ok=False, detail=str(error)[:300])
