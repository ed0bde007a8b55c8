"""Intake over MLLP with real parts: conversion, one durable commit a group, the ACK after it.

Run `PYTHONPATH=. python tests/bench/intake.py [MESSAGES]`. An embedded PostgreSQL with its default
durability, the product's own `mllp` processes, senders in a process of their own; an ORU of 1.5 KB
with distinct control ids. One JSON object a shape of traffic: rate (msg/s), p50_ms, p99_ms, and the
processor time a message of the door (door_us), of PostgreSQL (postgres_us) and of the senders.
A line with `offered` sends at that rate, whatever is answered: latency counts from when a message
was due. `naive` is the same door with a commit a message; `load` is the machine's load average
before it.
"""

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from adapters.hl7v2.mllp import frame
from bridge.embedded import postgres
from bridge.settings import load
from tests.bench.mllp import ORU, Sender
from workers.mllp import gathering
from workers.mllp.process import serve

__all__ = ["door", "main", "running", "send", "used"]

MESSAGES = 12_000
SAMPLE = Path("corpus/microsoft_FHIR-Converter/data/SampleData/Hl7v2/LAB-ORU-1.hl7")
SHAPES = ((16, 1), (64, 1), (16, 32))
"""Connections, and messages unanswered on each; 1 is lock-step."""
PACE = {1: "lock-step"}
OFFERED = (64, 1000)
"""Connections, and messages a second over all of them."""


def main(messages: int = MESSAGES, *processes: int) -> None:
    """One line a shape of traffic."""
    folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-bench-"))
    environment = {
        "FHIR_ANCHOR__DATA": str(folder),
        "FHIR_ANCHOR__STORE__URL": postgres.start(folder),
    }
    try:
        running(("-m", "workers.main", "db", "upgrade"), environment).wait()
        for crew in processes or (1, 2, 3):
            with door(environment, crew) as (port, listener):
                for connections, window in SHAPES:
                    _measure(port, listener, folder, (connections, window, messages))
                _measure(port, listener, folder, (OFFERED[0], 0, messages), offered=OFFERED[1])
        with door(environment, 1, naive=True) as (port, listener):
            _measure(port, listener, folder, (16, 1, messages // 8))
    finally:
        postgres.stop(folder)


def message() -> bytes:
    """The published sample where it is there, else one of the same size; `%s` is the control id."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / SAMPLE).is_file():
            raw = (parent / "shared" / SAMPLE).read_bytes().removeprefix(b"\xef\xbb\xbf")
            return raw.replace(b"%", b"%%").replace(b"|182|T|", b"|%d|T|", 1)
    return ORU


def _measure(
    port: int,
    listener: psutil.Process,
    folder: Path,
    shape: tuple[int, int, int],
    *,
    offered: int = 0,
) -> None:
    load = os.getloadavg()[0]
    server = psutil.Process(int((folder / "cluster" / "postmaster.pid").read_text().split()[0]))
    before = used(listener), used(server)
    memory = _resident(listener)
    receive, pipe = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(
        target=send, args=(port, shape, pipe, offered)
    )
    child.start()
    figures = receive.recv()
    child.join()
    after = used(listener), used(server)
    total = figures["messages"]
    figures |= {
        "door_us": round((after[0] - before[0]) / total * 1e6),
        "postgres_us": round((after[1] - before[1]) / total * 1e6),
        "rss_mib": [memory, _resident(listener)],
        "processes": max(1, len(listener.children())),
        "naive": "tests.bench.intake" in " ".join(listener.cmdline()),
        "load": round(load, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def used(process: psutil.Process) -> float:
    """Processor seconds of a process and its children, those that ended too."""
    try:
        own, children = process.cpu_times(), process.children()
    except psutil.NoSuchProcess:  # autovacuum's come and go; the parent counts those that ended
        return 0.0
    ended = own.children_user + own.children_system
    return float(own.user + own.system + ended) + sum(map(used, children))


def _resident(process: psutil.Process) -> int:
    """Resident MiB of the largest process that accepts."""
    family = process.children() or [process]
    return int(max(one.memory_info().rss for one in family) >> 20)


def send(port: int, shape: tuple[int, int, int], to: Connection, offered: int = 0) -> None:
    """Traffic of one shape; what it saw goes to the pipe."""
    to.send(asyncio.run(_send_all(port, *shape, offered)))


class _Paced(Sender):
    """Sends one message every so many seconds, whatever is answered."""

    def __init__(
        self, messages: Iterator[bytes], count: int, every_s: float, latencies: list[float]
    ) -> None:
        super().__init__(messages, count, 0, latencies)
        self._every_s, self._began = every_s, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock; connections are made one after another, so each has its own place."""
        super().connection_made(transport)
        self._began = time.perf_counter()
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        while (due := self._began + self.sent * self._every_s) <= now and self.sent < self.count:
            self.transport.write(frame(next(self.messages)))
            self.sent_at.append(due)
            self.sent += 1
        if self.sent < self.count:
            asyncio.get_running_loop().call_later(due - now, self._tick)

    def _send(self, many: int) -> None:
        """An answer calls for nothing."""


async def _send_all(
    port: int, connections: int, window: int, messages: int, offered: int
) -> dict[str, object]:
    template, latencies = message(), list[float]()
    numbers = count(time.time_ns())
    each = messages // connections
    prepared = [template % number for number in islice(numbers, each * connections)]
    loop, started, used = asyncio.get_running_loop(), time.perf_counter(), time.process_time()
    done = []
    for place in range(connections):
        own = iter(prepared[place * each : (place + 1) * each])
        made = (
            partial(_Paced, own, each, connections / offered, latencies)
            if offered
            else partial(Sender, own, each, window, latencies)
        )
        _, sender = await loop.create_connection(made, "127.0.0.1", port)
        done.append(sender.done)
    await asyncio.gather(*done)
    seconds = time.perf_counter() - started
    latencies.sort()
    return {
        "mode": f"offered {offered}/s" if offered else PACE.get(window, f"pipelined {window}"),
        "connections": connections,
        "messages": len(latencies),
        "rate": round(len(latencies) / seconds),
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 1),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 1),
        "senders_us": round((time.process_time() - used) / len(latencies) * 1e6),
    }


@contextmanager
def door(
    environment: dict[str, str], crew: int, *, naive: bool = False
) -> Iterator[tuple[int, psutil.Process]]:
    """The product's `mllp` command on a free port, or the same door with a commit a message."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"FHIR_ANCHOR__MLLP__PORT": str(port), "FHIR_ANCHOR__MLLP__PROCESSES": str(crew)}
    what = ("-m", "tests.bench.intake", "naive") if naive else ("-m", "workers.main", "mllp")
    started = running(what, environment | own)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1)
        yield port, psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait()


def running(what: tuple[str, ...], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A Python of its own, in this environment."""
    return subprocess.Popen(
        [sys.executable, *what],
        env={**os.environ, **environment},
        stderr=None if "BENCH_LOGS" in os.environ else subprocess.DEVNULL,
    )


def _naive() -> None:
    """The door with groups of one: a commit, and its fsync, for each message."""
    gathering.GROUP_SIZE = 1
    serve(load(environment=os.environ))


if __name__ == "__main__":
    if sys.argv[1:] == ["naive"]:
        _naive()
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
