"""A receipt that was issued before anchoring gets its anchors later."""

import pytest

from bridge.core.errors import BridgeError
from bridge.core.proof.receipt import Receipt, parse_receipt
from bridge.core.proof.upgrade import upgraded
from tests.fakes import sealed

WORLD = sealed.World()
NEW = WORLD.record_receipt()
OLD = NEW | {"anchors": [], "rebase": []}


def read(value: object) -> Receipt:
    """Of a JSON value."""
    return parse_receipt(sealed.dumped(value))


def test_anchors_and_later_checkpoints_are_added() -> None:
    """And doing it again changes nothing."""
    grown = upgraded(read(OLD), read(NEW))

    assert grown == read(NEW)
    assert upgraded(grown, read(NEW)) == grown


def test_what_was_there_stays() -> None:
    """Also when the node gives less today, and when it disclosed less then."""
    less = read(WORLD.record_receipt("source"))

    assert upgraded(read(NEW), read(OLD)) == read(NEW)
    assert upgraded(less, read(NEW)).disclosed == less.disclosed


def test_other_history_of_the_same_leaf_is_refused() -> None:
    """Both files are evidence."""
    other = read(WORLD.resource_receipt("Observation/o3/1"))

    with pytest.raises(BridgeError, match=r"another receipt for the same leaf .* keep both files"):
        upgraded(read(OLD), other)
