"""`fhir-anchor feeds`: what each feed brought, and what a sender should be asked about."""

import json
import sys
from datetime import timedelta

from bridge.core.ids import instant, instant_text
from bridge.ports.feeds import Feeds
from bridge.ports.sources import Clock

__all__ = ["say_feeds"]

AT_MOST = 1_000
"""Notes: more than a person reads at once; the newest come first."""


def say_feeds(feeds: Feeds, clock: Clock, hours: float) -> None:
    """One JSON line a feed, then one a note, newest first; ids and counts, no content."""
    since = instant(clock.now() - timedelta(hours=hours))
    for feed in feeds.feeds(since):
        _say(
            feed=feed.feed,
            stored=feed.stored,
            refused=feed.refused,
            number=feed.number,
            last=instant_text(feed.last),
            control_id=feed.control_id,
        )
    for note in feeds.notes(since, at_most=AT_MOST):
        _say(
            note=note.code,
            at=instant_text(note.at),
            feed=note.feed,
            sender=note.sender,
            record=note.record,
            detail=note.detail,
        )


def _say(**parts: object) -> None:
    sys.stdout.write(json.dumps(parts) + "\n")
