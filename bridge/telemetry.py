"""Logs and metrics of a process. Both carry ids, codes, counts and times; never content.

The scrubber is a list of what may pass, not of what may not: a key that is not known here is
dropped and its name is logged, so that a new field cannot leak a patient by being forgotten.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, TypeAlias

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["ALLOWED", "Metrics", "PlacesOnly", "configure_logs"]

# fmt: off
ALLOWED = frozenset({
    "address", "anchor", "attempt", "block", "bytes", "chain", "code", "count", "event",
    "fault", "feed", "index", "kind", "lane", "leaves", "level", "listener", "method",
    "offset", "origin", "peer", "pid", "port", "process", "record", "records", "route",
    "seconds", "sender", "signal", "size", "stalled", "state", "status", "task", "timestamp",
    "tx", "version", "versions", "where",
})
# fmt: on
Nothing: TypeAlias = tuple[None, None, None]
LATENCY_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


def scrub(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every key that is not known to be free of content, and say which were dropped."""
    dropped = sorted(set(event) - ALLOWED)
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    return kept | ({"code": f"dropped:{','.join(dropped)}"} if dropped else {})


class PlacesOnly(logging.Formatter):
    """A traceback as the class of its error and the places it came through.

    The text of an exception may quote what was sent, or a row of the database.
    """

    def formatException(  # noqa: N802 - logging's own name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | Nothing
    ) -> str:
        """Such as `KeyError at app.py:12 in read, rows.py:40 in _one`."""
        kind, _, trace = ei
        places = [
            f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in extract_tb(trace)
        ]
        return f"{kind.__name__ if kind else 'nothing'} at {', '.join(places)}"


def configure_logs(process: str) -> structlog.stdlib.BoundLogger:
    """JSON lines on standard error for this process; libraries speak from WARNING on."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(PlacesOnly("%(levelname)s %(name)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            scrub,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=_Lossy()),
        cache_logger_on_first_use=True,
    )
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(process=process)
    return logger


class _Lossy(StringIO):
    """Standard error of now, whose lines are lost when its disk is full: work is not."""

    def __init__(self) -> None:
        """Keep it: Celery puts something else in its place."""
        super().__init__()
        self._out = sys.stderr

    def write(self, line: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):  # closed at the end of the process
            return self._out.write(line)
        return 0

    def flush(self) -> None:
        """Nothing is kept back on purpose."""
        with suppress(OSError, ValueError):
            self._out.flush()


class Metrics:
    """The Prometheus metrics of one process (https://prometheus.io/docs/practices/naming/)."""

    def __init__(self) -> None:
        """Own registry, so that two nodes in one test process do not share counters."""
        self.registry = CollectorRegistry()
        self.received = Counter(
            "fhir_anchor_messages_total",
            "Messages by door and what became of them",
            ("door", "status"),
            registry=self.registry,
        )
        self.answer_seconds = Histogram(
            "fhir_anchor_answer_seconds",
            "From the last byte of a message to its answer",
            ("door",),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.http_seconds = Histogram(
            "fhir_anchor_http_seconds",
            "From the request to the end of its answer, by route",
            ("route", "method", "status"),
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.log_size = Gauge(
            "fhir_anchor_log_leaves", "Leaves under the newest checkpoint", registry=self.registry
        )
        self.unsequenced = Gauge(
            "fhir_anchor_unsequenced_leaves",
            "Leaves that wait for a checkpoint",
            registry=self.registry,
        )
        self.unprojected = Gauge(
            "fhir_anchor_unprojected_records",
            "Records that wait to be applied",
            registry=self.registry,
        )
        self.unanchored = Gauge(
            "fhir_anchor_unanchored_leaves",
            "Leaves under the newest checkpoint but no final anchor",
            registry=self.registry,
        )
        self.anchoring = AnchorMetrics(self.registry)
        self.halted = Gauge(
            "fhir_anchor_halted_records",
            "Records that could not be applied and stopped their lanes",
            registry=self.registry,
        )
        self.quarantined = Gauge(
            "fhir_anchor_quarantined_inputs",
            "Refused inputs that wait for a person",
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """The text format that Prometheus scrapes."""
        return generate_latest(self.registry)


class AnchorMetrics:
    """What was sent to the chain, what it cost, and how long the rest has waited."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Part of a process's metrics."""
        self.unanchored_s = Gauge(
            "fhir_anchor_unanchored_seconds",
            "Age of the oldest checkpoint that no final anchor covers",
            registry=registry,
        )
        self.transactions = Gauge(
            "fhir_anchor_anchor_transactions",
            "Transactions that anchor, by state",
            ("state",),
            registry=registry,
        )
        self.wait_s = Gauge(
            "fhir_anchor_anchor_wait_seconds",
            "Age of the oldest transaction that is in no block",
            registry=registry,
        )
        self.gas = Gauge("fhir_anchor_anchor_gas", "Gas of all mined anchors", registry=registry)
        self.cost_gwei = Gauge(
            "fhir_anchor_anchor_cost_gwei",
            "Cost of all mined anchors in billionths of the chain's coin",
            registry=registry,
        )
