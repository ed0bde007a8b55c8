"""What the log says of itself: each event leads to its leaf, and a marker counts what is there."""

from collections.abc import Iterator

from bridge.core.errors import BridgeError
from bridge.core.record.claims import Kind
from bridge.core.record.events import FeedCount, KeyAction, event_leaf, key_event, marker
from bridge.flows.fsck.finding import Difference, Progress, pages
from bridge.ports.stored import Stored, StoredEvent

__all__ = ["events"]


def events(stored: Stored, progress: Progress) -> Iterator[Difference]:
    """Feed markers and key events, as sealed and as true."""
    told = lambda done: progress("events", done)  # noqa: E731  the one stage of this loop
    for page in pages(stored, stored.events, "", lambda one: one.id, told):
        for event in page:
            what = _differs(event)
            if what is not None:
                yield Difference(where=f"event {event.id}", what=what)


def _differs(event: StoredEvent) -> str | None:
    try:
        if event.leaf != event_leaf(Kind(event.kind), event.documents, event.salts):
            return "it has no leaf" if event.leaf is None else "it does not lead to its leaf"
    except (BridgeError, KeyError, ValueError):
        return "its kind, documents or salts are none of ours"
    if event.kind == Kind.KEY_EVENT:
        action, _, key = event.name.partition(" ")
        if action not in {one.value for one in KeyAction}:
            return "its name is none of ours"
        said = key_event(KeyAction(action), key, event.at)
        return _same(event, said, span=(0, 0))
    count = FeedCount(
        feed=event.name,
        begin=event.begin,
        end=event.end,
        records=event.records,
        last_number=event.last_number,
        last_control=event.last_control,
    )
    if (found := _same(event, marker(count), span=(event.begin, event.end))) is not None:
        return f"{found}, or the records that it counts were"
    return None


def _same(event: StoredEvent, said: dict[str, bytes], *, span: tuple[int, int]) -> str | None:
    if (event.begin, event.end) == span and said == dict(event.documents):
        return None
    return "its name, interval or time were changed"
