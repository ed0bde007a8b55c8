"""Taking connections from a listening socket: one a turn of the loop, with bounded handshakes."""

import asyncio
import socket
from collections.abc import Callable

from workers.mllp.door import Door
from workers.mllp.feed import FeedEvent

__all__ = ["Acceptor"]

BACKLOG = 128
HANDSHAKE_S = 10.0
GRACE_S = 0.1
"""For a connection that is half accepted at the end: a turn or two of the loop."""
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""A peer that lost its power or its route is found after two minutes, not at the idle time, and a
firewall that forgets quiet connections keeps those of a quiet night."""
PAUSE_S = 1.0
"""After the system had no descriptor left: the connections that are open go on meanwhile."""


class Acceptor:
    """Accepts for one door while it is open; of several processes the idle one is the faster.

    A TLS handshake that is not done costs memory and no place of the door, so there are at most as
    many of them as places; beyond, the oldest is given up. A sender's takes milliseconds.
    """

    def __init__(
        self, door: Door, listening: socket.socket, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        """Listen; use from the loop's thread alone."""
        self._door, self._socket, self._protocol = door, listening, protocol
        self._loop = asyncio.get_running_loop()
        self._arriving: dict[asyncio.Task[None], str] = {}  # to its peer, in order of arrival
        self._pause: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        _keep_alive(listening)
        listening.listen(BACKLOG)
        self._resume()

    async def close(self) -> None:
        """Accept no more, and let go who is half accepted."""
        if self._pause is not None:
            self._pause.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        arriving = tuple(self._arriving)
        if arriving:  # one that is cancelled before it began would leave its socket to nobody
            await asyncio.wait(arriving, timeout=GRACE_S)
        for task in arriving:
            task.cancel()
        await asyncio.gather(*arriving, return_exceptions=True)

    def _resume(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            taken, address = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another process was faster, or the peer thought better of it
        except OSError as error:
            self._tell(f"mllp-accept:{type(error).__name__}", "")
            self._loop.remove_reader(self._socket)
            self._pause = self._loop.call_later(PAUSE_S, self._resume)
            return
        peer = f"{address[0]}:{address[1]}"
        task = self._loop.create_task(self._introduce(taken, peer))
        self._arriving[task] = peer
        task.add_done_callback(lambda done: self._arriving.pop(done, None))
        if len(self._arriving) > self._door.listener.limits.connections:
            oldest = next(iter(self._arriving))
            self._refuse("mllp-gave-way", self._arriving.pop(oldest))
            oldest.cancel()

    async def _introduce(self, taken: socket.socket, peer: str) -> None:
        """Make the transport of one connection, behind its handshake."""
        tls = self._door.listener.tls
        try:
            await self._loop.connect_accepted_socket(
                self._protocol,
                taken,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_S if tls else None,
                ssl_shutdown_timeout=self._door.listener.limits.linger_s if tls else None,
            )
        except OSError:  # what OpenSSL finds wrong is one too
            self._refuse("mllp-handshake-failed", peer)

    def _refuse(self, code: str, peer: str) -> None:
        self._door.counters.connections_refused += 1
        self._tell(code, peer)

    def _tell(self, code: str, peer: str) -> None:
        self._door.emit(FeedEvent(code=code, feed=self._door.listener.feed, peer=peer))


def _keep_alive(listening: socket.socket) -> None:
    """What is accepted from it inherits this; a system without the times has its own."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, value)
