"""The line of one connection: its messages in order of arrival, until each is answered."""

from collections import deque
from typing import Protocol

from adapters.hl7v2.header import read_header
from bridge.core.errors import BridgeError
from bridge.flows.receive import Inbound, Received
from workers.mllp.door import Door
from workers.mllp.feed import FeedCounters, Limits
from workers.mllp.gathering import Outcome
from workers.mllp.reply import addresses, owed_nothing, put_off, refusal, replies
from workers.mllp.together import Together

__all__ = ["Line", "Message", "Peer"]


class Peer(Protocol):
    """The connection of a message, as the message sees it."""

    @property
    def door(self) -> Door:
        """What it came in by."""

    def put_off(self, *, answered: bool) -> None:
        """A message of it could not be stored; its answer says so, or there is none."""

    def flush(self) -> None:
        """Write what is next in line."""


class Message:
    """One message in the line of its connection; `reply` is None until it is settled."""

    __slots__ = ("_header", "_peer", "_together", "arrived", "inbound", "reply")

    def __init__(
        self, peer: Peer, payload: bytes, *, sender: str, arrived: float, together: Together | None
    ) -> None:
        """The next message of its feed."""
        self._peer, self._header, self._together = peer, read_header(payload), together
        self.arrived = arrived
        self.reply: bytes | None = None
        door = peer.door
        door.number += 1
        stored, refused = addresses(
            self._header, enhanced=door.enhanced, to=door.listener.application_ack_to
        )
        self.inbound = Inbound(
            raw=payload,
            feed=door.listener.feed,
            number=door.number,
            sender=sender,
            deliver_stored=stored,
            deliver_refused=refused,
        )

    @property
    def unanswered(self) -> bool:
        """No answer is owed, so it is tried until it is stored."""
        return owed_nothing(self._header, enhanced=self._peer.door.enhanced)

    @property
    def line(self) -> object:
        """Messages of one connection are stored in order: none behind one that was not."""
        return self._peer

    def settle(self, outcome: Outcome) -> None:
        """Word the reply, and count."""
        reply = self._worded(outcome)
        stored = isinstance(outcome, Received)
        if not stored:
            self._peer.put_off(answered=bool(reply))
        if self._together is not None:
            reply = self._together.gather(reply, stored=stored)
        self.reply = reply

    def refuse(self, reason: BridgeError) -> None:
        """Answer a message of which nothing was kept."""
        door = self._peer.door
        door.counters.refused += 1
        self.reply = refusal(self._header, reason, at=door.clock.now(), enhanced=door.enhanced)

    def flush(self) -> None:
        """Let the connection write what is next in line."""
        self._peer.flush()

    def _worded(self, outcome: Outcome) -> bytes:
        door, listener = self._peer.door, self._peer.door.listener
        at = door.clock.now()
        door.counters.last_s = at.timestamp()
        if isinstance(outcome, Received):
            door.counters.count(outcome.status)
            elsewhere = bool(listener.application_ack_to)
            return replies(
                self._header, outcome, at=at, enhanced=door.enhanced, elsewhere=elsewhere
            )
        door.counters.unstored += 1
        silent = listener.outage == "close"
        return put_off(self._header, outcome, at=at, enhanced=door.enhanced, silent=silent)


class Line:
    """Answers leave it in the order in which the messages came, whatever is settled first."""

    def __init__(self, counters: FeedCounters) -> None:
        """Nobody waits."""
        self._waiting: deque[Message] = deque()
        self._counters = counters
        self.size_bytes = 0
        """Of the messages that wait."""

    def __len__(self) -> int:
        """Messages that are not answered."""
        return len(self._waiting)

    def has_room(self, limits: Limits) -> bool:
        """Whether one more may wait; one that is over the bound of bytes waits alone."""
        return not self._waiting or (
            len(self._waiting) < limits.unanswered and self.size_bytes < limits.unanswered_bytes
        )

    def add(self, message: Message) -> None:
        """Behind all others."""
        self._waiting.append(message)
        self.size_bytes += len(message.inbound.raw)
        self._counters.waiting += 1

    def answered(self, now: float) -> list[bytes]:
        """Take the replies at its head; a message that is owed none gives an empty one."""
        replies = []
        while self._waiting and (reply := self._waiting[0].reply) is not None:
            message = self._waiting.popleft()
            replies.append(reply)
            self.size_bytes -= len(message.inbound.raw)
            self._counters.waiting -= 1
            self._counters.observe(now - message.arrived)
        return replies

    def clear(self) -> None:
        """Nobody is there to be answered any more."""
        self._counters.waiting -= len(self._waiting)
        self._waiting.clear()
        self.size_bytes = 0
