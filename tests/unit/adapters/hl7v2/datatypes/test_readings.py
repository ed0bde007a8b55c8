"""What laboratories write where HL7 wants a number or a reference range."""

from typing import Any

import msgspec
import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.readings import reading, reference_range


def plain(value: object) -> Any:
    """The value with its numbers read."""
    return msgspec.json.decode(msgspec.json.encode(value))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("<5.6", "Quantity", {"comparator": "<", "value": 5.6}),
        ("< 5.6", "Quantity", {"comparator": "<", "value": 5.6}),
        (">10", "Quantity", {"comparator": ">", "value": 10}),
        ("<=3", "Quantity", {"comparator": "<=", "value": 3}),
        (">= 4.0", "Quantity", {"comparator": ">=", "value": 4.0}),
        ("≥60", "Quantity", {"comparator": ">=", "value": 60}),
        ("=7", "Quantity", {"value": 7}),
        ("1,234.5", "Quantity", {"value": 1234.5}),
        ("1,234,567", "Quantity", {"value": 1234567}),
        ("1,5", "Quantity", {"value": 1.5}),
        ("0,123", "Quantity", {"value": 0.123}),
        ("<0,5", "Quantity", {"comparator": "<", "value": 0.5}),
        ("5.6-7.8", "Range", {"low": {"value": 5.6}, "high": {"value": 7.8}}),
        ("-5--3", "Range", {"low": {"value": -5}, "high": {"value": -3}}),
        ("1:128", "Ratio", {"numerator": {"value": 1}, "denominator": {"value": 128}}),
        ("<1:20", "Ratio",
         {"numerator": {"comparator": "<", "value": 1}, "denominator": {"value": 20}}),
    ],
)  # fmt: skip
def test_value_by_the_rule_of_sn(text: str, kind: str, value: object) -> None:
    """Each form has the meaning that SN gives its parts."""
    found = reading(text)

    assert found is not None
    assert (found[0], plain(found[1])) == (kind, value)


@pytest.mark.parametrize(
    "text",
    ["1,234", "8-3", "+", "1+", "++", "5.6 H", "120/80", "<", "negative", "", "1-2-3", "9" * 300],
)
def test_text_with_two_readings_or_none_stays_text(text: str) -> None:
    """1,234 is one thousand or one and a bit: nobody here knows, so it stays as it was sent."""
    assert reading(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3.5-5.5", 3.5, 5.5),
        ("3.5 - 5.5 mg/dL", 3.5, 5.5),
        ("0.5 to 2", 0.5, 2),
        ("-2 - +3", -2, 3),
        ("<5", None, 5),
        ("<= 5", None, 5),
        (">=10", 10, None),
        ("negative", None, None),
        ("5-3", None, None),
        ("<=2/38", None, None),
        ("M: 13-17 F: 12-16", None, None),
        ("3.5-5.5 (fasting)", None, None),
        ("3-5, children 4-6", None, None),
    ],
)
def test_range_has_its_text_and_the_ends_that_it_says(
    text: str, low: float | None, high: float | None
) -> None:
    """The text is always kept; an end is a number only where it can be nothing else."""
    found = plain(reference_range(text, {"unit": "mg/dL"}, Context()))

    assert found["text"] == text
    assert (found.get("low", {}).get("value"), found.get("high", {}).get("value")) == (low, high)
    assert all(found[end]["unit"] == "mg/dL" for end in ("low", "high") if end in found)


def test_unit_of_the_range_stands_above_that_of_the_result() -> None:
    """A range in another unit keeps its own, and takes no code of the result's."""
    unit: dict[str, Any] = {"unit": "mg/dL", "code": "mg/dL", "system": "http://unitsofmeasure.org"}

    found = plain(reference_range("<5 mmol/L", unit, Context()))

    assert found["high"] == {"value": 5, "unit": "mmol/L"}


def test_empty_range_is_none() -> None:
    """Blanks say nothing."""
    assert reference_range("  ", None, Context()) is None
