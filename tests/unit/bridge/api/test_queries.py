"""Query parameters, Accept and Prefer."""

import asyncio

import pytest
from fastapi import Request

from bridge.api.queries import (
    Return,
    asked_of,
    count_of,
    is_lenient,
    json_wanted,
    moment_of,
    return_wanted,
)
from bridge.core.errors import BridgeError
from bridge.core.ids import instant_text


def request_of(query: str = "", **headers: str) -> Request:
    """A request with this query."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "headers": raw, "query_string": query.encode(), "path": "/"}
    return Request({**scope, "server": ("n", 80), "scheme": "http", "method": "GET"})


@pytest.mark.parametrize("form", ["json", "application/fhir%2Bjson", "application/fhir+json"])
def test_format_json_is_taken_over_any_accept(form: str) -> None:
    """Also with a plus that was not percent-encoded."""
    asyncio.run(json_wanted(request_of(f"_format={form}", accept="application/fhir+xml")))


@pytest.mark.parametrize(
    ("query", "accept"), [("_format=xml", ""), ("", "text/turtle"), ("_format=", "")]
)
def test_other_forms_are_refused(query: str, accept: str) -> None:
    """Said, not answered in a form that was not asked for."""
    with pytest.raises(BridgeError, match="only FHIR R4 as JSON is served, and a Binary as"):
        asyncio.run(json_wanted(request_of(query, accept=accept)))


def test_parameters_are_known_and_stand_once() -> None:
    """Those of form are passed over."""
    assert asked_of(request_of("_count=3&_format=json&_pretty=true"), "_count") == {"_count": "3"}
    with pytest.raises(BridgeError, match=r"no such query parameter \(_cuont\) - use _count"):
        asked_of(request_of("_cuont=3"), "_count", "before")
    with pytest.raises(BridgeError, match=r"no such query parameter \(x\) - use none"):
        asked_of(request_of("x=3"))
    with pytest.raises(BridgeError, match=r"may stand once \(_count\) - drop one"):
        asked_of(request_of("_count=3&_count=4"), "_count")


def test_name_that_is_no_name_is_not_repeated() -> None:
    """It may be a value that slipped."""
    with pytest.raises(BridgeError) as refused:
        asked_of(request_of("J%C3%BCrgen+M=1"), "_count")

    assert refused.value.where == "query"


@pytest.mark.parametrize(("text", "count"), [("", 50), ("1", 1), ("1000", 1000), ("99999", 1000)])
def test_count_is_bounded(text: str, count: int) -> None:
    """A larger wish is cut, as FHIR allows."""
    assert count_of({"_count": text}, "_count", 50) == count


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "9" * 10])
def test_count_that_is_none_is_refused(text: str) -> None:
    """A page has at least one row."""
    with pytest.raises(BridgeError, match="this is no number from 1"):
        count_of({"_count": text}, "_count", 50)


def test_moment_is_the_first_or_last_instant_of_what_is_written() -> None:
    """A year is a span; a zone may have lost its plus."""
    first = moment_of({"from": "2026"}, "from")
    last = moment_of({"to": "2026-02"}, "to", last=True)
    zoned = moment_of({"from": "2026-01-01T00:00:00 01:00"}, "from")

    assert first is not None
    assert last is not None
    assert zoned is not None
    assert instant_text(first) == "2026-01-01T00:00:00.000000Z"
    assert instant_text(last) == "2026-02-28T23:59:59.999999Z"
    assert instant_text(zoned) == "2025-12-31T23:00:00.000000Z"
    assert moment_of({}, "from") is None
    with pytest.raises(BridgeError, match="the value is no date"):
        moment_of({"from": "soon"}, "from")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", None),
        ("return=minimal", Return.MINIMAL),
        ("respond-async, return=representation", Return.REPRESENTATION),
        ('RETURN = "OperationOutcome"', Return.OUTCOME),
        ("handling=strict;return=minimal", Return.MINIMAL),
        ("noreturn=minimal", None),
        ("return=everything", None),
    ],
)
def test_prefer_return_is_read(header: str, wanted: Return | None) -> None:
    """RFC 7240: what is not known is passed over."""
    assert return_wanted(request_of(prefer=header)) is wanted


@pytest.mark.parametrize(
    ("prefer", "lenient"),
    [
        ("handling=lenient", True),
        ("return=minimal, handling=lenient", True),
        ('handling="Lenient"', True),
        ("handling=strict", False),
        ("nohandling=lenient", False),
        ("", False),
    ],
)
def test_only_who_asks_for_it_is_treated_leniently(prefer: str, *, lenient: bool) -> None:
    """A search that passes over a parameter answers another question than was asked."""
    assert is_lenient(request_of(prefer=prefer)) is lenient
