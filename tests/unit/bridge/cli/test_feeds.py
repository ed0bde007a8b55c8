"""`feeds`: a line a feed, a line a note."""

import json

import pytest

from bridge.cli.feeds import say_feeds
from bridge.core.ids import Instant
from bridge.ports.feeds import Feed, FeedNote
from tests.fakes.sources import FixedClock

AT = FixedClock().at


class Brought:
    """The port `Feeds` with one of each."""

    def feeds(self, since: Instant) -> tuple[Feed, ...]:
        """One feed."""
        assert since < AT
        return (Feed(feed="mllp-2575/1", stored=2, refused=1, number=4, last=AT, control_id="7"),)

    def notes(self, since: Instant, *, at_most: int) -> tuple[FeedNote, ...]:
        """One note."""
        del since, at_most
        note = FeedNote(
            at=AT, feed="mllp-2575/1", sender="labx", record="r", code="sequence-gap", detail="2"
        )
        return (note,)


def test_feeds_and_notes_are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A monitoring script reads them as they are."""
    say_feeds(Brought(), FixedClock(), 24)

    feed, note = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (feed["feed"], feed["stored"], feed["refused"], feed["control_id"]) == (
        "mllp-2575/1",
        2,
        1,
        "7",
    )
    assert (note["note"], note["sender"], note["detail"]) == ("sequence-gap", "labx", "2")
