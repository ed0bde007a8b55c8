"""A well-behaved sender beside an attack, that must not notice it."""

import threading
import time

from tests.fakes.feed import adt
from tests.served_mllp import Client, code_of

__all__ = ["Neighbour"]


class Neighbour:
    """A well-behaved lock-step sender on another listener of the same process."""

    def __init__(self, port: int) -> None:
        self.codes: set[str] = set()
        self.answered, self.slowest_s = 0, 0.0
        self._stop = threading.Event()
        self._client = Client(port)
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def leave(self) -> None:
        """Stop after the message under way."""
        self._stop.set()
        self._thread.join(10)
        self._client.socket.close()

    def _send(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self.codes.add(code_of(self._client.ask(adt(f"N{self.answered}")))[:2])
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.answered += 1
            self._stop.wait(0.001)
