"""HTTP/1.1 with patience: a client that drips the head of a request is let go (slowloris).

Bodies have their own bound in `bridge.api.bodies`; this is for what comes before.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_S", "PatientProtocol"]

HEAD_S = 10.0
"""From the first byte, or the connection, to the end of the request's head: at most some
kilobytes."""


class PatientProtocol(H11Protocol):
    """uvicorn's own protocol, which waits for ever for the rest of a head."""

    _head: asyncio.TimerHandle | None = None

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
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _give_up(self) -> None:
        self._head = None
        self.transport.close()
