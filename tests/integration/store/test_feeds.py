"""Notes and counts of feeds, through the flow and the real database."""

from datetime import timedelta

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.overlays import parse_profile
from bridge.core.ids import Instant
from bridge.flows.receive import Inbound, Received, receive
from bridge.ports.feeds import FeedNote
from bridge.store.database import Database
from bridge.store.feeds import PostgresFeeds
from bridge.store.intake import PostgresIntake
from tests.fakes.sources import CountedEntropy, FixedClock

DIALECT, ENTROPY = Hl7v2(), CountedEntropy()
SINCE = Instant(FixedClock().at - timedelta(days=1))


def adt(control_id: str, *, sequence: str = "", patient: str = "42", sender: str = "LAB") -> bytes:
    """An ADT^A01 with MSH-13 as said."""
    msh = f"MSH|^~\\&|{sender}|HOSP|US|X|20261122||ADT^A01^ADT_A01|{control_id}|P|2.5.1|{sequence}"
    return f"{msh}\rEVN||20261122\rPID|1||{patient}^^^HOSP^MR\rPV1|1|I\r".encode()


@pytest.fixture
def feeds(clean: Database) -> PostgresFeeds:
    """Over an empty database."""
    return PostgresFeeds(clean)


def send(database: Database, *raws: bytes, start: int = 1) -> tuple[Received, ...]:
    """One group of one feed."""
    inputs = [Inbound(raw=raw, feed="f/1", number=start + n) for n, raw in enumerate(raws)]
    return receive(
        inputs,
        dialect=DIALECT,
        intake=PostgresIntake(database),
        clock=FixedClock(),
        entropy=ENTROPY,
    )


def notes(feeds: PostgresFeeds) -> list[tuple[str, str]]:
    """Code and detail, oldest first."""
    found: tuple[FeedNote, ...] = feeds.notes(SINCE, at_most=100)
    return [(one.code, one.detail) for one in reversed(found)]


def test_control_id_with_other_bytes_is_noted_with_the_earlier_record(
    clean: Database, feeds: PostgresFeeds
) -> None:
    """Over groups and within one; the same bytes are a resend and no note."""
    (first,) = send(clean, adt("1"))
    second, third = send(clean, adt("1", patient="43"), adt("1", patient="44"))
    send(clean, adt("1"), adt("1", sender="OTHER"), adt("2"))

    assert notes(feeds) == [
        ("control-id-reused", f"record {first.record} has the same control id"),
        ("control-id-reused", f"record {second.record} has the same control id"),
    ]
    assert third.status == "stored"


def test_gap_of_MSH_13_is_noted_once_and_by_sender(  # noqa: N802 - the standard's name
    clean: Database, feeds: PostgresFeeds
) -> None:
    """Also over commits; a resend is no step back, and zero starts over."""
    send(clean, adt("1", sequence="5"), adt("x", sequence="1", sender="OTHER"))
    send(clean, adt("2", sequence="6"), adt("3", sequence="9"))
    send(clean, adt("3", sequence="9"), adt("4", sequence="0"), adt("5", sequence="1"))

    assert notes(feeds) == [
        ("sequence-gap", "MSH-13 went from 6 to 9: 2 did not come over this node")
    ]


@pytest.mark.parametrize("sequence", ["abc", "1e5", "9" * 40, "-", " "])
def test_MSH_13_that_is_no_number_is_left_alone(  # noqa: N802 - the standard's name
    clean: Database, feeds: PostgresFeeds, sequence: str
) -> None:
    """A field that nobody fills rightly costs no message."""
    (received,) = send(clean, adt("1", sequence=sequence))

    assert (received.status, notes(feeds)) == ("stored", [])


def test_feed_is_counted_with_its_last_control_id(clean: Database, feeds: PostgresFeeds) -> None:
    """Stored and refused; resends show in the running number."""
    send(clean, adt("1"), b"PID|1\r", adt("1"), adt("2"))

    (feed,) = feeds.feeds(SINCE)

    assert (feed.feed, feed.stored, feed.refused, feed.number, feed.control_id) == (
        "f/1",
        2,
        1,
        4,
        "2",
    )


def test_profile_that_refuses_reuse_is_honoured(clean: Database) -> None:
    """`reused_control_id = "reject"` in the sender's overlay."""
    strict = parse_profile("lab", 'match = { "MSH-3" = "LAB" }\nreused_control_id = "reject"\n')
    dialect = Hl7v2((strict,))

    statuses = [
        receive(
            [Inbound(raw=raw, feed="f/1", number=n)],
            dialect=dialect,
            intake=PostgresIntake(clean),
            clock=FixedClock(),
            entropy=ENTROPY,
        )[0].status
        for n, raw in enumerate([adt("1"), adt("1"), adt("1", patient="43"), adt("2")])
    ]

    assert statuses == ["stored", "duplicate", "quarantined", "stored"]
