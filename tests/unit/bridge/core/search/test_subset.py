"""A part of a resource says that it is one, and changes nothing of what it shows."""

import json

import pytest

from bridge.core.search.query import Subset, Summary
from bridge.core.search.subset import SUBSETTED, part_of

BODY = (
    b'{"code":{"text":"x"},"id":"a","meta":{"tag":[{"code":"t"}]},"modifierExtension":'
    b'[{"url":"urn:m","valueCode":"x"}],"note":[{"text":"n"}],"resourceType":"Observation",'
    b'"status":"final","text":{"div":"<div/>","status":"empty"},'
    b'"valueQuantity":{"value":0.40}}'
)
ALWAYS = {"code", "id", "meta", "modifierExtension", "resourceType", "status"}


@pytest.mark.parametrize(
    ("subset", "shown"),
    [
        (Subset(summary=Summary.TRUE), {"valueQuantity"}),
        (Subset(summary=Summary.TEXT), {"text"}),
        (Subset(summary=Summary.DATA), {"note", "valueQuantity"}),
        (Subset(elements=("note",)), {"note"}),
        (Subset(elements=("value",)), {"valueQuantity"}),
        (Subset(elements=("unknown",)), set()),
    ],
    ids=["summary", "text", "data", "element", "choice", "unknown"],
)
def test_part_keeps_what_is_required_and_what_was_asked(subset: Subset, shown: set[str]) -> None:
    """What R4 requires, what changes the meaning, and the wanted elements."""
    part = part_of(BODY, subset)

    assert set(json.loads(part)) == ALWAYS | shown
    assert json.loads(part)["meta"]["tag"] == [{"code": "t"}, SUBSETTED]
    assert (b"0.40" in part) == ("valueQuantity" in shown)


def test_whole_is_the_same_bytes() -> None:
    """Nothing is read where nothing is left out."""
    assert part_of(b"anything", Subset()) == b"anything"
