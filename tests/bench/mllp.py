"""Rate and latency of the MLLP shell alone: real sockets, sinks that store nothing.

Run `PYTHONPATH=. python tests/bench/mllp.py`. The senders run in a process of their own. Two JSON
objects a shape of traffic: what the senders saw (rate in msg/s, p50_ms, p99_ms), then what the
measured process used (shell_us: processor time of both its threads a message; peak_mib).
"""

import asyncio
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice

from adapters.hl7v2.ack import acknowledge
from adapters.hl7v2.mllp import frame
from bridge.core.ids import Digest, Instant, RecordId, instant
from bridge.core.record.bundle import Apply, CanonicalBundle
from bridge.flows.receive import Inbound, Received
from bridge.ports.dialect import Accepted
from tests.fakes.feed import as_they_are
from workers.mllp import Listener, MllpServer
from workers.mllp.gathering import Work

__all__ = ["ORU", "Sender", "main"]

MESSAGES = 40_000
BUNDLE = CanonicalBundle(
    canonical=b"{}",
    source=Digest(bytes(32)),
    mapping=Digest(bytes(32)),
    apply=Apply.MERGE,
    message_type="ORU^R01^ORU_R01",
    control_id="1",
    lanes=("lane",),
)
OBX = b"OBX|%d|NM|2345-7^Glucose^LN||182|mg/dL|70-105|H|||F|||20261122140000+0000\r"
ORU = (
    b"MSH|^~\\&|LAB|HOSP|BRIDGE|CLINIC|20261122140000+0000||ORU^R01^ORU_R01|C%08d|P|2.5.1\r"
    b"PID|1||42^^^HOSP^MR||DOE^JOHN||19700101|M\rOBR|1|A1|B1|24323-8^Metabolic panel^LN\r"
    + b"".join(OBX % i for i in range(1, 17))
)

ANSWER = b"MSH|^~\\&|BRIDGE|CLINIC|LAB|HOSP|20261122140000+0000||ACK|1|P|2.5.1\rMSA|AA|1\r"


def empty_sink(group: Sequence[Work]) -> list[Received]:
    """The same answer to everyone: what is measured is the shell alone."""
    return [Received(record=RecordId("1"), answer=ANSWER, status="stored")] * len(group)


def sink(group: Sequence[Work]) -> list[Received]:
    """Word each answer, store nothing."""
    at = WallClock().now()
    results = []
    for one in group:
        assert isinstance(one, Inbound)
        record = RecordId(f"{one.number:036d}")
        answer = acknowledge(one.raw, Accepted(record=record, bundle=BUNDLE), at=at)
        results.append(Received(record=record, answer=answer, status="stored"))
    return results


SINKS = {"empty": empty_sink, "answers": sink}


class WallClock:
    """The real one."""

    def now(self) -> Instant:
        """The present moment."""
        return instant(datetime.now(UTC))  # noqa: TID251  a bench is a process of its own


class Sender(asyncio.Protocol):
    """Keeps `window` messages unanswered until `count` are answered; 1 is lock-step."""

    def __init__(
        self, messages: Iterator[bytes], count: int, window: int, latencies: list[float]
    ) -> None:
        self.messages, self.window, self.latencies = messages, window, latencies
        self.sent_at: list[float] = []
        self.answered = self.sent = 0
        self.count = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send(min(self.window, self.count))

    def data_received(self, data: bytes) -> None:
        """Count the ends of frames."""
        now, answers = time.perf_counter(), data.count(b"\x1c\r")
        for _ in range(answers):
            self.latencies.append(now - self.sent_at[self.answered])
            self.answered += 1
        if self.answered == self.count:
            self.transport.close()
            self.done.set_result(None)
        else:
            self._send(min(answers, self.count - self.sent))

    def _send(self, many: int) -> None:
        now = time.perf_counter()
        self.transport.write(b"".join(frame(one) for one in islice(self.messages, many)))
        self.sent += many
        self.sent_at.extend([now] * many)


async def _send_all(port: int, connections: int, window: int) -> tuple[float, list[float]]:
    latencies: list[float] = []
    loop, started = asyncio.get_running_loop(), time.perf_counter()
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(
            lambda: Sender(map(ORU.__mod__, count()), MESSAGES // connections, window, latencies),
            "127.0.0.1",
            port,
        )
        senders.append(sender.done)
    await asyncio.gather(*senders)
    return time.perf_counter() - started, sorted(latencies)


def _senders(port: int, connections: int, window: int) -> None:
    seconds, latencies = asyncio.run(_send_all(port, connections, window))
    figures = {
        "mode": "lock-step" if window == 1 else f"pipelined {window}",
        "connections": connections,
        "messages": len(latencies),
        "rate": round(len(latencies) / seconds),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


async def _measure(name: str, connections: int, window: int) -> None:
    listener = Listener(feed="bench", host="127.0.0.1", port=0)
    server = MllpServer(
        [listener],
        reception=as_they_are(SINKS[name]),
        clock=WallClock(),
        wake=lambda: None,
        on_event=lambda _: None,
    )
    await server.start()
    used = time.process_time()
    port = server.addresses[0][1]
    child = multiprocessing.get_context("spawn").Process(
        target=_senders, args=(port, connections, window)
    )
    child.start()
    await asyncio.to_thread(child.join)
    used = time.process_time() - used
    await server.stop()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    shell = {"sink": name, "shell_us": round(used / MESSAGES * 1e6, 1), "peak_mib": peak_mib}
    sys.stdout.write(json.dumps(shell) + "\n")


def main() -> None:
    """One line a shape of traffic."""
    for name in SINKS:
        for connections, window in ((1, 1), (16, 1), (64, 1), (16, 32)):
            asyncio.run(_measure(name, connections, window))


if __name__ == "__main__":
    main()
