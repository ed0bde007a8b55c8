"""Feed markers on a real log: what a sender can prove against the operator."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from bridge.core.errors import BridgeError
from bridge.core.log.note import VerifierKey
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.core.record.claims import Kind
from bridge.core.record.events import KeyAction
from bridge.flows.issue import EventRef, issue
from bridge.flows.mark import mark, note_key
from bridge.flows.receive import Inbound, Received, receive
from bridge.flows.sequence import sequence
from bridge.ports.events import LogEvent
from bridge.store.database import Database
from bridge.store.events import PostgresEvents
from bridge.store.evidence import PostgresEvidence
from bridge.store.intake import PostgresIntake
from bridge.store.logbook import PostgresLogBook
from bridge.store.stored import PostgresStored
from tests.fakes.bundles import bundle, patient
from tests.fakes.dialect import LineDialect, line
from tests.fakes.signer import KnownSigner
from tests.fakes.sources import CountedEntropy, FixedClock

SIGNER = KnownSigner()
TRUST = Trust(logs=(LogKey(origin=SIGNER.name, key=VerifierKey.parse(SIGNER.verifier_key)),))


class _Node:
    """A log with feeds."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.entropy = database, FixedClock(), CountedEntropy()
        self.book, self.events = PostgresLogBook(database), PostgresEvents(database)
        self.evidence = PostgresEvidence(database)

    def receive(self, feed: str, number: int) -> Received:
        (got,) = receive(
            [
                Inbound(
                    raw=line(f"{feed}-{number}", bundle=bundle(patient("a"))),
                    feed=feed,
                    number=number,
                )
            ],
            dialect=LineDialect(),
            intake=PostgresIntake(self.database),
            clock=self.clock,
            entropy=self.entropy,
        )
        return got

    def sequence(self) -> None:
        sequence(book=self.book, signer=SIGNER, clock=self.clock, origin=SIGNER.name)

    def mark(self, at_most: int = 1000) -> tuple[LogEvent, ...]:
        return mark(
            events=self.events,
            clock=self.clock,
            entropy=self.entropy,
            every=timedelta(hours=1),
            at_most=at_most,
        )

    def receipt(self, event: LogEvent) -> bytes:
        return issue(EventRef(id=event.id), evidence=self.evidence, book=self.book)

    def run(self, statement: str, **values: object) -> None:
        with self.database.unit():
            assert self.database.connection.execute(text(statement), values).rowcount > 0


@pytest.fixture
def node(clean: Database) -> _Node:
    """Nothing received yet."""
    return _Node(clean)


def _counts(event: LogEvent) -> dict[str, object]:
    counts: dict[str, object] = json.loads(event.documents["counts"])
    return counts


def test_dropped_message_is_provable(node: _Node) -> None:
    """The sender holds three acknowledgements; the signed marker says two: one was dropped.

    The marker verifies with the log's key alone, so the operator cannot deny having said it.
    """
    acknowledged = [node.receive("f", number) for number in (1, 2, 3)]
    dropped = acknowledged[-1].record
    node.run("DELETE FROM record WHERE id = :id", id=dropped)
    node.run("DELETE FROM leaf_queue WHERE subject = :id", id=dropped)
    node.sequence()

    (event,) = node.mark()
    node.sequence()

    report = verify(node.receipt(event), event.documents["counts"], trust=TRUST)
    assert report.verdict is Verdict.UNCHANGED
    assert (_counts(event)["records"], len(acknowledged)) == (2, 3)
    assert _counts(event)["last_number"] == 2


def test_counts_cannot_be_mended_afterwards(node: _Node) -> None:
    """Edited counts do not lead to the leaf: none is issued, no old receipt verifies them."""
    node.receive("f", 1)
    node.sequence()
    (event,) = node.mark()
    node.sequence()
    receipt = node.receipt(event)
    mended = event.documents["counts"].replace(b'"records":1', b'"records":3')
    node.run("UPDATE log_event SET body = :body WHERE id = :id", body=mended, id=event.id)

    assert verify(receipt, mended, trust=TRUST).verdict is Verdict.CHANGED
    with pytest.raises(BridgeError, match="does not lead to what was logged"):
        node.receipt(event)


def test_intervals_follow_one_another_without_gap_or_overlap(node: _Node) -> None:
    """Each record is counted in exactly one marker of its feed, however often `mark` runs."""
    seen: list[dict[str, object]] = []
    for turn in range(3):
        for feed in ("a", "b")[: turn + 1]:
            node.receive(feed, 10 * turn)
            node.receive(feed, 10 * turn + 1)
        node.sequence()
        seen += [_counts(event) for event in (*node.mark(), *node.mark())]
        node.sequence()
        node.clock.advance(3600)

    totals = {
        feed: sum(int(str(one["records"])) for one in seen if one["feed"] == feed)
        for feed in ("a", "b")
    }
    assert totals == {"a": 6, "b": 4}
    spans = sorted({(int(str(one["begin"])), int(str(one["end"]))) for one in seen})
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_markers_wait_for_their_time_and_for_news(node: _Node) -> None:
    """Not more often than asked, and never because of a marker itself."""
    node.receive("f", 1)
    node.sequence()
    first = node.mark()
    node.sequence()
    node.receive("f", 2)
    node.sequence()
    early = node.mark()
    node.clock.advance(3600)
    late = node.mark()
    node.sequence()
    node.clock.advance(3600)

    assert [len(events) for events in (first, early, late, node.mark())] == [1, 0, 1, 0]


def test_markers_of_a_busy_log_do_not_fall_behind(node: _Node) -> None:
    """An interval that is full is stated before its time, and the next one after it."""
    for number in range(7):
        node.receive("f", number)
    node.sequence()

    spans = [(event.begin, event.end) for _ in range(5) for event in node.mark(at_most=2)]

    assert spans == [(0, 2), (2, 4), (4, 6)]
    node.clock.advance(3600)
    assert [(event.begin, event.end) for event in node.mark(at_most=2)] == [(6, 7)]


def test_leaves_without_records_do_not_stop_the_markers(node: _Node) -> None:
    """Behind a burst come as many revisions: an interval of them alone reaches to the next record.

    The key events stand for revisions here: leaves that no feed sent.
    """
    node.receive("f", 1)
    node.sequence()
    first = node.mark()
    for name in "abcde":
        note_key(KeyAction.ADDED, name, events=node.events, clock=node.clock, entropy=node.entropy)
    node.receive("f", 2)
    node.sequence()
    node.clock.advance(3600)

    (second,) = node.mark(at_most=2)

    assert second.begin == first[0].end
    assert _counts(second)["records"] == 1


def test_a_clock_that_was_set_back_does_not_silence_the_log(node: _Node) -> None:
    """The next statement does not wait until the old time comes again."""
    node.receive("f", 1)
    node.sequence()
    node.mark()
    node.receive("f", 2)
    node.sequence()
    node.clock.advance(-7200)

    assert len(node.mark()) == 1


def test_key_event_stands_on_the_log_once(node: _Node) -> None:
    """Said twice, sealed once, and proved to anyone."""
    key = SIGNER.verifier_key
    event, _ = (
        note_key(KeyAction.ADDED, key, events=node.events, clock=node.clock, entropy=node.entropy)
        for _ in range(2)
    )
    node.sequence()

    report = verify(node.receipt(event), event.documents["event"], trust=TRUST)

    assert report.verdict is Verdict.UNCHANGED
    head = node.book.newest()
    assert head is not None
    assert head.size == 1


def test_stored_event_reads_back(node: _Node) -> None:
    """With the leaf that was promised for it."""
    node.receive("f", 1)
    node.sequence()
    (event,) = node.mark()

    with node.events.unit():
        found = node.events.found(event.id)
        missing = node.events.found("none")

    assert (found, missing) == (replace(event), None)
    assert event.kind is Kind.FEED_MARKER


@pytest.mark.parametrize("statement", ["DELETE FROM log_event", "DELETE FROM leaf_queue"])
def test_event_and_leaf_are_missed_without_each_other(node: _Node, statement: str) -> None:
    """A marker that is taken back, or one that never reaches the log, is found by fsck."""
    node.receive("f", 1)
    node.sequence()
    (event,) = node.mark()
    if "leaf_queue" not in statement:
        node.sequence()
    node.run(statement)
    stored = PostgresStored(node.database)

    with stored.unit():
        stray = stored.stray()

    assert stray is not None
    assert f"event {event.id}" in stray
