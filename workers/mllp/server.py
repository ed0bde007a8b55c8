"""The MLLP process: listeners on one event loop, one thread that commits.

Nothing leaves before `receive_group` has returned: an acceptance is written only for a message
that is durable. Framing, acknowledgements and the transaction live elsewhere; here are sockets.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from bridge.core.errors import BridgeError, Fault
from bridge.ports.sources import Clock
from workers.mllp.accepting import Acceptor
from workers.mllp.commit import Committer
from workers.mllp.connection import Connection
from workers.mllp.door import Door, MemoryBudget
from workers.mllp.feed import FeedCounters, FeedEvent, Limits, Listener
from workers.mllp.gathering import Reception

__all__ = ["FeedCounters", "FeedEvent", "Limits", "Listener", "MllpServer", "bind", "run"]

MEMORY_BYTES = 256 * 1024 * 1024
"""Of unfinished frames and unanswered messages over all connections: 16 frames of the largest size
at once. Beyond, an unfinished frame of more than 1 MiB is dropped and its sender told to retry."""
SWEEP_S = 0.25
"""How often the times of connections are looked at; each bound is late by this at most."""
STOP_S = 30.0
"""How long a graceful stop waits for answers before it closes what is left."""


class MllpServer:
    """All listeners of a process. Use from one event loop.

    Args:
        listeners: the addresses; each is a feed with its own numbers and counters.
        reception: what is done with messages.
        clock: for MSH-7 of answers that are worded here.
        wake: called after each commit; must neither raise nor block.
        on_event: takes facts for the log; must neither raise nor block.
        memory_bytes: security limit over all connections.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        *,
        reception: Reception,
        clock: Clock,
        wake: Callable[[], None],
        on_event: Callable[[FeedEvent], None],
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._emit = on_event
        self._committer = Committer(reception, committed=wake, failed=self._unstored)
        self._gone = asyncio.Event()
        self._acceptors: list[Acceptor] = []
        self._addresses: list[tuple[str, int]] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._budget = MemoryBudget(limit_bytes=memory_bytes)
        self._doors = tuple(
            Door(
                listener=listener,
                committer=self._committer,
                clock=clock,
                counters=FeedCounters(),
                budget=self._budget,
                emit=on_event,
                connections=set(),
                closed=self._gone.set,
            )
            for listener in listeners
        )

    @property
    def counters(self) -> dict[str, FeedCounters]:
        """By feed; the objects stay the same while the server lives."""
        return {door.listener.feed: door.counters for door in self._doors}

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each listener, in order, with the port that the system chose."""
        return tuple(self._addresses)

    @property
    def held_bytes(self) -> int:
        """Memory of unfinished frames and unanswered messages over all connections."""
        return self._budget.held_bytes

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Listen on every address, or on `sockets`: one a listener, from `bind`.

        Processes that are given the same sockets share the connections.

        Raises:
            BridgeError: `mllp-listen`, with fault OPERATOR; nothing listens then.
        """
        sockets = sockets or bind([door.listener for door in self._doors])
        for door, bound in zip(self._doors, sockets, strict=True):
            host, port = bound.getsockname()[:2]
            self._addresses.append((str(host), int(port)))
            self._acceptors.append(Acceptor(door, bound, partial(Connection, door)))
        self._sweep()

    async def stop(self, *, within_s: float = STOP_S) -> None:
        """Accept no more, answer what was read whole, close; what is left in the end is aborted."""
        await self._close_listeners()
        for door in self._doors:
            for connection in tuple(door.connections):
                connection.finish()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._all_closed()
        await self._end()

    async def abort(self) -> None:
        """Close everything at once. What was read and not answered is still with its sender."""
        await self._close_listeners()
        await self._end()

    async def _all_closed(self) -> None:
        while any(door.connections for door in self._doors):
            self._gone.clear()
            await self._gone.wait()

    async def _end(self) -> None:
        """Abort what is left, wait for the transaction that runs."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for door in self._doors:
            for connection in tuple(door.connections):
                connection.abort()
        await asyncio.to_thread(self._committer.close)
        await self._all_closed()

    async def _close_listeners(self) -> None:
        """Whoever is between accepted and connected is turned away."""
        for door in self._doors:
            door.stopping = True
        await asyncio.gather(*(acceptor.close() for acceptor in self._acceptors))

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for door in self._doors:
            for connection in tuple(door.connections):
                connection.check(loop.time())
        self._sweeper = loop.call_later(SWEEP_S, self._sweep)

    def _unstored(self, cause: BaseException, count: int) -> None:
        """The cause goes to the log as a code or a class name, never as its text."""
        code = cause.code if isinstance(cause, BridgeError) else type(cause).__name__
        self._emit(FeedEvent(code=f"mllp-unstored:{code}", feed="", count=count))


def bind(listeners: Sequence[Listener]) -> tuple[socket.socket, ...]:
    """Sockets that hold every address and do not listen yet; all of them or none.

    Raises:
        BridgeError: `mllp-listen`, with fault OPERATOR.
    """
    bound: list[socket.socket] = []
    for one in listeners:
        made = socket.socket(socket.AF_INET6 if ":" in one.host else socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.append(made)
        try:
            made.bind((one.host, one.port))
        except OSError as error:
            for other in bound:
                other.close()
            raise BridgeError(
                "mllp-listen",
                Fault.OPERATOR,
                what=f"the address cannot be listened on: {error.strerror}",
                where=f"{one.host}:{one.port}",
                do="free the port or choose another one",
            ) from error
    return tuple(bound)


async def run(
    server: MllpServer, *, ready: Callable[[], None], sockets: Sequence[socket.socket] = ()
) -> None:
    """Serve until SIGTERM or SIGINT stops gracefully; a second signal closes at once."""
    await server.start(sockets)
    loop = asyncio.get_running_loop()
    asked, insisted = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (insisted if asked.is_set() else asked).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    ready()
    await asked.wait()
    stopping = asyncio.create_task(server.stop())
    hurrying = asyncio.create_task(insisted.wait())
    await asyncio.wait((stopping, hurrying), return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if stopping.done():
        await stopping
    else:
        stopping.cancel()
        await server.abort()
