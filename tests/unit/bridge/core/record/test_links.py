"""Which records a surviving one took over."""

import json
from typing import Any

import pytest

from bridge.core.record.links import taken_over


def _body(*links: tuple[str, str]) -> bytes:
    found = [{"other": {"reference": other}, "type": kind} for kind, other in links]
    return json.dumps({"resourceType": "Patient", "link": found}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"resourceType":"Patient"}', ()),
        (_body(("replaces", "Patient/a"), ("replaces", "Patient/b")), ("a", "b")),
        (_body(("replaces", "Patient/a/_history/2")), ("a",)),
        (_body(("replaced-by", "Patient/a")), ()),
        (_body(("seealso", "Patient/a"), ("refer", "Patient/a")), ()),
        (_body(("replaces", "RelatedPerson/a")), ()),
        (b'{"link":[{"other":{"display":"him"},"type":"replaces"},7]}', ()),
        (b'{"link":[{"type":"replaces"},{"other":{"reference":7},"type":"replaces"}]}', ()),
        (b'{"link":"odd"}', ()),
        (b"[]", ()),
    ],
    ids=[
        "none",
        "two",
        "version",
        "back",
        "also",
        "other-type",
        "words",
        "empty",
        "no-list",
        "no-object",
    ],
)
def test_only_replaces_makes_one_person(body: bytes, expected: tuple[str, ...]) -> None:
    """A link that leaves two records leads nowhere, and an odd one is no error."""
    assert taken_over("s", body, ["s"]) == expected


@pytest.mark.parametrize(
    ("link", "survivors", "expected"),
    [
        pytest.param(("replaced-by", "Patient/s"), ["s"], ("r",), id="retired-says-it"),
        pytest.param(("replaced-by", "Patient/x"), ["s"], (), id="of-another"),
        pytest.param(("seealso", "Patient/s"), ["s"], (), id="two-people"),
        pytest.param(("replaces", "Patient/s"), ["s"], (), id="not-the-other-way"),
    ],
)
def test_retired_record_alone_may_say_it(
    link: tuple[str, str], survivors: list[str], expected: Any
) -> None:
    """FHIR assumes no mutual links; what is asked for under a retired id stays its own."""
    assert taken_over("r", _body(link), survivors) == expected
