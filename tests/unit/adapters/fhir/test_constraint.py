"""The questions that constraints ask of an element."""

from decimal import Decimal

import pytest
from msgspec import Raw

from adapters.fhir.constraint import codes, has, has_choice, in_order, items, number_of, unique
from bridge.core.record.bundle import JsonObject


def test_element_is_there_by_value_or_extension() -> None:
    """An extension in place of a value counts."""
    assert has({"_status": {}}, "status")
    assert not has({"status2": "x"}, "status")


def test_choice_is_found_in_any_type() -> None:
    """`value` is a choice, `valueSet` of a ValueSet is found only because a type could follow."""
    assert has_choice({"_valueString": {}}, "value")
    assert not has_choice({"values": "x"}, "value")


def test_items_are_found_through_lists() -> None:
    """A path crosses lists and objects alike."""
    value: JsonObject = {"a": [{"b": {"c": "1"}}, {"b": [{"c": "2"}, "x"]}]}

    assert list(items(value, "a", "b")) == [{"c": "1"}, {"c": "2"}]
    assert codes({"code": {"coding": [{"code": "x"}]}}, "code") == {"x"}


def test_numbers_are_read_as_written() -> None:
    """0.40 keeps its digits."""
    assert number_of({"value": Raw(b"0.40")}, "value") == Decimal("0.40")
    assert number_of({"value": 3}, "value") == Decimal(3)
    assert number_of({}, "value") is None


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ("2026", "2026-01", True),
        ("2026-02", "2026-01", False),
        ("2026-01-01T01:00:00+02:00", "2025-12-31T23:30:00Z", True),
        ("", "2026", True),
    ],
)
def test_dates_are_in_order_when_they_can_be(earlier: str, later: str, expected: bool) -> None:  # noqa: FBT001  a column of the table
    """Precision that leaves the order open is no contradiction."""
    assert in_order(earlier, later) is expected


def test_texts_that_are_not_there_do_not_repeat() -> None:
    """Only given texts can stand twice."""
    assert unique(["", "", "a"])
    assert not unique(["a", "a"])
