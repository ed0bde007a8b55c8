"""Everything a stranger may send: each gets a clear answer and costs no other feed anything."""

import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import pytest

from adapters.hl7v2.mllp import frame
from tests.fakes.feed import adt
from tests.neighbour import Neighbour
from tests.served_mllp import Served, code_of, eventually, quick_limits
from workers.mllp import Listener

Serve = Callable[..., Served]
MIB = 1024 * 1024


@pytest.fixture
def served(serve: Serve) -> Iterator[Served]:
    """A server under attack, with a neighbour that must not notice: no error, no wait of 2 s."""
    limits = quick_limits(frame_s=1.0, idle_s=1.0)
    node = serve(
        Listener(feed="attacked", host="127.0.0.1", port=0, limits=limits),
        Listener(feed="neighbour", host="127.0.0.1", port=0, limits=quick_limits()),
    )
    neighbour = Neighbour(node.server.addresses[1][1])
    yield node
    before = neighbour.answered
    eventually(lambda: neighbour.answered > before + 3)
    neighbour.leave()
    assert neighbour.codes == {"AA"}
    assert neighbour.slowest_s < 2


def kept(served: Served) -> list[bytes]:
    """What came over the attacked listener and is stored."""
    return [raw for raw in served.feed.kept if b"|N" not in raw[:70]]


def test_NULs_between_frames_are_skipped_and_reported_once(served: Served) -> None:  # noqa: N802 - the character's name
    """Padding between messages costs a count, not a log line each."""
    with served.client() as client:
        client.send(b"".join(b"\0\0" + frame(adt(str(n))) for n in range(20)))
        answers = client.answers(20)

    assert [code_of(a) for a in answers] == [f"AA {n}" for n in range(20)]
    assert served.counters.tolerated == {"mllp-bytes-between-frames": 20}
    assert [e.code for e in served.events].count("mllp-bytes-between-frames") == 1


def test_FS_inside_the_payload_is_content(served: Served) -> None:  # noqa: N802 - the character's name
    """The message is taken whole and judged by the dialect."""
    raw = adt("1", extra=b"NTE|1||a\x1cb\r")

    with served.client() as client:
        answer = client.ask(raw)

    assert code_of(answer) == "AA 1"
    assert kept(served) == [raw]


def test_frame_cut_at_every_byte_is_never_stored(served: Served) -> None:
    """A sender that dies in mid-frame owns its message still; the next connection works."""
    whole = frame(adt("1"))

    for cut in range(1, len(whole) - 1, 3):
        with served.client() as client:
            client.send(whole[:cut])
    with served.client() as client:
        answer = client.ask(adt("2"))

    assert code_of(answer) == "AA 2"
    assert kept(served) == [adt("2")]
    assert "mllp-frame-unfinished" in served.codes


def test_frame_that_arrives_byte_by_byte_is_one_message(served: Served) -> None:
    """How the network cuts a message changes nothing."""
    with served.client() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(adt("1")):
            client.send(bytes((byte,)))
        answer = client.answer()

    assert code_of(answer) == "AA 1"


def test_two_messages_in_one_segment_are_two(served: Served) -> None:
    """One write, two answers."""
    with served.client() as client:
        client.send(frame(adt("1")) + frame(adt("2")))

        assert [code_of(a) for a in client.answers(2)] == ["AA 1", "AA 2"]


def test_missing_CR_is_answered_after_a_moment(served: Served) -> None:  # noqa: N802 - the character's name
    """A lock-step sender that never writes the CR does not wait for ever."""
    with served.client() as client:
        client.send(b"\x0b" + adt("1") + b"\x1c")
        first = client.answer()
        client.send(b"\x0b" + adt("2") + b"\x1c\n")
        second = client.answer()

    assert [code_of(a) for a in (first, second)] == ["AA 1", "AA 2"]
    assert served.counters.tolerated["mllp-cr-missing"] == 2


def test_message_after_the_close_is_not_stored(served: Served) -> None:
    """A peer that closed its side gets its answers, and nothing after its end counts."""
    with served.client() as client:
        client.send(frame(adt("1")) + b"\x0bMSH|half")
        client.socket.shutdown(socket.SHUT_WR)

        assert code_of(client.answer()) == "AA 1"
        assert client.is_closed()
    assert kept(served) == [adt("1")]


def test_half_open_connection_is_let_go(served: Served) -> None:
    """Who sends nothing is closed after the idle time."""
    with served.client() as client:
        assert client.is_closed()

    assert "mllp-idle" in served.codes


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's table of connections")
def test_peer_that_vanished_is_asked_for_by_the_system(serve: Serve) -> None:
    """Without a word from it a minute long, so that its place is free after two."""
    served = serve()

    with served.client() as client:
        client.ask(adt("1"))

        assert 45 < keepalive_s(served.port, client.socket.getsockname()[1]) <= 60


def keepalive_s(port: int, peer: int) -> float:
    """Until the server's end of a connection is asked whether it lives: proc(5), /proc/net/tcp."""
    ends = f":{port:04X}", f":{peer:04X}"
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, _, timer, *_ = row.split()
        if (local[-5:], remote[-5:]) == ends:
            kind, _, ticks = timer.partition(":")
            assert kind == "02", "the timer that runs is not that of keep-alive"
            return int(ticks, 16) / os.sysconf("SC_CLK_TCK")
    pytest.fail("there is no such connection")


def test_port_scan_costs_nothing(served: Served) -> None:
    """Connections that come and go, with a reset or in order, leave nothing open."""
    for number in range(60):
        client = served.client()
        if number % 2:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()

    eventually(lambda: served.counters.connections_total == 60 and not served.counters.connections)


def test_peer_that_speaks_another_protocol_is_let_go(served: Served) -> None:
    """64 KiB without a frame are not MLLP."""
    with served.client() as client:
        client.send(b"GET / HTTP/1.1\r\n" * 4200)
        assert client.is_closed()

    assert "mllp-noise-bound" in served.codes


@pytest.mark.parametrize(
    "hello",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: hl7\r\n\r\n", id="HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"A" * 200, id="TLS"),
        pytest.param(b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", id="PROXY"),
    ],
)
def test_peer_that_waits_for_an_answer_of_another_protocol_is_let_go(
    served: Served, hello: bytes
) -> None:
    """After the time of a frame, not after that of a quiet line; the log says what it was."""
    with served.client() as client:
        client.send(hello)

        assert client.is_closed()
    assert "mllp-no-frame" in served.codes


def test_greeting_before_the_first_frame_costs_nothing(served: Served) -> None:
    """A balancer's PROXY line is skipped, and the line ends of a sender never count against it."""
    with served.client() as client:
        client.send(b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n" + frame(adt("1")) + b"\n")
        codes = [code_of(client.answer())]
        client.send(frame(adt("2")))
        codes.append(code_of(client.answer()))

    assert codes == ["AA 1", "AA 2"]
    assert "mllp-no-frame" not in served.codes


@pytest.mark.parametrize("size", [64 * 1024, MIB, 10 * MIB])
def test_large_message_is_taken_whole(served: Served, size: int) -> None:
    """64 KiB, 1 MiB, and 10 MB of base64 in OBX-5 arrive byte for byte."""
    raw = adt("1", extra=b"OBX|1|ED|PDF||^^^Base64^" + b"QUJD" * (size // 4) + b"\r")

    with served.client() as client:
        answer = client.ask(raw)

    assert code_of(answer) == "AA 1"
    assert kept(served) == [raw]


def test_message_over_the_bound_is_refused_by_name_and_the_connection_lives(
    served: Served,
) -> None:
    """16 MiB + 1 gets AE with the control id; the next message on the line is accepted."""
    raw = adt("1")
    raw += b"x" * (16 * MIB + 1 - len(raw))

    with served.client() as client:
        refused = client.ask(raw)
        accepted = client.ask(adt("2"))

    assert [code_of(a) for a in (refused, accepted)] == ["AE 1", "AA 2"]
    assert b"the message is longer than this listener takes" in refused
    assert b"16777217 bytes" in refused
    assert served.counters.refused == 1


def test_frame_that_never_ends_in_time_is_refused_and_closed(served: Served) -> None:
    """A slow loris is answered once and let go."""
    with served.client() as client:
        client.send(b"\x0b" + adt("1"))

        assert code_of(client.answer()) == "AE 1"
        assert client.is_closed()
    assert "mllp-frame-timeout" in served.codes
    assert kept(served) == []


def test_peer_that_trickles_is_not_kept_alive_by_it(served: Served) -> None:
    """A byte now and then inside a frame does not start its time anew."""
    with served.client() as client:
        client.send(b"\x0b" + adt("1"))
        for _ in range(4):
            time.sleep(0.2)
            client.send(b"x")

        assert code_of(client.answer()) == "AE 1"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"MSH", id="three-bytes"),
        pytest.param(b"PID|1\r", id="no-MSH"),
        pytest.param(b"MSHaaaaa\r", id="delimiters-are-letters"),
        pytest.param(b"MSH|^^^^|BAD\r", id="delimiters-repeated"),
        pytest.param(b"\xff\xfe\x00\x01" * 100, id="not-text"),
    ],
)
def test_payload_that_is_not_HL7_is_kept_and_refused(served: Served, raw: bytes) -> None:  # noqa: N802 - the standard's name
    """AE, the bytes in quarantine, and the connection lives."""
    with served.client() as client:
        refused = client.ask(raw)
        accepted = client.ask(adt("2"))

    assert (code_of(refused), code_of(accepted)) == ("AE ", "AA 2")
    assert raw in served.feed.kept


def test_one_bad_message_never_fails_its_neighbours(served: Served) -> None:
    """A message that breaks the storage of its group is refused; the others are stored."""
    served.feed.crash_on = b"|poison|"

    with served.client() as client:
        client.send(b"".join(frame(adt(name)) for name in ("a", "poison", "b")))
        answers = client.answers(3)

    assert [code_of(a) for a in answers] == ["AA a", "AE poison", "AA b"]
    assert b"this node failed while it stored the message" in answers[1]


def test_peer_that_does_not_read_its_answers_is_not_read_either(served: Served) -> None:
    """Its answers do not pile up here; in the end it is let go."""
    stuck = served.client(receive_buffer=4096)
    stuck.socket.settimeout(0.5)
    try:
        while True:
            stuck.send(frame(b"") * 500)
    except (TimeoutError, ConnectionError):
        pass

    eventually(lambda: "mllp-answers-not-read" in served.codes)
    eventually(lambda: served.counters.connections == 0)
    stuck.socket.close()


def test_connections_over_the_bound_are_turned_away(serve: Serve) -> None:
    """The bound is kept, those inside it are served, and a place that is freed is given again."""
    served = serve(connections=2)
    first, second = served.client(), served.client()
    codes = [code_of(c.ask(adt(str(n)))) for n, c in enumerate((first, second))]

    with served.client() as third:
        turned_away = third.is_closed()
    first.socket.close()
    eventually(lambda: served.counters.connections == 1)
    with served.client() as fourth:
        codes.append(code_of(fourth.ask(adt("4"))))
    second.socket.close()

    assert turned_away
    assert codes == ["AA 0", "AA 1", "AA 4"]
    assert served.counters.connections_refused == 1


def test_connections_that_say_nothing_keep_no_sender_out(serve: Serve) -> None:
    """Who has been silent longest since it came gives way; who has sent a message stays."""
    served = serve(connections=3)
    with served.client() as sender, ExitStack() as opened:
        codes = [code_of(sender.ask(adt("1")))]
        silent = [opened.enter_context(served.client()) for _ in range(50)]
        eventually(lambda: served.counters.connections_total == 51)
        newcomer = opened.enter_context(served.client())
        codes += [code_of(newcomer.ask(adt("2"))), code_of(sender.ask(adt("3")))]

        assert all(one.is_closed() for one in silent[:-1])
    assert codes == ["AA 1", "AA 2", "AA 3"]
    assert "mllp-gave-way" in served.codes


def test_address_that_is_not_allowed_is_turned_away(serve: Serve) -> None:
    """An allow list is looked at before the first byte."""
    served = serve(Listener(feed="f", host="127.0.0.1", port=0, allow=(ip_network("10.0.0.0/8"),)))

    with served.client() as client:
        assert client.is_closed()
    assert "mllp-address-not-allowed" in served.codes


def test_unfinished_frames_cannot_use_up_the_memory(serve: Serve) -> None:
    """Over the budget a large unfinished frame is dropped, told to retry, and then welcome."""
    served = serve(memory_bytes=3 * MIB)
    raw = [adt(str(n), extra=b"x" * (2 * MIB)) for n in range(2)]
    one, two = served.client(), served.client()

    one.send(frame(raw[0])[:-2])
    eventually(lambda: served.server.held_bytes > 2 * MIB)
    two.send(frame(raw[1]))
    shed = two.answer()
    one.send(b"\x1c\r")
    first = one.answer()
    again = two.ask(raw[1])
    for client in (one, two):
        client.socket.close()

    assert [code_of(a) for a in (shed, first, again)] == ["AE 1", "AA 0", "AA 1"]
    assert b"no memory left for messages of this size" in shed
