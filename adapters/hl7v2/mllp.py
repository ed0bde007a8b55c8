"""MLLP framing without a socket: bytes in; frames, named tolerances and bounded refusals out.

    frame = VT payload FS CR          VT 0x0B, FS 0x1C, CR 0x0D

Source: HL7 Version 3 Transport Specification: MLLP, Release 1 s2 (the block format of HL7 v2.5.1
Implementation Guide appendix C.4.2). The rules, all of them:

1. Between frames only VT means something; other bytes are skipped and counted.
2. A payload ends at FS CR. An FS before anything else is content, and reported.
3. FS VT and FS LF VT end a payload too: the sender forgot the CR, or wrote LF for it. So does an
   FS or FS LF that nothing follows: the shell calls `lull()` when it has waited long enough.
4. VT MSH inside a payload starts over: two messages are never read as one. The unfinished one
   was never acknowledged, so its sender still owns it.
5. A payload over the bound is counted, not kept, up to its end; the next frame is read as ever.

Invariant: the events depend on the bytes alone, never on how they were cut into pieces.
"""

from collections import deque
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault

__all__ = [
    "FRAME_LIMIT",
    "HEAD_SIZE",
    "Discarded",
    "Event",
    "Frame",
    "Framer",
    "Tolerated",
    "frame",
    "unframed",
]

VT, FS, CR, LF = b"\x0b", b"\x1c", b"\r", b"\n"
END, RESTART = FS + CR, VT + b"MSH"
ENDS_WITHOUT_CR = (FS + VT, FS + LF + VT)
LOOK_BACK = len(RESTART) - 1
"""Bytes at the end of what was read that may begin an ending."""

FRAME_LIMIT = 16 * 1024 * 1024
"""A payload in bytes. The largest messages seen in practice are an MDM or ORU with a scanned PDF
in OBX-5, about 10 MB of base64; the next power of two leaves room for the rest."""
NOISE_LIMIT = 64 * 1024
"""Bytes between two frames. Real senders leave a line end or padding of a block; a peer that sends
64 KiB without one VT does not speak MLLP."""
HEAD_SIZE = 4096
"""How much of a discarded payload is kept: any real MSH, to name its sender in the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One whole payload; `offset` is that of its VT in the stream."""

    payload: bytes
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerated:
    """A deviation that lost no acknowledged message.

    Codes: `mllp-bytes-between-frames`, `mllp-cr-missing`, `mllp-fs-in-payload`,
    `mllp-frame-restarted`, `mllp-frame-unfinished`.
    """

    code: str
    offset: int
    """Of the first byte concerned, from the start of the stream."""
    count: int
    """How many bytes are concerned; 0 when one is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A payload that was read to its end and not kept.

    Codes: `mllp-frame-bound` (longer than the bound), `mllp-frame-shed` (`shed()` was called).
    """

    code: str
    head: bytes
    """The first `HEAD_SIZE` bytes at most."""
    offset: int
    size: int


Event = Frame | Tolerated | Discarded


def frame(payload: bytes) -> bytes:
    """The payload as one frame: the inverse of reading it, for a payload without VT and FS."""
    return b"\x0b%b\x1c\r" % payload


def unframed(frames: bytes) -> list[bytes]:
    """The payloads of frames that `frame` made."""
    return [one.removeprefix(VT) for one in frames.split(END) if one]


class Framer:
    """Reads one direction of one connection. Feed it, then take events until None.

    Args:
        frame_limit: security limit: bytes of a payload that are kept; longer ones are discarded.
        noise_limit: security limit: bytes between two frames before the peer is given up.
    """

    def __init__(self, *, frame_limit: int = FRAME_LIMIT, noise_limit: int = NOISE_LIMIT) -> None:
        self._frame_limit, self._noise_limit = frame_limit, noise_limit
        self._ready: deque[Event] = deque()
        self._buffer: bytes | bytearray = b""
        self._base = 0  # offset in the stream of the first byte of the buffer
        self._at = 0  # index of the first byte that is not consumed
        self._scan = 0  # index from which an ending is still to be looked for
        self._in_frame = False
        self._offset = 0  # in the stream, of the VT of this frame or of the first byte of noise
        self._noise = 0
        self._dropped = 0  # bytes of this payload that are already gone
        self._head = b""
        self._shed = False

    @property
    def in_frame(self) -> bool:
        """A VT was read and its ending was not."""
        return self._in_frame

    @property
    def skipped_bytes(self) -> int:
        """Bytes behind the last frame that begin none."""
        return self._noise

    @property
    def awaits_cr(self) -> bool:
        """All that was read ends with what may be the end: call `lull()` if nothing comes."""
        return self._in_frame and self._buffer.endswith((FS, FS + LF), self._at)

    @property
    def buffered_bytes(self) -> int:
        """Memory that the unfinished payload holds."""
        return len(self._buffer) - self._at

    @property
    def head(self) -> bytes:
        """The first bytes of the unfinished payload, for a refusal; empty between frames."""
        if not self._in_frame:
            return b""
        return self._head or bytes(self._buffer[self._at : self._at + HEAD_SIZE])

    def feed(self, data: bytes) -> tuple[Event, ...]:
        """Take bytes and give every event that they complete; a shell prefers `receive`.

        Raises:
            BridgeError: `mllp-noise-bound`; the peer does not speak MLLP and should be let go.
        """
        self.receive(data)
        return self._drain()

    def receive(self, data: bytes) -> None:
        """Take bytes; `next_event` reads them. For a shell that must stop in mid-chunk."""
        if self._at == len(self._buffer):
            self._forget(self._at)
            self._buffer = data
            return
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        if self._at > len(self._buffer) // 2:  # not at every frame: it moves what is left
            self._forget(self._at)
        self._buffer += data

    def next_event(self) -> Event | None:
        """The next event in stream order, or None: more bytes are needed.

        Raises:
            BridgeError: `mllp-noise-bound`.
        """
        while not self._ready:
            if not (self._read_payload() if self._in_frame else self._read_gap()):
                return None
        return self._ready.popleft()

    def lull(self) -> tuple[Event, ...]:
        """Nothing came for a while: an FS at the end of what was read ends its frame."""
        events = self._drain()
        if self.awaits_cr:
            self._finish(self._buffer.rindex(FS), ending=FS)
        return events + self._drain()

    def end(self) -> tuple[Event, ...]:
        """The peer closed: what a lull would end is ended, what is unfinished is reported."""
        events = self.lull()
        if self._in_frame:
            size = self._dropped + len(self._buffer) - self._at
            self._ready.append(
                Tolerated(code="mllp-frame-unfinished", offset=self._offset, count=size)
            )
        self._report_noise()
        self._in_frame = False
        self._forget(len(self._buffer))
        return events + self._drain()

    def shed(self) -> None:
        """Stop keeping the unfinished payload: it will end as `Discarded`. Frees its memory."""
        if self._in_frame and not self._shed:
            self._shed = True
            self._discard()

    def _drain(self) -> tuple[Event, ...]:
        return tuple(iter(self.next_event, None))

    def _read_gap(self) -> bool:
        """Rule 1. True when a frame began."""
        start = self._buffer.find(VT, self._at)
        stop = len(self._buffer) if start < 0 else start
        if stop > self._at:
            self._count_noise(stop - self._at)
        self._at = stop
        if start < 0:
            return False
        self._report_noise()
        self._offset = self._base + start
        self._at = self._scan = start + 1
        self._in_frame, self._dropped, self._head, self._shed = True, 0, b"", False
        return True

    def _read_payload(self) -> bool:
        """Rules 2 to 5. True when the payload ended, in whatever way."""
        buffer, scan = self._buffer, self._scan
        end = buffer.find(END, scan)
        stop = len(buffer) if end < 0 else end
        without_cr = -1
        for ending in ENDS_WITHOUT_CR:
            found = buffer.find(ending, scan, stop)
            if found >= 0:
                stop = without_cr = found
        restart = buffer.find(RESTART, scan, stop)
        if restart >= 0:
            self._finish(restart, ending=RESTART)
        elif without_cr >= 0:
            self._finish(without_cr, ending=FS)
        elif end >= 0:
            self._finish(end, ending=END)
        else:
            self._scan = max(self._at, len(buffer) - LOOK_BACK)
            if self._shed or len(buffer) - self._at > self._frame_limit + LOOK_BACK:
                self._discard()
            return False
        return True

    def _finish(self, end: int, *, ending: bytes) -> None:
        """The payload stops before `end`; say what it was, and stand behind its ending."""
        size = self._dropped + end - self._at
        if size > self._frame_limit or self._shed:
            code = "mllp-frame-bound" if size > self._frame_limit else "mllp-frame-shed"
            head = self._head + self._buffer[self._at : min(end, self._at + HEAD_SIZE)]
            self._ready.append(
                Discarded(code=code, head=head[:HEAD_SIZE], offset=self._offset, size=size)
            )
        elif ending == RESTART:
            self._ready.append(
                Tolerated(code="mllp-frame-restarted", offset=self._offset, count=size)
            )
        else:
            self._deliver(bytes(self._buffer[self._at : end]))
        if ending == FS:
            self._ready.append(
                Tolerated(code="mllp-cr-missing", offset=self._base + end + 1, count=0)
            )
        self._in_frame = False
        self._at = end if ending == RESTART else end + len(ending)

    def _deliver(self, payload: bytes) -> None:
        separators = payload.count(FS)
        if separators:
            at = self._offset + 1 + payload.index(FS)
            self._ready.append(Tolerated(code="mllp-fs-in-payload", offset=at, count=separators))
        self._ready.append(Frame(payload=payload, offset=self._offset))

    def _discard(self) -> None:
        """Keep the head of the payload, and of the rest only what may begin an ending."""
        keep = max(self._at, len(self._buffer) - LOOK_BACK)
        if len(self._head) < HEAD_SIZE:
            fresh = self._buffer[self._at : min(keep, self._at + HEAD_SIZE)]
            self._head = (self._head + fresh)[:HEAD_SIZE]
        self._dropped += keep - self._at
        self._at = self._scan = keep
        self._forget(keep)

    def _forget(self, size: int) -> None:
        """Let go of the first bytes of the buffer; every index moves."""
        self._base += size
        if isinstance(self._buffer, bytearray) and size < len(self._buffer):
            del self._buffer[:size]
        else:
            self._buffer = bytes(self._buffer[size:])
        self._at -= size
        self._scan -= size

    def _count_noise(self, size: int) -> None:
        if not self._noise:
            self._offset = self._base + self._at
        self._noise += size
        if self._noise > self._noise_limit:
            raise BridgeError(
                "mllp-noise-bound",
                Fault.SENDER,
                what=f"more than {self._noise_limit} bytes came without the start of a frame",
                where=f"byte {self._offset} of the stream",
                do="send each message as VT message FS CR; is this the right port?",
            )

    def _report_noise(self) -> None:
        if self._noise:
            self._ready.append(
                Tolerated(code="mllp-bytes-between-frames", offset=self._offset, count=self._noise)
            )
        self._noise = 0
