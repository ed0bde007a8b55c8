"""Intake over MLLP with real parts: conversion, one durable commit a group, the ACK after it.

Run `PYTHONPATH=. python tests/bench/intake.py [MESSAGES]`. An embedded PostgreSQL with its default
durability, the product's own `mllp` processes, senders in a process of their own; an ORU of 1.5 KB
with distinct control ids. One JSON object a shape of traffic: rate (msg/s), p50_ms, p99_ms, and the
processor time a message of the door (door_us), of PostgreSQL (postgres_us) and of the senders.
`naive` is the same door with a commit a message; `load` is the machine's load average before it.
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
    port: int, listener: psutil.Process, folder: Path, shape: tuple[int, int, int]
) -> None:
    load = os.getloadavg()[0]
    server = psutil.Process(int((folder / "cluster" / "postmaster.pid").read_text().split()[0]))
    before = used(listener), used(server)
    memory = _resident(listener)
    receive, pipe = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=send, args=(port, shape, pipe))
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


def send(port: int, shape: tuple[int, int, int], to: Connection) -> None:
    """Traffic of one shape; what it saw goes to the pipe."""
    to.send(asyncio.run(_send_all(port, *shape)))


async def _send_all(port: int, connections: int, window: int, messages: int) -> dict[str, object]:
    template, latencies = message(), list[float]()
    numbers = count(time.time_ns())
    each = messages // connections
    prepared = [template % number for number in islice(numbers, each * connections)]
    loop, started, used = asyncio.get_running_loop(), time.perf_counter(), time.process_time()
    done = []
    for place in range(connections):
        own = iter(prepared[place * each : (place + 1) * each])
        _, sender = await loop.create_connection(
            partial(Sender, own, each, window, latencies), "127.0.0.1", port
        )
        done.append(sender.done)
    await asyncio.gather(*done)
    seconds = time.perf_counter() - started
    latencies.sort()
    return {
        "mode": "lock-step" if window == 1 else f"pipelined {window}",
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
