"""Replies: the stored answer, or what MSH-15 and MSH-16 ask for."""

import pytest

from adapters.hl7v2.header import read_header
from adapters.hl7v2.mllp import Frame, Framer
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.flows.receive import Received
from tests.fakes.feed import adt
from tests.fakes.sources import FixedClock
from workers.mllp.reply import owed_nothing, refusal, replies, unstored

AT = FixedClock().at
STORED = Received(record=RecordId("1"), answer=b"MSH|stored", status="stored")
BAD = Received(
    record=RecordId("1"),
    answer=b"MSH|bad",
    status="quarantined",
    reason=BridgeError("x", Fault.SENDER, what="bad", where="PID-3", do="mend it"),
)


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
    outage = unstored(OSError())

    assert codes(replies(header, STORED, at=AT, enhanced=True)) == stored
    assert codes(replies(header, BAD, at=AT, enhanced=True)) == bad
    assert codes(refusal(header, outage, at=AT, enhanced=True)) == down
    assert owed_nothing(header, enhanced=True) == (not stored and not bad)


def test_listener_of_original_mode_answers_whatever_msh_15_says() -> None:
    """A sender that fills in MSH-15 and waits for AA gets it where its listener says so."""
    header = read_header(adt("1", accept="AL", application="NE"))

    assert codes(replies(header, STORED, at=AT, enhanced=False)) == ["MSH|stored"]
    assert codes(refusal(header, unstored(OSError()), at=AT, enhanced=False)) == ["AE"]
    assert not owed_nothing(header, enhanced=False)


def test_acknowledgement_is_owed_nothing() -> None:
    """A late ACK is kept, never answered."""
    header = read_header(b"MSH|^~\\&|||||||ACK^A01^ACK|1|P|2.5.1\rMSA|AA|7\r")

    assert replies(header, STORED, at=AT, enhanced=False) == b""
    assert refusal(header, unstored(OSError()), at=AT, enhanced=False) == b""
    assert owed_nothing(header, enhanced=False)


def test_cause_of_an_outage_stays_in_the_log() -> None:
    """The sender learns that it must send again, not where the database is."""
    down = BridgeError("store-unavailable", Fault.PEER, what="dsn", where="dsn", do="dsn")
    ours = BridgeError("invariant", Fault.US, what="dsn", where="dsn", do="dsn")
    defect = ZeroDivisionError("dsn")

    assert str(unstored(down)) == (
        "this node cannot store messages at the moment (storage) - send the message again later"
    )
    assert (
        str(unstored(ours))
        == str(unstored(defect))
        == ("this node failed while it stored the message (storage) - send the message again later")
    )
