"""Stopping: what was read is answered, then the connection closes; a second signal is at once."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from adapters.hl7v2.mllp import frame
from bridge.core.errors import BridgeError
from tests.fakes.feed import adt
from tests.served_mllp import Client, Served, code_of, eventually
from workers.mllp import Listener

Serve = Callable[..., Served]
ROOT = Path(__file__).resolve().parents[3]
PROCESS = """
import asyncio, sys, time
from tests.fakes.feed import MemoryFeed, as_they_are
from tests.fakes.sources import FixedClock
from workers.mllp import Listener, MllpServer, run

class Slow(MemoryFeed):
    def __call__(self, group):
        print("storing", flush=True)
        time.sleep(float(sys.argv[1]))
        return super().__call__(group)

async def main():
    server = MllpServer(
        [Listener(feed="f", host="127.0.0.1", port=0)], reception=as_they_are(Slow()),
        clock=FixedClock(), wake=lambda: None, on_event=lambda event: None,
    )
    await run(server, ready=lambda: print(server.addresses[0][1], flush=True))

asyncio.run(main())
"""


def test_graceful_stop_answers_what_was_read_then_closes(serve: Serve) -> None:
    """No message that was read whole goes without its answer."""
    served = serve()
    served.feed.gate.clear()
    with served.client() as client:
        client.send(frame(adt("1")) + frame(adt("2")) + b"\x0bMSH|half")
        eventually(lambda: served.counters.waiting == 2)

        with _stopping(served):
            served.feed.gate.set()
            answers = client.answers(2)

            assert [code_of(a) for a in answers] == ["AA 1", "AA 2"]
            assert client.is_closed()
    assert list(served.feed.kept) == [adt("1"), adt("2")]


def test_graceful_stop_takes_all_that_waits_behind_the_high_water_mark(serve: Serve) -> None:
    """What was read but had no room yet is stored and answered too."""
    served = serve(unanswered=2)
    served.feed.gate.clear()
    with served.client() as client:
        client.send(b"".join(frame(adt(str(n))) for n in range(10)))
        eventually(lambda: served.counters.waiting == 2)

        with _stopping(served):
            served.feed.gate.set()

            assert [code_of(a) for a in client.answers(10)] == [f"AA {n}" for n in range(10)]
            assert client.is_closed()


def test_peer_that_is_gone_keeps_no_answer_from_its_neighbours(serve: Serve) -> None:
    """Its side cannot be closed in order; who is answered behind it is answered all the same."""
    served = serve(unanswered=1)
    served.feed.gate.clear()
    with served.client() as first, served.client() as gone, served.client() as neighbour:
        for number, client in enumerate((first, gone, neighbour)):
            client.send(frame(adt(str(number))))
            eventually(lambda: served.counters.waiting == number + 1)  # noqa: B023  called here
        gone.socket.close()

        with _stopping(served):
            served.feed.gate.set()

            assert code_of(neighbour.answer()) == "AA 2"
            assert neighbour.is_closed()
    assert served.counters.connections == 0


def test_idle_connections_do_not_hold_up_a_stop(serve: Serve) -> None:
    """Engines keep connections open for days; a stop closes them."""
    served = serve()
    with ExitStack() as opened:
        clients = [opened.enter_context(served.client()) for _ in range(5)]
        eventually(lambda: served.counters.connections == 5)

        served.stop()

        assert all(client.is_closed() for client in clients)
    assert served.counters.connections == 0


def test_stop_gives_up_on_a_storage_that_hangs_only_after_its_time(serve: Serve) -> None:
    """What cannot be answered in time is closed unanswered: its sender sends it again."""
    served = serve()
    served.feed.gate.clear()
    with served.client() as client:
        client.send(frame(adt("1")))
        eventually(lambda: served.counters.waiting == 1)

        with _stopping(served, within_s=0.2):
            assert client.is_closed()
            served.feed.gate.set()


def test_port_in_use_is_said_in_one_line(serve: Serve) -> None:
    """The operator reads the address and what to do."""
    served = serve()

    with pytest.raises(BridgeError, match=r"127\.0\.0\.1:\d+\) - free the port or choose another"):
        Served(Listener(feed="g", host="127.0.0.1", port=served.port)).start_here()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_gracefully(number: signal.Signals) -> None:
    """The message in the transaction is answered before the process ends with 0."""
    with _start(store_s=0.3) as process, _connect(process) as client:
        client.send(frame(adt("1")))
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(number)
        answer = client.answer()

    assert code_of(answer) == "AA 1"
    assert process.wait(10) == 0


def test_second_signal_closes_at_once() -> None:
    """An operator who insists does not wait for answers."""
    with _start(store_s=1.0) as process, _connect(process) as client:
        client.send(frame(adt("1")))
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(signal.SIGTERM)
        eventually(lambda: _is_refused(client.socket.getpeername()[1]))
        process.send_signal(signal.SIGTERM)

        assert client.is_closed()
        with pytest.raises(AssertionError, match="closed instead"):
            client.answer()
    assert process.wait(10) == 0


def _start(*, store_s: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(store_s)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def _connect(process: subprocess.Popen[str]) -> Client:
    assert process.stdout is not None
    return Client(int(process.stdout.readline()))


@contextmanager
def _stopping(served: Served, *, within_s: float = 10.0) -> Iterator[None]:
    """A graceful stop is under way, and nobody new gets in."""
    port = served.port
    stopping = threading.Thread(target=served.stop, kwargs={"within_s": within_s})
    stopping.start()
    eventually(lambda: _is_refused(port))
    yield
    stopping.join(15)
    assert not stopping.is_alive()


def _is_refused(port: int) -> bool:
    try:
        Client(port).socket.close()
    except ConnectionError:
        return True
    return False
