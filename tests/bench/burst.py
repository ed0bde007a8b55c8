"""A burst at the door: acknowledged at intake speed, projected behind it, in flat memory.

Run `PYTHONPATH=. python tests/bench/burst.py [MESSAGES]`: an embedded PostgreSQL, the product's own
`mllp` with two processes, one `worker` and `beat` on the folder broker, 16 pipelined senders. A
JSON object every tenth: messages acknowledged, seconds, and the largest resident MiB of a process
of the door and of the worker. The last one tells how long projection went on after the last answer.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bridge.embedded import postgres
from bridge.store.database import Database
from tests.bench.intake import door, running, send
from tests.bench.records import count_of

__all__ = ["main"]

MESSAGES = 50_000
PARTS = 10
STORED = "SELECT count(*) FROM record"
WAITING = "SELECT count(DISTINCT seq) FROM lane_queue"
APPLIED = "SELECT count(*) FROM resource_version"


def main(messages: int = MESSAGES) -> None:
    """One line a tenth, and one for the end."""
    folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-bench-"))
    url = postgres.start(folder)
    environment = {"FHIR_ANCHOR__DATA": str(folder), "FHIR_ANCHOR__STORE__URL": url}
    database = Database(url)
    try:
        running(("-m", "workers.main", "db", "upgrade"), environment).wait()
        with door(environment, 2) as (port, listener):
            worked, beat = (
                running(("-m", "workers.main", name), environment) for name in ("worker", "beat")
            )
            worker = psutil.Process(worked.pid)
            began = time.perf_counter()
            for part in range(1, PARTS + 1):
                _send(port, messages // PARTS)
                _say(part * messages // PARTS, began, listener, worker)
            answered = time.perf_counter()
            while count_of(database, WAITING):
                time.sleep(0.2)
            versions = count_of(database, APPLIED)
            seconds = time.perf_counter() - began
            figures = {
                "records": count_of(database, STORED),
                "projected_after_s": round(time.perf_counter() - answered, 1),
                "versions": versions,
                "versions_per_s": round(versions / seconds),
                "load": round(os.getloadavg()[0], 1),
            }
            sys.stdout.write(json.dumps(figures) + "\n")
            _say(messages, began, listener, worker)
            for process in (beat, worked):
                process.send_signal(signal.SIGTERM)
                process.wait()
    finally:
        database.close()
        postgres.stop(folder)


def _send(port: int, messages: int) -> None:
    receive, pipe = multiprocessing.get_context("spawn").Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(
        target=send, args=(port, (16, 32, messages), pipe)
    )
    child.start()
    receive.recv()
    child.join()


def _say(answered: int, began: float, listener: psutil.Process, worker: psutil.Process) -> None:
    figures = {
        "answered": answered,
        "seconds": round(time.perf_counter() - began, 1),
        "door_mib": _resident(listener),
        "worker_mib": _resident(worker),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def _resident(process: psutil.Process) -> int:
    """Resident MiB of the largest process of a family."""
    family = [process, *process.children(recursive=True)]
    return int(max(one.memory_info().rss for one in family) >> 20)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
