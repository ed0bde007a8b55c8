"""HTTP/1.1 with patience: a client that drips its request's head, or reads no answer, is let go.

Each would hold a connection for ever (slowloris, slow read), and needs no token for it. Bodies have
their own bound in `bridge.api.bodies`; this is for what comes before and after.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_S", "PatientProtocol"]

HEAD_S = 10.0
"""From the first byte, or the connection, to the end of the request's head: at most some
kilobytes."""
STALL_S = 120.0
"""For the next part of a waiting answer. The kernel holds up to 4 MiB and asks for more when a
third is taken: at worst 90 kbit/s are enough, less than a body has to have."""


class PatientProtocol(H11Protocol):
    """uvicorn's own protocol, which waits for ever for the rest of a head and for a reader."""

    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]  # as in uvicorn's own class
        self, transport: asyncio.Transport
    ) -> None:
        """The first head is due from now on."""
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        """The next head is due from its first byte on; between requests keep-alive decides."""
        super().data_received(data)
        due = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if not due:
            self._forget()
        elif self._head is None:
            self._head = self.loop.call_later(HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._forget()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """An answer waits: from now on the client must go on reading."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """The client took it."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _watch_reader(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(STALL_S, self._look_at_reader, waiting)

    def _look_at_reader(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() < waiting:
            self._watch_reader()
        else:
            self.transport.abort()

    def _forget(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        self._head = None
        self.transport.close()
