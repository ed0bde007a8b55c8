"""Events of the log as sealed documents."""

import json

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import LeafIndex, TreeSize, parse_instant, sha256
from bridge.core.record.claims import LEAF_SIZE, Kind
from bridge.core.record.events import (
    FeedCount,
    KeyAction,
    event_claims,
    event_leaf,
    key_event,
    marker,
)

NOW = parse_instant("2026-11-22T14:00:00.000000Z")
COUNT = FeedCount(
    feed="f",
    begin=LeafIndex(3),
    end=TreeSize(9),
    records=4,
    last_number=17,
    last_control="MSG-17",
)


def test_counts_are_shown_without_the_control_id() -> None:
    """Two claims, two salts: what may be published does not name a message."""
    documents = marker(COUNT)

    assert json.loads(documents["counts"]) == {
        "begin": 3,
        "end": 9,
        "feed": "f",
        "last_number": 17,
        "records": 4,
    }
    assert b"MSG-17" not in documents["counts"]
    control, counts = event_claims(Kind.FEED_MARKER, documents, bytes(range(64)))
    assert (control.name, counts.name) == ("control", "counts")
    assert counts.value == sha256(documents["counts"])
    assert control.salt != counts.salt


def test_key_event_names_the_key_in_the_clear() -> None:
    """The public key is public."""
    documents = key_event(KeyAction.RETIRED, "log+00000000+AAAA", NOW)

    assert json.loads(documents["event"])["action"] == "retired"
    assert len(event_leaf(Kind.KEY_EVENT, documents, bytes(32))) == LEAF_SIZE


@pytest.mark.parametrize("salts", [b"", bytes(32), bytes(65)])
def test_marker_without_two_salts_is_refused(salts: bytes) -> None:
    """A claim without a salt of its own could be guessed."""
    with pytest.raises(BridgeError, match="has the claims control, counts, each salted"):
        event_claims(Kind.FEED_MARKER, marker(COUNT), salts)
