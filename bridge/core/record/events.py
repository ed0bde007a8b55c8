"""What the log says of itself: feed markers (kind 4) and key events (kind 3), as sealed documents.

A marker states how many records of a feed stand in an interval of the log, so that whoever sent
them can prove that one was dropped after it was acknowledged. A key event states that a key of the
log came or went. Specification: docs/spec/leaf.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, LeafIndex, TreeSize, instant_text, sha256
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import canonical
from bridge.core.record.claims import (
    KEY_EVENT_NAMES,
    MARKER_NAMES,
    SALT_SIZE,
    Claim,
    Kind,
    commitment,
    leaf,
)

__all__ = [
    "EVENT_NAMES",
    "FeedCount",
    "KeyAction",
    "event_claims",
    "event_leaf",
    "key_event",
    "marker",
]

EVENT_NAMES: Mapping[Kind, tuple[str, ...]] = {
    Kind.KEY_EVENT: KEY_EVENT_NAMES,
    Kind.FEED_MARKER: MARKER_NAMES,
}


class KeyAction(Enum):
    """What became of a key of the log."""

    ADDED = "added"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCount:
    """One feed in the leaves `begin` to `end` (exclusive) of the log."""

    feed: str
    begin: LeafIndex
    end: TreeSize
    records: int
    last_number: int
    """Highest of the feed's own numbers among them."""
    last_control: str
    """MSH-10 of the last of them; empty where there is none."""


def marker(count: FeedCount) -> dict[str, bytes]:
    """The documents of a feed marker by name of claim, canonical."""
    counts: JsonObject = {
        "begin": int(count.begin),
        "end": int(count.end),
        "feed": count.feed,
        "last_number": count.last_number,
        "records": count.records,
    }
    control: JsonObject = {"control_id": count.last_control, "feed": count.feed}
    return {"control": _document(control), "counts": _document(counts)}


def key_event(action: KeyAction, key: str, at: Instant) -> dict[str, bytes]:
    """The document of a key event by name of claim; `key` is the verifier key's text."""
    event: JsonObject = {"action": action.value, "at": instant_text(at), "key": key}
    return {"event": _document(event)}


def event_claims(kind: Kind, documents: Mapping[str, bytes], salts: bytes) -> tuple[Claim, ...]:
    """The claims in order of name; salts one after another in that order.

    Raises:
        BridgeError: `event-form` when documents or salts are not those of the kind.
    """
    names = EVENT_NAMES[kind]
    if tuple(sorted(documents)) != names or len(salts) != len(names) * SALT_SIZE:
        raise BridgeError(
            "event-form",
            Fault.US,
            what=f"an event of kind {int(kind)} has the claims {', '.join(names)}, each salted",
            where="log event",
            do="run `fhir-anchor fsck`",
        )
    return tuple(
        Claim(
            name=name,
            salt=salts[place * SALT_SIZE : (place + 1) * SALT_SIZE],
            value=sha256(documents[name]),
        )
        for place, name in enumerate(names)
    )


def event_leaf(kind: Kind, documents: Mapping[str, bytes], salts: bytes) -> bytes:
    """The leaf over the claims."""
    claims = event_claims(kind, documents, salts)
    return leaf(kind, commitment({one.name: one.digest() for one in claims}))


def _document(members: JsonObject) -> bytes:
    return canonical({name: value for name, value in members.items() if value != ""})
