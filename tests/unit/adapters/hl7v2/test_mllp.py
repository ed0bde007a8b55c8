"""The framer: whole or byte by byte, the same events; everything a stranger sends is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.mllp import (
    HEAD_SIZE,
    Discarded,
    Event,
    Frame,
    Framer,
    Tolerated,
    frame,
)
from bridge.core.errors import BridgeError

MESSAGE = b"MSH|^~\\&|LAB|HOSP|||20261122||ORU^R01|1|P|2.5.1\rPID|1||42\r"
PIECES = [
    b"\x0b",
    b"\x1c",
    b"\r",
    b"\x1c\r",
    b"\x1c\n",
    b"\x0bMSH",
    b"MSH",
    b"M",
    b"S",
    b"H",
    b"x",
    b"\0",
    b"\n",
    MESSAGE,
    frame(MESSAGE),
]


def whole(data: bytes, framer: Framer | None = None) -> list[Event]:
    """All events when everything arrives at once."""
    framer = framer or Framer()
    return [*framer.feed(data), *framer.end()]


def byte_by_byte(data: bytes, framer: Framer | None = None) -> list[Event]:
    """All events when each byte arrives alone."""
    framer = framer or Framer()
    events = [event for i in range(len(data)) for event in framer.feed(data[i : i + 1])]
    return [*events, *framer.end()]


STREAMS = [
    pytest.param(frame(MESSAGE), [Frame(payload=MESSAGE, offset=0)], id="one-frame"),
    pytest.param(
        frame(b"MSH|1") + frame(b"MSH|2"),
        [Frame(payload=b"MSH|1", offset=0), Frame(payload=b"MSH|2", offset=8)],
        id="two-messages-in-one-segment",
    ),
    pytest.param(frame(b""), [Frame(payload=b"", offset=0)], id="empty-payload"),
    pytest.param(
        frame(b"MSH|1") + b"\0\0\0" + frame(b"MSH|2"),
        [
            Frame(payload=b"MSH|1", offset=0),
            Tolerated(code="mllp-bytes-between-frames", offset=8, count=3),
            Frame(payload=b"MSH|2", offset=11),
        ],
        id="NULs-between-frames",
    ),
    pytest.param(
        frame(b"MSH|1") + b"\r\n",
        [
            Frame(payload=b"MSH|1", offset=0),
            Tolerated(code="mllp-bytes-between-frames", offset=8, count=2),
        ],
        id="line-end-after-the-last-frame",
    ),
    pytest.param(
        frame(b"MSH|a\x1cb\x1cc"),
        [
            Tolerated(code="mllp-fs-in-payload", offset=6, count=2),
            Frame(payload=b"MSH|a\x1cb\x1cc", offset=0),
        ],
        id="FS-in-payload",
    ),
    pytest.param(
        b"\x0bMSH|1\x1c\x0bMSH|2\x1c\r",
        [
            Frame(payload=b"MSH|1", offset=0),
            Tolerated(code="mllp-cr-missing", offset=7, count=0),
            Frame(payload=b"MSH|2", offset=7),
        ],
        id="CR-missing-before-the-next-frame",
    ),
    pytest.param(
        b"\x0bMSH|1\x1c",
        [
            Frame(payload=b"MSH|1", offset=0),
            Tolerated(code="mllp-cr-missing", offset=7, count=0),
        ],
        id="CR-missing-at-the-close",
    ),
    pytest.param(
        b"\x0bMSH|1\x1c\n\x0bMSH|2\x1c\n",
        [
            Frame(payload=b"MSH|1", offset=0),
            Tolerated(code="mllp-cr-missing", offset=7, count=0),
            Tolerated(code="mllp-bytes-between-frames", offset=7, count=1),
            Frame(payload=b"MSH|2", offset=8),
            Tolerated(code="mllp-cr-missing", offset=15, count=0),
            Tolerated(code="mllp-bytes-between-frames", offset=15, count=1),
        ],
        id="LF-where-CR-is-meant",
    ),
    pytest.param(
        frame(b"MSH|1\nOBX|\x1c\nZZZ"),
        [
            Tolerated(code="mllp-fs-in-payload", offset=11, count=1),
            Frame(payload=b"MSH|1\nOBX|\x1c\nZZZ", offset=0),
        ],
        id="FS-LF-in-payload",
    ),
    pytest.param(
        b"\x0bMSH|half\rPID|1" + frame(MESSAGE),
        [
            Tolerated(code="mllp-frame-restarted", offset=0, count=14),
            Frame(payload=MESSAGE, offset=15),
        ],
        id="message-begins-inside-an-unfinished-one",
    ),
    pytest.param(
        b"\x0bMSH|1",
        [Tolerated(code="mllp-frame-unfinished", offset=0, count=5)],
        id="closed-in-mid-frame",
    ),
    pytest.param(
        frame(b"MSH|a\x0bb"), [Frame(payload=b"MSH|a\x0bb", offset=0)], id="VT-that-starts-nothing"
    ),
    pytest.param(b"", [], id="nothing"),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS)
def test_stream_gives_the_same_events_whole_and_byte_by_byte(
    stream: bytes, events: list[Event]
) -> None:
    """A stream's events depend on its bytes alone, never on how they were cut into pieces."""
    assert whole(stream) == events
    assert byte_by_byte(stream) == events


@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12),
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_events_never_depend_on_the_cuts(parts: list[bytes], sizes: list[int]) -> None:
    """Any stream, cut anywhere, gives the events of the same stream in one piece."""
    stream, at = b"".join(parts), 0
    cut = Framer(frame_limit=20)
    events: list[Event] = []

    for step in range(len(stream)):
        size = sizes[step % len(sizes)]
        events += cut.feed(stream[at : at + size])
        at += size
    events += cut.end()

    assert events == whole(stream, Framer(frame_limit=20))
    assert events == byte_by_byte(stream, Framer(frame_limit=20))


@given(st.lists(st.binary(max_size=60).filter(lambda p: not {11, 28} & {*p}), max_size=6))
def test_framing_and_reading_are_inverse(payloads: list[bytes]) -> None:
    """What `frame` wrote is read back, for every payload without VT and FS."""
    stream = b"".join(map(frame, payloads))

    assert [e.payload for e in whole(stream) if isinstance(e, Frame)] == payloads


@pytest.mark.parametrize("cut", range(1, len(frame(MESSAGE)) - 1))
def test_frame_cut_at_any_byte_is_never_delivered(cut: int) -> None:
    """A peer that dies before the FS leaves a report and no message, wherever it died."""
    events = whole(frame(MESSAGE)[:cut])

    if cut == len(frame(MESSAGE)) - 1:
        assert events[0] == Frame(payload=MESSAGE, offset=0)
    else:
        assert events == [Tolerated(code="mllp-frame-unfinished", offset=0, count=cut - 1)]


@pytest.mark.parametrize("ending", [b"\x1c", b"\x1c\n"])
def test_fs_at_the_end_waits_for_the_lull(ending: bytes) -> None:
    """A sender that never writes the CR is answered after a pause, not after its next message."""
    framer = Framer()

    before = framer.feed(b"\x0bMSH|1" + ending)
    waits = framer.awaits_cr
    after = framer.lull()

    assert (before, waits) == ((), True)
    assert after == (
        Frame(payload=b"MSH|1", offset=0),
        Tolerated(code="mllp-cr-missing", offset=7, count=0),
    )
    assert not framer.in_frame


def test_lull_in_mid_payload_ends_nothing() -> None:
    """A slow sender is not a finished one."""
    framer = Framer()
    framer.feed(b"\x0bMSH|1")

    assert framer.lull() == ()
    assert framer.feed(b"\x1c\r") == (Frame(payload=b"MSH|1", offset=0),)


@pytest.mark.parametrize("size", [64 * 1024, 1024 * 1024, 16 * 1024 * 1024])
def test_frame_up_to_the_bound_is_delivered(size: int) -> None:
    """64 KiB, 1 MiB and 16 MiB exactly are all one frame."""
    payload = b"MSH|" + b"x" * (size - 4)

    assert Framer().feed(frame(payload)) == (Frame(payload=payload, offset=0),)


def test_frame_one_byte_over_the_bound_is_discarded_and_the_next_one_read() -> None:
    """16 MiB + 1 is refused by name and size, and the feed lives on."""
    size = 16 * 1024 * 1024 + 1
    framer = Framer()

    events = framer.feed(frame(b"MSH|" + b"x" * (size - 4)) + frame(MESSAGE))

    assert events == (
        Discarded(
            code="mllp-frame-bound",
            head=b"MSH|" + b"x" * (HEAD_SIZE - 4),
            offset=0,
            size=size,
        ),
        Frame(payload=MESSAGE, offset=size + 3),
    )


def test_frame_over_the_bound_is_not_buffered() -> None:
    """A frame without end costs a stranger bandwidth and us nothing."""
    framer = Framer(frame_limit=100_000)
    held = 0

    framer.feed(b"\x0b" + MESSAGE)
    for _ in range(64):
        framer.feed(b"x" * 65_536)
        held = max(held, framer.buffered_bytes)
    events = framer.feed(b"\x1c\r" + frame(b"MSH|2"))

    assert held <= 100_000
    assert events[0] == Discarded(
        code="mllp-frame-bound",
        head=(MESSAGE + b"x" * HEAD_SIZE)[:HEAD_SIZE],
        offset=0,
        size=len(MESSAGE) + 64 * 65_536,
    )
    assert events[1:] == (Frame(payload=b"MSH|2", offset=1 + events[0].size + 2),)


def test_shed_frame_frees_its_memory_and_is_reported_at_its_end() -> None:
    """When memory is short the shell drops a frame of lawful size, and the sender hears of it."""
    framer = Framer()
    framer.feed(b"\x0b" + MESSAGE)

    framer.shed()
    held = framer.buffered_bytes
    events = framer.feed(b"OBX|1\x1c\r" + frame(b"MSH|2"))

    assert held <= 3
    assert events == (
        Discarded(code="mllp-frame-shed", head=MESSAGE + b"OBX|1", offset=0, size=len(MESSAGE) + 5),
        Frame(payload=b"MSH|2", offset=len(MESSAGE) + 8),
    )


def test_shed_between_frames_does_nothing() -> None:
    """There is nothing to drop between frames."""
    framer = Framer()

    framer.shed()

    assert framer.feed(frame(b"MSH|1")) == (Frame(payload=b"MSH|1", offset=0),)


def test_head_of_an_unfinished_frame_can_be_read() -> None:
    """A refusal of a frame that never ended can still name its sender and control id."""
    framer = Framer(frame_limit=10)
    heads = [framer.head]

    for data in (b"\x0b" + MESSAGE[:8], MESSAGE[8:], b"rest"):
        framer.feed(data)
        heads.append(framer.head)

    assert heads[:2] == [b"", MESSAGE[:8]]
    assert heads[2].startswith(MESSAGE[:-3])


@pytest.mark.parametrize("step", [1, 7, 65_537])
def test_peer_that_does_not_speak_mllp_is_given_up(step: int) -> None:
    """A scanner or a stray HTTP client cannot keep a connection for ever by talking nonsense."""
    framer, noise = Framer(), b"G" * (64 * 1024 + 1)

    with pytest.raises(BridgeError) as refusal:
        [framer.feed(noise[at : at + step]) for at in range(0, len(noise), step)]

    assert str(refusal.value) == (
        "more than 65536 bytes came without the start of a frame (byte 0 of the stream)"
        " - send each message as VT message FS CR; is this the right port?"
    )


def test_payload_full_of_separators_is_read_once() -> None:
    """A megabyte of FS in small pieces costs one pass, not one pass a byte."""
    framer, payload = Framer(), b"\x1c" * (1024 * 1024)

    framer.feed(b"\x0b")
    for at in range(0, len(payload), 512):
        assert framer.feed(payload[at : at + 512]) == ()
    events = framer.feed(b"x\x1c\r")

    assert events == (
        Tolerated(code="mllp-fs-in-payload", offset=1, count=len(payload)),
        Frame(payload=payload + b"x", offset=0),
    )


def test_events_are_taken_one_at_a_time() -> None:
    """A shell at its high-water mark leaves the rest of a chunk unread."""
    framer = Framer()

    framer.receive(frame(b"MSH|1") + frame(b"MSH|2") + b"\x0bMSH")
    first = framer.next_event()
    framer.receive(b"|3\x1c\r")
    rest = framer.feed(b"")

    assert first == Frame(payload=b"MSH|1", offset=0)
    assert rest == (Frame(payload=b"MSH|2", offset=8), Frame(payload=b"MSH|3", offset=16))
