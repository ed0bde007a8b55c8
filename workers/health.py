"""What readiness looks at: database, queue, chain, log; side by side, each within a bound."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException

from bridge.api.node import Health
from bridge.cli.rpc import JsonRpcReader
from bridge.core.errors import BridgeError, Fault
from bridge.flows.sequence import signable_head
from bridge.ports.anchors import State
from bridge.store.backlog import read_anchored, read_anchoring, read_backlog, read_lags
from bridge.store.tallies import read_tallies
from bridge.telemetry import Metrics
from workers.celery_app import broker_errors, configured
from workers.highwater import read_mark
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
            "anchors": self._anchoring,
        }
        self._feeds = FeedMetrics(services.clock)
        metrics.registry.register(self._feeds)
        self._threads = ThreadPoolExecutor(len(self._parts), thread_name_prefix="look")
        self._looks: dict[str, Future[Health]] = {}

    def look(self) -> dict[str, Health]:
        """The state of each part, now; a part that is down says what to do."""
        return self._ask("database", "queue", "chain", "log")

    def measure(self) -> None:
        """Bring the gauges up to date; what does not answer leaves them as they were."""
        self._ask("database", "log", "anchors")

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
        """Well while enough endpoints answer; who does not is named all the same."""
        urls = tuple(dict.fromkeys(self._services.settings.chain.rpc))
        with ThreadPoolExecutor(max(len(urls), 1)) as threads:
            looks = list(threads.map(_look_at, urls))
        heights = [look for look in looks if isinstance(look, int)]
        troubles = "".join(f"; {look}" for look in looks if isinstance(look, str))
        needed = self._services.settings.chain.agree or len(urls) // 2 + 1
        told = f"{len(heights)} of {len(urls)} endpoints, newest block {max(heights, default=0)}"
        if len(heights) < needed and urls:
            raise ValueError(f"{told}, {needed} are needed{troubles}")
        return f"{told}{troubles}; {self._anchoring()}"

    def _anchoring(self) -> str:
        """Gauges and words about what was sent."""
        services, metrics = self._services, self._metrics.anchoring
        now = services.clock.now()
        found = read_anchoring(services.database, now)
        metrics.unanchored_s.set(found.unanchored_s)
        metrics.wait_s.set(found.in_flight_s)
        metrics.gas.set(found.gas)
        metrics.cost_gwei.set(found.cost_wei / 10**9)
        for state in State:
            metrics.transactions.labels(state.value).set(dict(found.states).get(state.value, 0))
        waits = f", oldest transaction {found.in_flight_s:.0f} s" if found.in_flight_s else ""
        return (
            f"oldest checkpoint without a final anchor {found.unanchored_s:.0f} s{waits}, "
            f"{found.cost_wei // 10**9} gwei spent in all"
        )

    def _log(self) -> str:
        """Well while the sequencer would go on; the chain is not asked, what it said last is."""
        services = self._services
        newest = services.book.newest()
        size, anchored = newest.size if newest else 0, read_anchored(services.database)
        self._metrics.log_size.set(size)
        self._metrics.unanchored.set(max(size - anchored, 0))
        origin = services.settings.log.origin
        signable_head(services.book, origin, lambda: read_mark(services.settings))
        return f"{size} leaves under the newest checkpoint, {anchored} of them anchored for good"


def _look_at(url: str) -> int | str:
    """Newest block of one endpoint, or what is wrong with it, by host and port."""
    try:
        return JsonRpcReader(url, timeout_s=PATIENCE_S / 2).height()
    except BridgeError as error:
        return f"{error.where}: {error.what}"


def _told(part: Callable[[], str]) -> Health:
    try:
        return Health(ok=True, detail=part())
    except (BridgeError, HTTPException, OSError, ValueError, KeyError, TypeError) as error:
        return Health(ok=False, detail=str(error)[:300])
