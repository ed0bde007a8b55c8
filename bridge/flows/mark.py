"""What the log says of itself: how many records of each feed it holds, and which keys it has."""

from datetime import timedelta

from bridge.core.ids import Instant, record_id
from bridge.core.record.claims import SALT_SIZE, Kind
from bridge.core.record.events import (
    EVENT_NAMES,
    KeyAction,
    event_leaf,
    key_event,
    marker,
)
from bridge.ports.events import EventBook, LogEvent
from bridge.ports.sources import Clock, Entropy

__all__ = ["mark", "note_key"]

ID_SIZE = 10
INTERVAL_LEAVES = 500_000
"""Of one interval: counted within seconds, in one statement."""


def mark(
    *,
    events: EventBook,
    clock: Clock,
    entropy: Entropy,
    every: timedelta,
    at_most: int = INTERVAL_LEAVES,
) -> tuple[LogEvent, ...]:
    """State each feed's counts since the last markers, if those are old enough.

    Idempotent: intervals follow one another without gap or overlap, so a sender who adds them up
    knows what the log says it received. A feed that sent nothing is left out, and a log in which no
    feed sent anything gets no markers. A busy log does not wait: its markers never fall behind by
    more than `at_most` leaves.
    """
    now = clock.now()
    with events.unit():
        marked = events.marked()
        early = marked.at is not None and marked.at <= now < marked.at + every
        if early and marked.behind <= at_most:  # a clock that was set back is not waited for
            return ()
        counts = events.uncounted(at_most)
        made = tuple(
            _event(
                Kind.FEED_MARKER,
                one.feed,
                marker(one),
                span=(int(one.begin), int(one.end)),
                now=now,
                entropy=entropy,
            )
            for one in counts
        )
        for event in made:
            events.keep(event)
    return made


def note_key(
    action: KeyAction, key: str, *, events: EventBook, clock: Clock, entropy: Entropy
) -> LogEvent:
    """Put on the log that a key came or went; the same said twice stands there once.

    Args:
        action: what happened.
        key: the verifier key's text, `name+hash+base64`.
        events: where events are stored.
        clock: for the event's own time.
        entropy: for id and salts.
    """
    now = clock.now()
    event = _event(
        Kind.KEY_EVENT,
        f"{action.value} {key}",
        key_event(action, key, now),
        span=(0, 0),
        now=now,
        entropy=entropy,
    )
    with events.unit():
        events.keep(event)
    return event


def _event(
    kind: Kind,
    name: str,
    documents: dict[str, bytes],
    *,
    span: tuple[int, int],
    now: Instant,
    entropy: Entropy,
) -> LogEvent:
    random = entropy.take(ID_SIZE + len(EVENT_NAMES[kind]) * SALT_SIZE)
    salts = random[ID_SIZE:]
    return LogEvent(
        id=record_id(now, random[:ID_SIZE]),
        kind=kind,
        name=name,
        begin=span[0],
        end=span[1],
        at=now,
        documents=documents,
        salts=salts,
        leaf=event_leaf(kind, documents, salts),
    )
