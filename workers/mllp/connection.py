"""One MLLP connection: reads frames while it may, answers in arrival order, keeps its bounds."""

import asyncio
from typing import cast

from adapters.hl7v2.batch import Batch
from adapters.hl7v2.mllp import Discarded, Event, Frame, Framer, Tolerated
from bridge.core.errors import BridgeError
from workers.mllp.admission import Admitted, TurnedAway, admit, common_name
from workers.mllp.door import Door
from workers.mllp.feed import FeedEvent
from workers.mllp.line import Line, Message
from workers.mllp.rate import Bucket
from workers.mllp.reply import discarded, late
from workers.mllp.together import Together, messages_of

__all__ = ["Connection"]

SHED_FROM = 1024 * 1024
"""An unfinished frame below this is never dropped for want of memory: it is not the cause."""


class Connection(asyncio.Protocol):
    """The protocol of one accepted socket; lives on the loop's thread.

    Reading stops while `unanswered` messages wait, while the peer does not read its answers,
    while it sends faster than it may, and for good once the connection is closing. Nothing that
    was read as a whole frame is dropped.
    """

    def __init__(self, door: Door) -> None:
        self.door, self.limits = door, door.listener.limits
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(frame_limit=self.limits.frame_bytes)
        self._transport: asyncio.Transport | None = None
        self._line, self._held = Line(door.counters), 0
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
        client = common_name(transport.get_extra_info("ssl_object"))
        verdict = self._judged(str(address[0]), client)
        if isinstance(verdict, TurnedAway):
            self.door.counters.connections_refused += 1
            self._tell(verdict.code)
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
        self._line.clear()
        self._hold()
        self.door.counters.connections -= 1
        self.door.connections.discard(self)
        self._tell("mllp-disconnected")
        self.door.closed()

    def _judged(self, address: str, client: str) -> Admitted | TurnedAway:
        """A place is made only for somebody who may come in."""
        if self.door.stopping:
            return TurnedAway(code="mllp-stopping")
        verdict = admit(self.door.listener, address=address, client=client)
        if isinstance(verdict, Admitted) and self.door.full and not self.door.make_room():
            return TurnedAway(code="mllp-too-many-connections")
        return verdict

    # What the server, the committer and messages call

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

    def put_off(self, *, answered: bool) -> None:
        """What a pipelining sender sent behind a message that was put off is not taken.

        It would overtake the message that comes again. Closed, the connection tells the sender to
        send everything that is not acknowledged, in its order; so it does where no answer says it.
        """
        if (self._pipelines or not answered) and not self._deaf:
            self._deaf = self._closing = True
            self._tell("mllp-line-broken", count=len(self._line))

    def flush(self) -> None:
        """Write the replies that are next, and read on if that made room."""
        if self._write() and (self._closing or not self._reading):
            self._pump()

    def _write(self) -> bool:
        """Write the replies at the head of the line, in order of arrival; False: there are none."""
        now = self._loop.time()
        frames = self._line.answered(now)
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
        return self._line.has_room(self.limits) and self._keeps_rate()

    def _take(self, event: Event) -> None:
        """Put a frame in line, or say what else was read."""
        match event:
            case Frame(payload=payload):
                self._frame_since = None
                self._submit(messages_of(payload))
            case Discarded():
                self._frame_since = None
                self._tell(event.code, event.offset, event.size)
                self._enqueue(event.head).refuse(discarded(event))
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
            message = self._enqueue(payload, together)
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

    def _enqueue(self, payload: bytes, together: Together | None = None) -> Message:
        now = self._loop.time()
        message = Message(self, payload, sender=self._sender, arrived=now, together=together)
        self._stranger = False
        self._pipelines = self._pipelines or bool(self._line)
        self._line.add(message)
        if self._bucket is not None:
            self._bucket.take()
        return message

    def _refuse_slow_frame(self) -> None:
        """A frame that is not finished in time is answered, and its connection closed."""
        reason = late(self.limits.frame_s, self._framer.buffered_bytes)
        self._tell(reason.code, count=self._framer.buffered_bytes)
        self._enqueue(self._framer.head).refuse(reason)
        self._ended = self._closing = True
        self._pump()

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
        held = self._line.size_bytes + unfinished
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
