"""The counters of the MLLP door as metrics: written by its processes, told by the door of HTTP.

The processes of one door share its sockets, so a scrape of one would tell of a part alone.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import accumulate
from types import TracebackType
from typing import Any, Self

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bridge.core.errors import BridgeError
from bridge.ports.sources import Clock
from bridge.store.backlog import Lag
from bridge.store.database import Database
from bridge.store.tallies import Tally, keep_tallies
from workers.mllp.feed import LATENCY_BOUNDS_S, FeedCounters

__all__ = ["EVERY_S", "FeedMetrics", "TallyKeeper"]

EVERY_S = 5.0
"""How often totals are written: a row a feed, seen by the next scrape."""
ALIVE = timedelta(seconds=6 * EVERY_S)
"""A feed that has not written for so long has no open connections."""
STATUSES = ("accepted", "duplicates", "refused", "unstored")
COUNTERS = {
    "received": "Messages that were read whole",
    "received_bytes": "Bytes of whole frames",
    "connections_total": "Connections that were taken",
    "connections_refused": "Connections that were turned away",
}
STAGES = ("projected", "sequenced", "anchored")
GAUGES = {
    "connections": "Connections that are open",
    "waiting": "Messages that were read and are not answered",
}


class TallyKeeper:
    """Writes the counters of this process while it serves, and once at its end."""

    def __init__(
        self, database: Database, clock: Clock, counters: Callable[[], Mapping[str, FeedCounters]]
    ) -> None:
        """Nothing is written yet."""
        self._database, self._clock, self._counters = database, clock, counters
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the last totals."""
        self._done.set()
        self._thread.join()

    def keep(self) -> None:
        """Write the totals of now; a database that is down gets them the next time."""
        at = self._clock.now()
        counted = [(feed, asdict(one)) for feed, one in self._counters().items()]
        try:
            keep_tallies(self._database, tuple(Tally(feed=f, at=at, counts=c) for f, c in counted))
        except BridgeError:
            return  # intake speaks of a database that is down; these totals only rise

    def _run(self) -> None:
        while not self._done.wait(EVERY_S):
            self.keep()
        self.keep()


class FeedMetrics(Collector):
    """The newest totals that were read, summed by listener over every process and start."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was read yet."""
        self._clock = clock
        self.tallies: Sequence[Tally] = ()
        self.lags: Sequence[Lag] = ()

    def collect(self) -> Iterable[Metric]:
        """Families for one scrape."""
        listeners: dict[str, list[Tally]] = {}
        for tally in self.tallies:
            listeners.setdefault(tally.feed.partition("/")[0], []).append(tally)
        yield self._messages(listeners)
        yield from self._sums(listeners)
        yield from self._present(listeners)
        yield self._latency(listeners)
        yield self._last(listeners)
        yield self._lag(listeners)

    def _messages(self, listeners: Mapping[str, list[Tally]]) -> Metric:
        name, what = "fhir_anchor_mllp_messages", "Messages and what became of them"
        family = CounterMetricFamily(name, what, labels=("listener", "status"))
        for listener, tallies in listeners.items():
            for status in STATUSES:
                family.add_metric((listener, status), _sum(tallies, status))
        return family

    def _sums(self, listeners: Mapping[str, list[Tally]]) -> Iterator[Metric]:
        for key, what in COUNTERS.items():
            name = f"fhir_anchor_mllp_{key.removesuffix('_total')}"
            family = CounterMetricFamily(name, what, labels=("listener",))
            for listener, tallies in listeners.items():
                family.add_metric((listener,), _sum(tallies, key))
            yield family

    def _present(self, listeners: Mapping[str, list[Tally]]) -> Iterator[Metric]:
        since = self._clock.now() - ALIVE
        for key, what in GAUGES.items():
            family = GaugeMetricFamily(f"fhir_anchor_mllp_{key}_now", what, labels=("listener",))
            for listener, tallies in listeners.items():
                family.add_metric((listener,), _sum([t for t in tallies if t.at > since], key))
            yield family

    def _last(self, listeners: Mapping[str, list[Tally]]) -> Metric:
        """A feed that has fallen silent is found by the age of its last message."""
        name, what = "fhir_anchor_mllp_last_timestamp_seconds", "When the last message was answered"
        family = GaugeMetricFamily(name, what, labels=("listener",))
        for listener, tallies in listeners.items():
            family.add_metric((listener,), _last(tallies))
        return family

    def _lag(self, listeners: Iterable[str]) -> Metric:
        """Zero where nothing waits, so that an alert has something to compare."""
        name, what = "fhir_anchor_lag_seconds", "Age of the oldest record not yet at this stage"
        family = GaugeMetricFamily(name, what, labels=("feed", "stage"))
        now = self._clock.now()
        waiting = {
            (lag.feed, lag.stage): max((now - lag.oldest).total_seconds(), 0.0) for lag in self.lags
        }
        quiet = {(feed, stage): 0.0 for feed in listeners for stage in STAGES}
        for labels, seconds in sorted((quiet | waiting).items()):
            family.add_metric(labels, seconds)
        return family

    def _latency(self, listeners: Mapping[str, list[Tally]]) -> Metric:
        name, what = "fhir_anchor_mllp_answer_seconds", "From the last byte to the answer"
        family = HistogramMetricFamily(name, what, labels=("listener",))
        bounds = [*map(str, LATENCY_BOUNDS_S), "+Inf"]
        for listener, tallies in listeners.items():
            columns = zip(*(tally.counts["latency_buckets"] for tally in tallies), strict=True)
            totals = accumulate(sum(column) for column in columns)
            buckets = list(zip(bounds, totals, strict=True))
            family.add_metric((listener,), buckets, sum_value=_sum(tallies, "latency_s"))
        return family


def _last(tallies: Iterable[Tally]) -> float:
    return max((float(tally.counts.get("last_s", 0)) for tally in tallies), default=0.0)


def _sum(tallies: Iterable[Tally], key: str) -> Any:  # noqa: ANN401  whole numbers or seconds
    """Over every process; one of an older version may not have counted it."""
    return sum(tally.counts.get(key, 0) for tally in tallies)
