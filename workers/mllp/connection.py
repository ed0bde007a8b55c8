"""One MLLP connection: reads frames while it may, answers in arrival order, keeps its bounds."""

import asyncio
from collections import deque
from typing import cast

from adapters.hl7v2.batch import Batch
from adapters.hl7v2.header import Header, read_header
from adapters.hl7v2.mllp import Discarded, Event, Frame, Framer, Tolerated
from bridge.core.errors import BridgeError, Fault
from bridge.flows.receive import Inbound, Received
from workers.mllp.admission import TurnedAway, admit, common_name
from workers.mllp.door import Door
from workers.mllp.feed import FeedEvent
from workers.mllp.gathering import Outcome
from workers.mllp.rate import Bucket
from workers.mllp.reply import addresses, owed_nothing, put_off, refusal, replies
from workers.mllp.together import Together, messages_of

__all__ = ["Connection", "Message"]

SHED_FROM = 1024 * 1024
"""An unfinished frame below this is never dropped for want of memory: it is not the cause."""
DISCARD_REASONS = {
    "mllp-frame-bound": (
        Fault.SENDER,
        "the message is longer than this listener takes",
        "send it in parts, or ask the operator to raise the bound of frames",
    ),
    "mllp-frame-shed": (
        Fault.PEER,
        "this node has no memory left for messages of this size",
        "send the message again later",
    ),
}


class Message:
    """One message in the line of its connection; `reply` is None until it is settled."""

    __slots__ = ("arrived", "connection", "header", "inbound", "reply", "together")

    def __init__(
        self, connection: "Connection", header: Header, inbound: Inbound, arrived: float
    ) -> None:
        self.connection, self.inbound, self.arrived = connection, inbound, arrived
        self.together: Together | None = None
        self.header = header
        self.reply: bytes | None = None

    @property
    def unanswered(self) -> bool:
        """No answer is owed, so it is tried until it is stored."""
        return owed_nothing(self.header, enhanced=self.connection.enhanced)

    @property
    def line(self) -> object:
        """Messages of one connection are stored in order: none behind one that was not."""
        return self.connection

    def settle(self, outcome: Outcome) -> None:
        """Word the reply, and count."""
        reply = self.connection.worded(self, outcome)
        if self.together is not None:
            reply = self.together.gather(reply, stored=isinstance(outcome, Received))
        self.reply = reply

    def flush(self) -> None:
        """Let the connection write what is next in line."""
        self.connection.flush()


class Connection(asyncio.Protocol):
    """The protocol of one accepted socket; lives on the loop's thread.

    Reading stops while `unanswered` messages wait, while the peer does not read its answers,
    while it sends faster than it may, and for good once the connection is closing. Nothing that
    was read as a whole frame is dropped.
    """

    def __init__(self, door: Door) -> None:
        self.door, self.limits = door, door.listener.limits
        self.enhanced = door.listener.mode == "by-message"
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(frame_limit=self.limits.frame_bytes)
        self._transport: asyncio.Transport | None = None
        self._line: deque[Message] = deque()
        self._line_bytes = self._held = 0
        self._sender, self._peer = door.listener.sender, ""
        self._reading = True
        self._closing = self._draining = self._ended = False
        self._pipelines = self._deaf = False
        self._stranger = True  # no message of it was read
        self._blocked_since: float | None = None  # the peer does not read its answers
        self._frame_since: float | None = None
        self._active = self._loop.time()
        self._lull: asyncio.TimerHandle | None = None
        self._rate: asyncio.TimerHandle | None = None
        self._bucket: Bucket | None = None
        self._told: set[str] = set()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the peer, or let it go at once."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername") or ("", 0)
        self._peer = f"{address[0]}:{address[1]}"
        made_room = self.door.full and self.door.make_room()
        verdict = admit(
            self.door.listener,
            address=str(address[0]),
            client=common_name(transport.get_extra_info("ssl_object")),
            open_connections=len(self.door.connections) - made_room,
        )
        if isinstance(verdict, TurnedAway) or self.door.stopping:
            self.door.counters.connections_refused += 1
            self._tell(verdict.code if isinstance(verdict, TurnedAway) else "mllp-stopping")
            self.abort()
            return
        self._sender = verdict.sender
        if self.limits.messages_per_s:
            who = verdict.sender or str(address[0])
            per_s, now = self.limits.messages_per_s, self._loop.time()
            self._bucket = self.door.rates.of(who, per_s, now)
        self.door.connections.add(self)
        self.door.counters.connections += 1
        self.door.counters.connections_total += 1
        self._tell("mllp-connected")

    def data_received(self, data: bytes) -> None:
        """Read as many frames as may wait."""
        if self._draining or self._ended:
            return
        if self._lull is not None:
            self._lull.cancel()
            self._lull = None
        self._framer.receive(data)
        self._pump()

    def eof_received(self) -> bool:
        """The peer sends no more; what it sent is still answered."""
        if self._draining or self._ended:
            return False
        self._ended = True
        for event in self._framer.end():
            self._take(event)
        self.finish()
        return self._transport is not None and not self._transport.is_closing()

    def pause_writing(self) -> None:
        """The peer does not read its answers: nothing more is read from it."""
        self._blocked_since = self._loop.time()
        self._update_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._blocked_since = None
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what it sent whole is stored all the same."""
        del exc
        if self not in self.door.connections:
            return
        if self._framer.in_frame and not self._ended:
            self._tell("mllp-frame-unfinished", count=self._framer.buffered_bytes)
        self._closing = self._ended = True
        self._transport = None
        for timer in (self._lull, self._rate):
            if timer is not None:
                timer.cancel()
        self._line_bytes = 0
        self._hold()
        self.door.counters.connections -= 1
        self.door.counters.waiting -= len(self._line)
        self._line.clear()
        self.door.connections.discard(self)
        self._tell("mllp-disconnected")
        self.door.closed()

    # What the server and the committer call

    def finish(self) -> None:
        """Read no more from the socket, answer what was read whole, then close."""
        self._closing = True
        self._pump()

    def abort(self) -> None:
        """Close at once."""
        self._closing = self._ended = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def stranger_since(self) -> float | None:
        """When it came, while it has sent no message; None for a sender, or one that is leaving."""
        return self._active if self._stranger and not self._closing else None

    def give_way(self) -> None:
        """Close for want of places."""
        self._tell("mllp-gave-way")
        self.abort()

    def check(self, now: float) -> None:
        """Let go a peer that is over one of its times."""
        if self._transport is None or self._closing:
            return
        if self._blocked_since is not None and now - self._blocked_since > self.limits.frame_s:
            self._tell("mllp-answers-not-read", count=len(self._line))
            self.abort()
        elif self._frame_since is not None and now - self._frame_since > self.limits.frame_s:
            self._refuse_slow_frame()
        elif self._babbles and now - self._active > self.limits.frame_s:
            self._tell("mllp-no-frame", count=self._framer.skipped_bytes)
            self.finish()
        elif self._idle_s(now) > self.limits.idle_s:
            self._tell("mllp-idle")
            self.finish()
        elif not self._reading:
            self._pump()

    def _idle_s(self, now: float) -> float:
        """How long nothing was begun and nothing is owed; a begun frame has its own time."""
        return 0.0 if self._line or self._frame_since is not None else now - self._active

    @property
    def _babbles(self) -> bool:
        """What came so far is of another protocol."""
        return self._stranger and self._framer.skipped_bytes > 0

    def worded(self, message: Message, outcome: Outcome) -> bytes:
        """The reply to a settled message."""
        counters, at = self.door.counters, self.door.clock.now()
        counters.last_s = at.timestamp()
        if isinstance(outcome, Received):
            match outcome.status:
                case "stored":
                    counters.accepted += 1
                case "duplicate":
                    counters.duplicates += 1
                case "quarantined":
                    counters.refused += 1
            return replies(
                message.header,
                outcome,
                at=at,
                enhanced=self.enhanced,
                elsewhere=bool(self.door.listener.application_ack_to),
            )
        counters.unstored += 1
        reply = put_off(
            message.header,
            outcome,
            at=at,
            enhanced=self.enhanced,
            silent=self.door.listener.outage == "close",
        )
        if self._pipelines or not reply:
            self._hear_no_more()
        return reply

    def _hear_no_more(self) -> None:
        """What a pipelining sender sent behind a message that was put off is not taken.

        It would overtake the message that comes again. Closed, the connection tells the sender to
        send everything that is not acknowledged, in its order.
        """
        if not self._deaf:
            self._deaf = self._closing = True
            self._tell("mllp-line-broken", count=len(self._line))

    def flush(self) -> None:
        """Write the replies that are next, and read on if that made room."""
        if self._write() and (self._closing or not self._reading):
            self._pump()

    def _write(self) -> bool:
        """Write the replies at the head of the line, in order of arrival; False: there are none."""
        line, frames = self._line, []
        now, counters = self._loop.time(), self.door.counters
        while line and (reply := line[0].reply) is not None:
            message = line.popleft()
            frames.append(reply)
            self._line_bytes -= len(message.inbound.raw)
            counters.waiting -= 1
            counters.observe(now - message.arrived)
        if not frames or self._transport is None:
            return False
        self._active = now
        self._transport.write(b"".join(frames))
        self._hold()
        return True

    # Reading

    def _pump(self) -> None:
        """Take frames until the line is full or the bytes are used up; see to every bound."""
        self._fill()
        while self._write():  # refusals are settled at once and make room
            self._fill()
        self._hold()
        self._shed_if_memory_is_short()
        self._watch_frame()
        self._update_reading()
        if self._closing and not self._line:
            self._close()

    def _fill(self) -> None:
        try:
            while self._may_take() and (event := self._framer.next_event()) is not None:
                self._take(event)
        except BridgeError as refused:  # the peer does not speak MLLP
            self._tell(refused.code)
            self._closing = self._ended = True

    def _may_take(self) -> bool:
        """The line has room, and the peer reads and keeps its rate."""
        if self._ended or self._deaf or self._blocked_since is not None:
            return False
        waiting = len(self._line)
        if waiting >= self.limits.unanswered:
            return False
        if waiting and self._line_bytes >= self.limits.unanswered_bytes:
            return False
        return self._keeps_rate()

    def _take(self, event: Event) -> None:
        """Put a frame in line, or say what else was read."""
        match event:
            case Frame(payload=payload):
                self._frame_since = None
                self._submit(messages_of(payload))
            case Discarded():
                self._frame_since = None
                self._discarded(event)
            case Tolerated():
                if event.code == "mllp-frame-restarted":
                    self._frame_since = None
                self._tolerate(event.code, event.offset, event.count)

    def _submit(self, batch: Batch) -> None:
        """The messages of one frame, nearly always one."""
        together = Together(batch, self.door.clock) if len(batch.messages) > 1 else None
        for finding in batch.findings:
            self._tolerate(finding.code)
        for payload in batch.messages:
            message = self._enqueue(payload)
            message.together = together
            self.door.counters.received += 1
            self.door.counters.received_bytes += len(payload)
            self.door.committer.submit(message)

    def _tolerate(self, code: str, offset: int = 0, count: int = 0) -> None:
        """Count what was read otherwise than the protocol says, and log a habit once."""
        tolerated = self.door.counters.tolerated
        tolerated[code] = tolerated.get(code, 0) + 1
        if code not in self._told:
            self._told.add(code)
            self._tell(code, offset, count)

    def _enqueue(self, payload: bytes) -> Message:
        self.door.number += 1
        header, listener = read_header(payload), self.door.listener
        stored, refused = addresses(header, enhanced=self.enhanced, to=listener.application_ack_to)
        inbound = Inbound(
            raw=payload,
            feed=listener.feed,
            number=self.door.number,
            sender=self._sender,
            deliver_stored=stored,
            deliver_refused=refused,
        )
        message = Message(self, header, inbound, self._loop.time())
        self._stranger = False
        self._pipelines = self._pipelines or bool(self._line)
        self._line.append(message)
        self._line_bytes += len(payload)
        if self._bucket is not None:
            self._bucket.take()
        self.door.counters.waiting += 1
        return message

    def _discarded(self, event: Discarded) -> None:
        fault, what, do = DISCARD_REASONS[event.code]
        where = f"byte {event.offset} of the stream, {event.size} bytes"
        reason = BridgeError(event.code, fault, what=what, where=where, do=do)
        self._tell(event.code, event.offset, event.size)
        self._refuse(event.head, reason)

    def _refuse_slow_frame(self) -> None:
        """A frame that is not finished in time is answered, and its connection closed."""
        size = self._framer.buffered_bytes
        reason = BridgeError(
            "mllp-frame-timeout",
            Fault.SENDER,
            what=f"a message was not finished within {self.limits.frame_s:g} seconds",
            where=f"{size} bytes of it are here",
            do="send it again; look for a slow or broken line",
        )
        self._tell(reason.code, count=size)
        self._refuse(self._framer.head, reason)
        self._ended = self._closing = True
        self._pump()

    def _refuse(self, head: bytes, reason: BridgeError) -> None:
        """Put in line the answer to a message that was not kept."""
        self.door.counters.refused += 1
        message = self._enqueue(head)
        message.reply = refusal(
            message.header, reason, at=self.door.clock.now(), enhanced=self.enhanced
        )

    def _watch_frame(self) -> None:
        """Time an unfinished frame, and wait a moment for a CR that may never come."""
        if not self._framer.in_frame or self._ended or self._closing:
            self._frame_since = None
            return
        if self._frame_since is None:
            self._frame_since = self._loop.time()
        if self._framer.awaits_cr and self._lull is None:
            self._lull = self._loop.call_later(self.limits.lull_s, self._end_by_lull)

    def _end_by_lull(self) -> None:
        self._lull = None
        if not self._ended:
            for event in self._framer.lull():
                self._take(event)
            self._pump()

    def _update_reading(self) -> None:
        """Stop or start reading the socket."""
        if self._transport is None or self._draining or self._transport.is_closing():
            return
        may = not self._closing and self._may_take()
        if not may and self._bucket and not self._keeps_rate() and self._rate is None:
            self._rate = self._loop.call_later(1 / self._bucket.per_s, self._try_again)
        if may == self._reading:
            return
        self._reading = may
        if may:
            self._frame_since = self._loop.time() if self._framer.in_frame else None
            self._transport.resume_reading()
        else:
            self._frame_since = None  # a frame that we do not read is not late
            self._transport.pause_reading()

    def _try_again(self) -> None:
        self._rate = None
        if self._transport is not None:
            self._pump()

    def _keeps_rate(self) -> bool:
        return self._bucket is None or self._bucket.has_one(self._loop.time())

    # Bounds, closing, telling

    def _hold(self) -> None:
        """Keep the share of this connection in the process's memory up to date."""
        unfinished = 0 if self._transport is None else self._framer.buffered_bytes
        held = self._line_bytes + unfinished
        self.door.budget.held_bytes += held - self._held
        self._held = held

    def _shed_if_memory_is_short(self) -> None:
        if self.door.budget.exceeded and self._framer.buffered_bytes > SHED_FROM:
            self._framer.shed()
            self._hold()

    def _close(self) -> None:
        """Close our side first: closing with bytes unread would reset the answers on their way."""
        if self._transport is None or self._draining or self._transport.is_closing():
            return
        if not self._transport.can_write_eof() or self._ended:
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer is gone, and the loop has not heard of it yet
            self._transport.abort()
            return
        self._draining = True
        if not self._reading:
            self._transport.resume_reading()
        self._loop.call_later(self.limits.linger_s, self._transport.close)

    def _tell(self, code: str, offset: int = 0, count: int = 0) -> None:
        feed = self.door.listener.feed
        self.door.emit(FeedEvent(code=code, feed=feed, peer=self._peer, offset=offset, count=count))
