"""A running MLLP server for tests with real sockets, and a plain client of any bytes."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self, TypeVar

import pytest

from adapters.hl7v2.mllp import Frame, Framer, frame
from tests.fakes.feed import MemoryFeed, as_they_are
from tests.fakes.sources import FixedClock
from workers.mllp import FeedCounters, FeedEvent, Limits, Listener, MllpServer
from workers.mllp.gathering import ReceiveGroup

__all__ = ["Client", "Served", "code_of", "eventually", "quick_limits", "serve"]

T = TypeVar("T")


def quick_limits(**changes: Any) -> Limits:
    """Bounds that a test reaches soon."""
    usual = {"idle_s": 30.0, "frame_s": 30.0, "lull_s": 0.05, "linger_s": 0.5}
    return Limits(**(usual | changes))


def eventually(true: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Wait until it holds; the server runs in a thread of its own."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.005)


def code_of(ack: bytes) -> str:
    """MSA-1 and MSA-2 of an answer, such as `AA 7`."""
    msa = next(part for part in ack.split(b"\r") if part.startswith(b"MSA"))
    return " ".join(part.decode() for part in msa.split(b"|")[1:3])


class Served:
    """An `MllpServer` on a loop of its own, over a feed in memory."""

    def __init__(
        self,
        *listeners: Listener,
        memory_bytes: int = 256 * 1024 * 1024,
        receive_group: ReceiveGroup | None = None,
    ) -> None:
        self.feed, self.events, self.wakes = MemoryFeed(), list[FeedEvent](), 0
        self._receive_group = receive_group or self.feed
        self._listeners, self._memory_bytes = listeners, memory_bytes
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at once."""
        self.feed.gate.set()
        self.call(self.server.abort())
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    @property
    def port(self) -> int:
        """Of the first listener."""
        return self.server.addresses[0][1]

    @property
    def counters(self) -> FeedCounters:
        """Of the first listener."""
        return self.server.counters[self._listeners[0].feed]

    @property
    def codes(self) -> set[str]:
        """Of every event so far."""
        return {event.code for event in list(self.events)}

    def call(self, work: Coroutine[None, None, T]) -> T:
        """Run on the server's loop and wait."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    def start_here(self) -> None:
        """Listen on this thread's own loop, to see it fail."""
        asyncio.run(self._live())

    def stop(self, *, within_s: float = 10.0) -> None:
        """Stop gracefully."""
        self.call(self.server.stop(within_s=within_s))

    def client(self, **options: Any) -> "Client":
        """A new connection to the first listener."""
        return Client(self.port, **options)

    def _wake(self) -> None:
        self.wakes += 1

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self.server = MllpServer(
            self._listeners,
            reception=as_they_are(self._receive_group),
            clock=FixedClock(),
            wake=self._wake,
            on_event=self.events.append,
            memory_bytes=self._memory_bytes,
        )
        await self.server.start()
        self._started.set()
        await self._over.wait()


class Client:
    """A blocking client that sends any bytes and reads frames."""

    def __init__(
        self, port: int, *, tls: ssl.SSLContext | None = None, receive_buffer: int = 0
    ) -> None:
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(10)
        try:
            raw.connect(("127.0.0.1", port))
            self.socket = tls.wrap_socket(raw, server_hostname="localhost") if tls else raw
        except OSError:
            raw.close()
            raise
        self._framer = Framer()
        self._frames: list[bytes] = []

    def __enter__(self) -> Self:
        """The client, connected."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self.socket.sendall(data)

    def ask(self, payload: bytes) -> bytes:
        """One frame there, one back."""
        self.send(frame(payload))
        return self.answer()

    def answer(self) -> bytes:
        """The next frame."""
        while not self._frames:
            data = self.socket.recv(65_536)
            assert data, "the server closed instead of answering"
            self._read(data)
        return self._frames.pop(0)

    def answers(self, count: int) -> list[bytes]:
        """The next frames."""
        return [self.answer() for _ in range(count)]

    def is_closed(self) -> bool:
        """Wait for the server to close; what it sent before is kept for `answer`."""
        try:
            while data := self.socket.recv(65_536):
                self._read(data)
        except ConnectionError:
            return True
        return True

    def _read(self, data: bytes) -> None:
        events = self._framer.feed(data)
        self._frames += [event.payload for event in events if isinstance(event, Frame)]


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Start servers that end with the test: by limits, or by whole listeners."""
    running: list[Served] = []

    def start(
        *listeners: Listener,
        memory_bytes: int = 256 * 1024 * 1024,
        receive_group: ReceiveGroup | None = None,
        **limits: Any,
    ) -> Served:
        usual = Listener(feed="f", host="127.0.0.1", port=0, limits=quick_limits(**limits))
        served = Served(
            *(listeners or (usual,)), memory_bytes=memory_bytes, receive_group=receive_group
        )
        running.append(served.__enter__())
        return served

    yield start
    for served in running:
        served.__exit__()
