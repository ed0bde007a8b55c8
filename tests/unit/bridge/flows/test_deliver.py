"""Owed answers: taken once, tried again, given up with a note."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bridge.core.ids import Instant, RecordId, instant
from bridge.flows.deliver import GIVE_UP, GIVE_UP_TRIES, Outcome, deliver
from bridge.ports.answers import Owed
from tests.fakes.sources import FixedClock

NOW = FixedClock().at


class MemoryAnswers:
    """The port `Answers`."""

    def __init__(self, *rows: Owed) -> None:
        self.rows = {one.record: one for one in rows}
        self.due = {one.record: NOW for one in rows}
        self.notes: list[str] = []

    def claim(
        self, now: Instant, until: Instant, *, furthest: Instant, at_most: int
    ) -> Sequence[Owed]:
        """What is due."""
        due = [record for record, due in self.due.items() if due <= now or due > furthest]
        found = due[:at_most]
        for record in found:
            self.due[record] = until
            self.rows[record] = replace(self.rows[record], tries=self.rows[record].tries + 1)
        return [self.rows[record] for record in found]

    def delivered(self, record: RecordId) -> None:
        """Forget it."""
        del self.rows[record], self.due[record]

    def postpone(self, record: RecordId, due: Instant) -> None:
        """Later."""
        self.due[record] = due

    def abandon(self, owed: Owed, why: str, at: Instant) -> None:
        """Forget it, with a note."""
        del at
        self.delivered(owed.record)
        self.notes.append(why)


def owed(name: str, *, address: str = "a:1", since: Instant = NOW, tries: int = 0) -> Owed:
    """One answer."""
    return Owed(record=RecordId(name), address=address, answer=b"x", owed=since, tries=tries)


def run(answers: MemoryAnswers, outcome: Outcome, sent: list[str] | None = None) -> None:
    """One run of the task, with a receiver that always says the same."""

    def send(one: Owed) -> Outcome:
        if sent is not None:
            sent.append(one.record)
        return outcome

    deliver(answers=answers, send=send, clock=FixedClock())


def test_answer_that_was_taken_is_owed_no_more() -> None:
    """Nothing is sent a second time."""
    answers, sent = MemoryAnswers(owed("1")), list[str]()

    run(answers, "taken", sent)
    run(answers, "taken", sent)

    assert (sent, answers.rows) == (["1"], {})


def test_receiver_that_is_down_is_tried_later_and_once_a_run() -> None:
    """The pause doubles; its other answers wait too, those of others do not."""
    answers, sent = (
        MemoryAnswers(owed("1", tries=2), owed("2"), owed("3", address="b:1")),
        list[str](),
    )

    run(answers, "later", sent)

    assert sent == ["1", "3"]
    pauses = {record: due - NOW for record, due in answers.due.items()}
    assert pauses == {
        "1": timedelta(seconds=8),
        "2": timedelta(seconds=2),
        "3": timedelta(seconds=2),
    }


def test_answer_that_the_receiver_refuses_is_given_up_with_a_note() -> None:
    """It would refuse it for ever."""
    answers = MemoryAnswers(owed("1"))

    run(answers, "never")

    assert (answers.rows, answers.notes) == ({}, ["the receiver refused it"])


def test_receiver_that_is_away_for_days_is_given_up_with_a_note() -> None:
    """Somebody is told."""
    long_ago = instant(NOW - GIVE_UP - timedelta(seconds=1))
    answers = MemoryAnswers(owed("1", since=long_ago, tries=GIVE_UP_TRIES))

    run(answers, "later")

    assert answers.notes == ["the receiver did not take it within 72 hours"]


def test_clock_that_leaps_gives_up_nobody() -> None:
    """A machine that began in 1970 finds the time: its receiver was away for a minute."""
    long_ago = instant(NOW - timedelta(days=20_000))
    answers = MemoryAnswers(owed("1", since=long_ago, tries=3))

    run(answers, "later")

    assert (answers.notes, list(answers.rows)) == ([], ["1"])


def test_clock_that_is_set_back_is_not_waited_for() -> None:
    """What was put off while it was a year ahead is due now."""
    answers, sent = MemoryAnswers(owed("1")), list[str]()
    answers.postpone(RecordId("1"), instant(NOW + timedelta(days=365)))

    run(answers, "taken", sent)

    assert sent == ["1"]
