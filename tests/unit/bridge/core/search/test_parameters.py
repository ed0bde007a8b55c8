"""What is asked is understood whole, or refused by name."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import BridgeError, Fault
from bridge.core.search.definitions import SearchType
from bridge.core.search.parameters import parse_query
from bridge.core.search.query import (
    Clause,
    DateClause,
    DateValue,
    IdClause,
    Include,
    Match,
    MissingClause,
    Prefix,
    QuantityClause,
    QuantityValue,
    ReferenceClause,
    ReferenceValue,
    Sort,
    Subset,
    Summary,
    TextClause,
    TokenClause,
    TokenValue,
    Total,
)

DAY = (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "name", "value", "clause"),
    [
        ("Patient", "_id", "a,b", IdClause(values=("a", "b"))),
        (
            "Observation",
            "code",
            "urn:a|1,2,|3,urn:b|",
            TokenClause(
                param="code",
                values=(
                    TokenValue(system="urn:a", code="1"),
                    TokenValue(system=None, code="2"),
                    TokenValue(system="", code="3"),
                    TokenValue(system="urn:b", code=None),
                ),
            ),
        ),
        (
            "Observation",
            "status:not",
            "http://hl7.org/fhir/observation-status|final",
            TokenClause(
                param="status", values=(TokenValue(system=None, code="final"),), negated=True
            ),
        ),
        (
            "Patient",
            "identifier",
            r"urn:a|1\,2\|3",
            TokenClause(param="identifier", values=(TokenValue(system="urn:a", code="1,2|3"),)),
        ),
        (
            "Patient",
            "name",
            "M\u00dcL,Eva",
            TextClause(param="name", match=Match.STARTS, values=("mul", "eva")),
        ),
        (
            "Patient",
            "family:exact",
            "M\u00fcller",
            TextClause(param="family", match=Match.EXACT, values=("M\u00fcller",)),
        ),
        (
            "Patient",
            "family:contains",
            "LL",
            TextClause(param="family", match=Match.CONTAINS, values=("ll",)),
        ),
        (
            "Observation",
            "patient",
            "a",
            ReferenceClause(param="patient", values=(ReferenceValue(type="Patient", id="a"),)),
        ),
        (
            "Observation",
            "subject",
            "Group/g,a",
            ReferenceClause(
                param="subject",
                values=(ReferenceValue(type="Group", id="g"), ReferenceValue(type="", id="a")),
            ),
        ),
        (
            "Observation",
            "subject:Patient",
            "a",
            ReferenceClause(param="subject", values=(ReferenceValue(type="Patient", id="a"),)),
        ),
        (
            "Observation",
            "subject:identifier",
            "urn:mrn|1",
            TokenClause(
                param="subject:identifier", values=(TokenValue(system="urn:mrn", code="1"),)
            ),
        ),
        (
            "Observation",
            "code:missing",
            "true",
            MissingClause(param="code", type=SearchType.TOKEN, missing=True),
        ),
        (
            "Observation",
            "value-quantity",
            "gt5.4|http://unitsofmeasure.org|mg",
            QuantityClause(
                param="value-quantity",
                values=(
                    QuantityValue(
                        prefix=Prefix.GT,
                        value=Decimal("5.4"),
                        low=Decimal("5.35"),
                        high=Decimal("5.45"),
                        system="http://unitsofmeasure.org",
                        code="mg",
                    ),
                ),
            ),
        ),
    ],
)
def test_parameter_becomes_its_clause(kind: str, name: str, value: str, clause: Clause) -> None:
    """Values, systems, escapes and modifiers are as R4 search says."""
    assert parse_query(kind, [(name, value)]).clauses == (clause,)


@pytest.mark.parametrize("prefix", [prefix for prefix in Prefix if prefix is not Prefix.AP])
def test_every_prefix_of_a_date_is_understood(prefix: Prefix) -> None:
    """The prefix stands before the date; without one it is eq."""
    clause = parse_query("Observation", [("date", f"{prefix.value}2026-01-02")]).clauses[0]

    assert isinstance(clause, DateClause)
    value = clause.values[0]
    assert isinstance(value, DateValue)
    assert (value.prefix, value.low, value.high) == (prefix, *DAY)


def test_controls_shape_the_answer() -> None:
    """Order, page and includes are read beside the clauses; `self` repeats what was understood."""
    pairs = [
        ("patient", "a"),
        ("_sort", "-date,_id"),
        ("_count", "5000"),
        ("_total", "accurate"),
        ("_revinclude", "Provenance:target"),
        ("_include", "Observation:subject:Patient"),
        ("_format", "json"),
        ("_page", "xyz"),
    ]

    query = parse_query("Observation", pairs)

    assert query.sort == (Sort(param="date", descending=True), Sort(param="_id", descending=False))
    assert (query.count, query.total, query.page) == (1000, Total.ACCURATE, "xyz")
    assert query.includes == (
        Include(source="Provenance", param="target", target="", reverse=True),
        Include(source="Observation", param="subject", target="Patient", reverse=False),
    )
    assert query.pairs == tuple(pairs[:6])


def test_count_of_none_asks_for_the_total() -> None:
    """`_count=0` and `_summary=count` are the same question."""
    assert parse_query("Patient", [("_count", "0")]).only_count
    assert parse_query("Patient", [("_summary", "count")]).only_count
    assert not parse_query("Patient", []).only_count


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("birthDate", "2026", r"no search parameter of this name \(birthDate\) - use birthdate"),
        ("secret value", "x", r"no search parameter of this name \(query\)"),
        ("birthdate", "yesterday", r"the value is no date \(birthdate\)"),
        ("birthdate", "xx2026", r"this prefix is not known \(birthdate\)"),
        ("birthdate:exact", "2026", "has no such modifier"),
        ("gender:text", "x", r"has no such modifier here \(gender\) - use :not, :missing"),
        ("gender:missing", "maybe", ":missing is true or false"),
        ("gender", "", "values are needed"),
        ("_id", "a b", "_id takes ids"),
        ("_count", "-1", "_count is no whole number"),
        ("_sort", "name", "this is no date"),
        ("_sort", "nothing", "no search parameter"),
        ("_summary", "some", "this is no _summary"),
        ("_elements", "name,na me", "takes names of elements"),
        ("_total", "some", "this is no _total"),
        ("_revinclude", "*", "an include is Type:parameter"),
        ("_include:further", "Patient:link", "an include is Type:parameter"),
        ("_include", "Patient:name", "no such reference parameter"),
        ("name", "a\0b", "too long or holds NUL"),
        ("name", "x" * 5000, "too long or holds NUL"),
        ("_id", ",".join(["a"] * 201), "_id takes ids"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(name: str, value: str, words: str) -> None:
    """An ignored parameter would answer another question than was asked."""
    with pytest.raises(BridgeError, match=words) as refused:
        parse_query("Patient", [(name, value)])

    assert refused.value.fault is Fault.SENDER


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("_include", "*", ("", "*", False)),
        ("_include", "Observation:*", ("Observation", "*", False)),
        ("_include:iterate", "Encounter:location", ("Encounter", "location", True)),
        ("_include:recurse", "Encounter:location", ("Encounter", "location", True)),
    ],
)
def test_include_of_all_and_of_what_was_included(
    name: str, value: str, expected: tuple[str, str, bool]
) -> None:
    """`*` is every reference; `:iterate` (STU3: `:recurse`) goes on from what was found."""
    (include,) = parse_query("Observation", [(name, value)]).includes

    assert (include.source, include.param, include.iterate) == expected


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], Subset()),
        ([("_summary", "count")], Subset()),
        ([("_summary", "true")], Subset(summary=Summary.TRUE)),
        ([("_elements", "code,status")], Subset(elements=("code", "status"))),
        ([("_elements", "code"), ("_summary", "false")], Subset(elements=("code",))),
    ],
)
def test_part_of_each_resource_is_asked_for(pairs: list[tuple[str, str]], expected: Subset) -> None:
    """`_summary` or `_elements`; a count has no resources."""
    assert parse_query("Observation", pairs).subset == expected


def test_two_ways_to_ask_for_a_part_are_refused() -> None:
    """FHIR leaves open what both together would mean."""
    with pytest.raises(BridgeError, match="exclude each other"):
        parse_query("Patient", [("_elements", "name"), ("_summary", "text")])


def test_control_that_stands_twice_is_refused() -> None:
    """Two orders are none."""
    with pytest.raises(BridgeError, match="may stand once"):
        parse_query("Patient", [("_count", "1"), ("_count", "2")])


def test_too_many_parameters_are_refused() -> None:
    """A search is bounded."""
    with pytest.raises(BridgeError, match="over 64 parameters"):
        parse_query("Patient", [("name", "a")] * 65)


def test_us_core_searches_are_understood(shared: Path) -> None:
    """All that the public test kit asks, SHALL and SHOULD."""
    path = shared / "fhir-samples/inferno-us-core-6.1.0/required-searches.json"
    for group in json.loads(path.read_text()):
        for search in group["searches"]:
            pairs = [(name, "2026") for name in search["names"]]

            query = parse_query(group["resource"], [*pairs, ("_revinclude", "Provenance:target")])

            assert len(query.clauses) == len(pairs)


@given(
    st.sampled_from(["code", "date", "value-quantity", "patient", "value-string", "_sort", "_id"]),
    st.text(max_size=40),
)
def test_any_value_is_understood_or_refused(name: str, value: str) -> None:
    """Nothing but a refusal ever leaves the parser."""
    try:
        query = parse_query("Observation", [(name, value)])
    except BridgeError as refused:
        assert refused.fault is Fault.SENDER  # noqa: PT017  either outcome is right
    else:
        assert len(query.clauses) + len(query.sort) <= 1 + value.count(",")


def test_lenient_search_passes_over_what_is_not_known() -> None:
    """And says so: what was passed over is not among the pairs of its `self` link."""
    pairs = [("family", "a"), ("flavour", "b"), ("colour.name", "c")]

    query = parse_query("Patient", pairs, lenient=True)

    assert query.pairs == (("family", "a"),)
    assert query == parse_query("Patient", pairs[:1])


def test_lenient_search_still_refuses_a_modifier() -> None:
    """FHIR asks for that: it would widen the search unsaid."""
    with pytest.raises(BridgeError, match="no such modifier"):
        parse_query("Patient", [("family:below", "a")], lenient=True)


def test_total_as_fhirpy_asks_for_it() -> None:
    """Its `count()` sends `_count=0` with a parameter of its own."""
    query = parse_query("Patient", [("_count", "0"), ("_totalMethod", "count")])

    assert (query.total, query.only_count) == (Total.ACCURATE, True)
    with pytest.raises(BridgeError, match="write _total=accurate"):
        parse_query("Patient", [("_totalMethod", "guess")])
