"""Replies: the stored answer, or what MSH-15 and MSH-16 ask for."""

import pytest

from adapters.hl7v2.header import read_header
from adapters.hl7v2.mllp import Frame, Framer
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.flows.receive import Received
from tests.fakes.feed import adt
from tests.fakes.sources import FixedClock
from workers.mllp.reply import owed_nothing, put_off, refusal, replies

AT = FixedClock().at
STORED = Received(record=RecordId("1"), answer=b"MSH|stored", status="stored")
BAD = Received(
    record=RecordId("1"),
    answer=b"MSH|bad",
    status="quarantined",
    reason=BridgeError("x", Fault.SENDER, what="bad", where="PID-3", do="mend it"),
)

DOWN = BridgeError("store-unavailable", Fault.PEER, what="dsn", where="dsn", do="dsn")


def codes(frames: bytes) -> list[str]:
    """MSA-1 of each frame, or the stored answer as it stands."""
    payloads = [event.payload for event in Framer().feed(frames) if isinstance(event, Frame)]
    return [p.split(b"MSA|")[1][:2].decode() if b"MSA" in p else p.decode() for p in payloads]


@pytest.mark.parametrize(
    ("accept", "application", "stored", "bad", "down"),
    [
        ("", "", ["MSH|stored"], ["MSH|bad"], ["AE"]),
        ("AL", "NE", ["CA"], ["CE"], ["CR"]),
        ("AL", "AL", ["CA", "MSH|stored"], ["CE"], ["CR"]),
        ("NE", "AL", ["MSH|stored"], ["MSH|bad"], ["AE"]),
        ("NE", "NE", [], [], []),
        ("ER", "SU", ["MSH|stored"], ["CE"], ["CR"]),
    ],
)
def test_replies_follow_msh_15_and_16(
    accept: str, application: str, stored: list[str], bad: list[str], down: list[str]
) -> None:
    """Original mode gives the stored answer; enhanced mode accept, then application."""
    header = read_header(adt("1", accept=accept, application=application))
    loud, silent = (
        codes(put_off(header, DOWN, at=AT, enhanced=True, silent=silent))
        for silent in (False, True)
    )

    assert codes(replies(header, STORED, at=AT, enhanced=True)) == stored
    assert codes(replies(header, BAD, at=AT, enhanced=True)) == bad
    assert loud == down
    assert silent == [code for code in down if code == "CR"]
    assert owed_nothing(header, enhanced=True) == (not stored and not bad)


def test_listener_of_original_mode_answers_whatever_msh_15_says() -> None:
    """A sender that fills in MSH-15 and waits for AA gets it where its listener says so."""
    header = read_header(adt("1", accept="AL", application="NE"))

    assert codes(replies(header, STORED, at=AT, enhanced=False)) == ["MSH|stored"]
    assert codes(put_off(header, DOWN, at=AT, enhanced=False, silent=False)) == ["AE"]
    assert codes(refusal(header, DOWN, at=AT, enhanced=False)) == ["AE"]
    assert not owed_nothing(header, enhanced=False)


def test_acknowledgement_is_owed_nothing() -> None:
    """A late ACK is kept, never answered."""
    header = read_header(b"MSH|^~\\&|||||||ACK^A01^ACK|1|P|2.5.1\rMSA|AA|7\r")

    assert replies(header, STORED, at=AT, enhanced=False) == b""
    assert refusal(header, DOWN, at=AT, enhanced=False) == b""
    assert owed_nothing(header, enhanced=False)


def test_cause_of_an_outage_stays_in_the_log() -> None:
    """The sender learns that it must send again, not where the database is."""
    header = read_header(adt("1"))
    ours = BridgeError("invariant", Fault.US, what="dsn", where="dsn", do="dsn")

    for cause, said in (
        (DOWN, b"this node cannot store messages at the moment"),
        (ours, b"this node failed while it stored the message"),
        (ZeroDivisionError("dsn"), b"this node failed while it stored the message"),
    ):
        reply = put_off(header, cause, at=AT, enhanced=False, silent=False)

        assert said in reply
        assert b"send the message again later" in reply
        assert b"dsn" not in reply


def test_failure_of_ours_is_answered_whatever_an_outage_gets() -> None:
    """The same message would fail again: a line that breaks for it would never get past it."""
    header = read_header(adt("1"))

    assert codes(put_off(header, OSError(), at=AT, enhanced=False, silent=True)) == ["AE"]
