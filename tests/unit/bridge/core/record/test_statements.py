"""Which of two statements says less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from bridge.core.record.bundle import Json
from bridge.core.record.statements import ends_before, says_less, says_nothing

_DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


@pytest.mark.parametrize(
    ("name", "newer", "stored", "less"),
    [
        ("birthDate", "1970", "1970-03-05", True),
        ("start", "2024-01-05", "2024-01-05T08:00:00+01:00", True),
        ("birthDate", "1971", "1970-03-05", False),
        ("birthDate", "1970-03-05", "1970", False),
        ("valueString", "ab", "ab-c", False),
        ("family", "BERG", "Berg", True),
        ("given", ["A."], ["Anna", "Maria"], True),
        ("given", ["B"], ["Anna"], False),
        ("name", {"family": "berg"}, {"family": "Berg", "prefix": ["Dr"]}, True),
        ("name", {"family": "Berg", "suffix": ["II"]}, {"family": "Berg"}, False),
        ("telecom", {"value": "031-123 45 67"}, {"value": "0311234567", "use": "home"}, True),
        ("code", {"coding": [{"code": "a"}]}, {"coding": [{"code": "b"}, {"code": "a"}]}, True),
        ("valueQuantity", {"value": Raw(b"5")}, {"value": Raw(b"5"), "unit": "mg"}, True),
        ("valueQuantity", {"value": Raw(b"5")}, {"value": Raw(b"5"), "comparator": "<"}, False),
        ("valueRange", {"low": {"value": 1}}, {"low": {"value": 1}, "high": {"value": 2}}, False),
        ("period", {}, {"start": "2024"}, False),
    ],
)
def test_less_of_the_same_is_told_from_something_else(
    name: str, newer: Json, stored: Json, *, less: bool
) -> None:
    """Contained is less; a bound, a comparator or another word is something else."""
    assert says_less(newer, stored, name) is less


@pytest.mark.parametrize(
    ("name", "value", "nothing"),
    [
        ("status", "unknown", True),
        ("gender", "unknown", True),
        ("valueString", "unknown", False),
        ("valueCodeableConcept", {"text": "unknown"}, False),
        ("code", {"text": "unknown"}, True),
        ("class", {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"},
         True),
        ("subject", {"extension": [{"url": _DAR, "valueCode": "unknown"}]}, True),
        ("subject", {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}, False),
        ("active", False, False),
    ],
)  # fmt: skip
def test_unknown_says_nothing_except_as_a_result(name: str, value: Json, *, nothing: bool) -> None:
    """A required element that nobody knows is no news; a result of `unknown` is."""
    assert says_nothing(name, value) is nothing


_texts = st.sampled_from(["a", "b", "1970", "1970-03"])
_values = st.recursive(
    _texts | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "given", "value"]), inner, min_size=1)
    ),
    max_leaves=6,
)


@given(value=_values, more=_texts)
def test_every_value_says_less_than_itself_with_more(value: Json, more: str) -> None:
    """Adding an element never makes a statement say less."""
    assert says_less(value, value)
    assert says_less({"code": value}, {"code": value, "display": more})


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-01-05", "2024-01-04", True),
        ("2024-01-05", "2024", False),
        ("2024-01-05T08:00:00Z", "2024-01-05", False),
        ("2024-01-05T08:00:00Z", "2024-01-05T07:00:00Z", True),
        ("2024-01-05T08:00:00+01:00", "2024-01-05T07:30:00Z", False),
        ("2024-01-05T08:00:00+01:00", "2024-01-05T06:59:60Z", True),
        ("2024", "2023-12-31", True),
        ("2024", None, False),
        (None, "2024", False),
    ],
)
def test_only_what_certainly_ends_before_it_starts_is_reversed(
    start: str | None, end: str | None, *, expected: bool
) -> None:
    """At the precision that both have; offsets count."""
    assert ends_before(start, end) == expected


def test_long_lists_are_compared_without_looking_at_every_pair() -> None:
    """A report of 80,000 results against its correction: counted by comparisons, not by time."""
    stored: list[Json] = [{"reference": f"Observation/{n}"} for n in range(80_000)]
    unknown: Json = {"reference": "Observation/x"}
    others: list[Json] = [{"text": f"{n}"} for n in range(40_000)]

    assert says_less(stored[1:], stored, "result")
    assert not says_less([*stored[1:], unknown], stored, "result")
    assert not says_less(others, stored, "result")
