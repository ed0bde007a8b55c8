"""Messages over real sockets: durable before answered, in order, whatever the storage does."""

import threading
import time
from collections.abc import Callable

import hl7
import pytest
from hl7.client import MLLPClient

from adapters.hl7v2.mllp import frame
from tests.fakes.feed import adt
from tests.served_mllp import Client, Served, code_of, eventually, quick_limits
from workers.mllp import Listener

Serve = Callable[..., Served]


def test_foreign_client_is_answered(serve: Serve) -> None:
    """python-hl7's own client and parser get an AA that echoes their control id."""
    served = serve()

    with MLLPClient("127.0.0.1", served.port) as client:
        acks = [client.send_message(hl7.parse(adt(f"H{n}"))) for n in range(3)]

    read = [hl7.parse(ack.strip(b"\x0b\x1c\r") + b"\r") for ack in acks]
    assert [(str(a["MSA.F1"]), str(a["MSA.F2"])) for a in read] == [
        ("AA", "H0"),
        ("AA", "H1"),
        ("AA", "H2"),
    ]
    assert len(served.feed.kept) == 3


def test_answer_leaves_only_after_the_message_is_durable(serve: Serve) -> None:
    """While the transaction runs the sender hears nothing; when it is done, it hears AA."""
    served = serve()
    served.feed.gate.clear()

    with served.client() as client:
        client.send(frame(adt("1")))
        assert served.feed.entered.wait(5)
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(5)
        served.feed.gate.set()

        assert code_of(client.answer()) == "AA 1"
    eventually(lambda: served.wakes == 1)


def test_pipelined_messages_are_answered_in_order(serve: Serve) -> None:
    """A hundred messages in one write come back as a hundred answers in the same order."""
    served = serve()

    with served.client() as client:
        client.send(b"".join(frame(adt(str(n))) for n in range(100)))
        answers = client.answers(100)

    assert [code_of(a) for a in answers] == [f"AA {n}" for n in range(100)]
    assert served.feed.numbers == list(range(1, 101))
    assert (served.counters.received, served.counters.accepted) == (100, 100)
    assert sum(served.counters.latency_buckets) == 100
    assert served.counters.waiting == 0


def test_refusal_keeps_its_place_among_answers(serve: Serve) -> None:
    """What is refused at once still waits for the answers of what came before."""
    served = serve(frame_bytes=1024)
    served.feed.gate.clear()

    with served.client() as client:
        client.send(frame(adt("1")) + frame(adt("2", extra=b"x" * 2000)) + frame(adt("3")))
        eventually(lambda: served.counters.waiting == 3)
        served.feed.gate.set()
        answers = client.answers(3)

    assert [code_of(a) for a in answers] == ["AA 1", "AE 2", "AA 3"]


def test_many_connections_share_transactions(serve: Serve) -> None:
    """Messages that wait at the same time are committed together, over all connections."""
    served = serve()
    served.feed.gate.clear()
    clients = [served.client() for _ in range(12)]

    for number, client in enumerate(clients):
        client.send(frame(adt(str(number))))
    eventually(lambda: served.counters.waiting == 12)
    served.feed.gate.set()
    answers = [client.answer() for client in clients]
    for client in clients:
        client.socket.close()

    assert [code_of(a) for a in answers] == [f"AA {n}" for n in range(12)]
    assert sum(served.feed.groups) == 12
    assert len(served.feed.groups) <= 2


def test_socket_is_not_read_beyond_the_high_water_mark(serve: Serve) -> None:
    """Backpressure is to stop reading: nothing is dropped and nothing piles up."""
    served = serve(unanswered=8)
    served.feed.gate.clear()

    with served.client() as client:
        sender = threading.Thread(
            target=client.send, args=(b"".join(frame(adt(str(n))) for n in range(2000)),)
        )
        sender.start()
        eventually(lambda: served.counters.waiting == 8)
        time.sleep(0.1)
        waiting = served.counters.waiting
        served.feed.gate.set()
        answers = client.answers(2000)
        sender.join()

    assert waiting == 8
    assert [code_of(a) for a in answers] == [f"AA {n}" for n in range(2000)]


def test_lost_answer_is_sent_again_for_the_same_bytes(serve: Serve) -> None:
    """The sender that missed its ACK resends, and gets the same bytes, stored once."""
    served = serve()
    with served.client() as client:
        client.send(frame(adt("1")))
        eventually(lambda: len(served.feed.kept) == 1)

    with served.client() as client:
        again = client.ask(adt("1"))

    assert code_of(again) == "AA 1"
    assert len(served.feed.kept) == 1
    assert served.counters.duplicates == 1


def test_two_senders_with_one_control_id_are_two_messages(serve: Serve) -> None:
    """Each listener pins its own sender; each connection gets its own answer."""
    limits = quick_limits()
    served = serve(
        Listener(feed="a", host="127.0.0.1", port=0, sender="A", limits=limits),
        Listener(feed="b", host="127.0.0.1", port=0, sender="B", limits=limits),
    )

    with Client(served.server.addresses[0][1]) as one, Client(served.server.addresses[1][1]) as two:
        answers = [one.ask(adt("1")), two.ask(adt("1", extra=b"NTE|1\r"))]

    assert [code_of(a) for a in answers] == ["AA 1", "AA 1"]
    assert served.feed.senders == {"A", "B"}


def test_outage_of_the_storage_breaks_the_line_and_loses_nothing(serve: Serve) -> None:
    """No answer, so the engine sends it again by itself; the listener lives and takes it."""
    served = serve()
    served.feed.down = True

    with served.client() as client:
        client.send(frame(adt("1")))
        assert client.is_closed()
    served.feed.down = False
    with served.client() as client:
        after = client.ask(adt("1"))

    assert code_of(after) == "AA 1"
    assert list(served.feed.kept) == [adt("1")]
    assert served.counters.unstored == 1
    assert "mllp-unstored:store-unavailable" in served.codes


def test_outage_is_said_where_the_listener_answers_it(serve: Serve) -> None:
    """AE with words that say to resend; who waits for each answer keeps its line."""
    served = serve(Listener(feed="a", host="127.0.0.1", port=0, outage="answer"))
    served.feed.down = True

    with served.client() as client:
        during = client.ask(adt("1"))
        served.feed.down = False
        after = client.ask(adt("1"))

    assert code_of(during) == "AE 1"
    assert b"207^Application internal error^HL70357|E|node-unavailable^^L" in during
    assert b"send the message again later" in during
    assert code_of(after) == "AA 1"


def test_outage_in_enhanced_mode_is_cr(serve: Serve) -> None:
    """CR is "busy or storage down, try again"."""
    served = serve()
    served.feed.down = True

    with served.client() as client:
        answer = client.ask(adt("1", accept="AL", application="AL"))

    assert code_of(answer) == "CR 1"


def test_enhanced_mode_gives_accept_then_application(serve: Serve) -> None:
    """CA when the message is durable, AA behind it on the same connection; NE is silence."""
    served = serve()

    with served.client() as client:
        client.send(frame(adt("1", accept="AL", application="AL")))
        both = client.answers(2)
        client.send(frame(adt("2", accept="NE", application="NE")))
        third = client.ask(adt("3", accept="AL", application="NE"))

    assert [code_of(a) for a in both] == ["CA 1", "AA 1"]
    assert code_of(third) == "CA 3"
    assert len(served.feed.kept) == 3


def test_message_without_any_answer_survives_an_outage(serve: Serve) -> None:
    """Nobody would resend it, so it is stored when the storage is back."""
    served = serve()
    served.feed.down = True

    with served.client() as client:
        client.send(frame(adt("1", accept="NE", application="NE")))
        eventually(lambda: bool(served.feed.groups))
        served.feed.down = False
        eventually(lambda: len(served.feed.kept) == 1)


def test_late_acknowledgement_is_kept_and_not_answered(serve: Serve) -> None:
    """An ACK that arrives here starts no exchange of ACKs."""
    served = serve()
    late = b"MSH|^~\\&|LAB|HOSP|US|X|20261122||ACK^A01^ACK|9|P|2.5.1\rMSA|AA|1\r"

    with served.client() as client:
        client.send(frame(late))
        answer = client.ask(adt("2"))

    assert code_of(answer) == "AA 2"
    assert late in served.feed.kept


def test_rate_limit_slows_a_sender_and_drops_nothing(serve: Serve) -> None:
    """Over its rate a connection is read later; all is answered."""
    served = serve(messages_per_s=20.0)

    with served.client() as client:
        started = time.monotonic()
        client.send(b"".join(frame(adt(str(n))) for n in range(30)))
        answers = client.answers(30)
        seconds = time.monotonic() - started

    assert [code_of(a) for a in answers] == [f"AA {n}" for n in range(30)]
    assert seconds > 0.3


def test_rate_limit_is_the_sender_s_not_the_connection_s(serve: Serve) -> None:
    """Ten lines of one host are no faster than one."""
    served = serve(messages_per_s=20.0)
    clients = [served.client() for _ in range(10)]

    started = time.monotonic()
    for number, client in enumerate(clients):
        client.send(b"".join(frame(adt(f"{number}.{n}")) for n in range(3)))
    answers = [answer for client in clients for answer in client.answers(3)]
    seconds = time.monotonic() - started
    for client in clients:
        client.socket.close()

    assert {code_of(one)[:2] for one in answers} == {"AA"}
    assert seconds > 0.3


def test_memory_is_flat_over_many_messages(serve: Serve) -> None:
    """Ten thousand messages leave nothing behind: no line, no group, no buffer."""
    served = serve()

    with served.client() as client:
        for _ in range(10):
            client.send(frame(adt("same")) * 1000)
            client.answers(1000)

    eventually(lambda: served.counters.connections == 0)
    assert served.counters.received == 10_000
    assert served.server.held_bytes == 0


def test_nothing_overtakes_a_pipelined_message_that_comes_again(serve: Serve) -> None:
    """All on the way are given back and the line is closed; sent again they are in order."""
    served = serve(unanswered=4)
    served.feed.down = True
    sent = [adt(str(n)) for n in range(20)]

    with served.client() as client:
        client.send(b"".join(map(frame, sent)))
        eventually(lambda: "mllp-line-broken" in served.codes)
        served.feed.down = False
        assert client.is_closed()
    with served.client() as client:
        client.send(b"".join(map(frame, sent)))
        answers = client.answers(20)

    assert [code_of(one) for one in answers] == [f"AA {n}" for n in range(20)]
    assert list(served.feed.kept) == sent


def test_batch_in_one_frame_is_answered_by_a_batch(serve: Serve) -> None:
    """Each message is a record of its own, and the one answer names them all."""
    served = serve()
    batch = b"BHS|^~\\&|LAB|HOSP|US|X|20261122||||B7\r"

    with served.client() as client:
        answer = client.ask(batch + adt("1") + adt("2") + b"BTS|3\r")
        assert code_of(client.ask(adt("3"))) == "AA 3"

    lines = answer.split(b"\r")
    assert lines[0].split(b"|")[2:6] == [b"US", b"X", b"LAB", b"HOSP"]
    assert (lines[0].split(b"|")[-1], lines[-2]) == (b"B7", b"BTS|2")
    assert [line[4:8] for line in lines if line[:3] == b"MSA"] == [b"AA|1", b"AA|2"]
    assert [*served.feed.kept] == [adt("1"), adt("2"), adt("3")]
    assert served.counters.tolerated == {"batch-count": 1}


def test_two_messages_in_one_frame_are_two_records(serve: Serve) -> None:
    """Without an envelope their answers follow each other in the one frame that is waited for."""
    served = serve()

    with served.client() as client:
        answer = client.ask(adt("1") + adt("2"))

    assert [line[:8] for line in answer.split(b"\r") if line[:3] == b"MSA"] == [
        b"MSA|AA|1", b"MSA|AA|2"
    ]  # fmt: skip
    assert len(served.feed.kept) == 2
