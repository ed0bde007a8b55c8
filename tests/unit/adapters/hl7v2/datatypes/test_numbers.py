"""Numbers keep their digits."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param("NM.decimal", "7.40", "", "7.40", [], id="trailing-zero"),
    pytest.param("NM.decimal", "+007.40", "", "7.40", ["number-form"], id="sign-and-zeros"),
    pytest.param("NM.decimal", ".5", "", "0.5", ["number-form"], id="bare-point"),
    pytest.param("NM.decimal", "-0.10", "", "-0.10", [], id="negative"),
    pytest.param("NM.decimal", "<5", "", None, ["number-invalid"], id="comparator"),
    pytest.param("NM.decimal", "1,5", "", None, ["number-invalid"], id="comma"),
    pytest.param("NM.decimal", "1e9999", "", None, ["number-invalid"], id="huge-exponent"),
    pytest.param(
        "NM.decimal",
        "99999999999999999999999999999999999999999999999999999999999999999",
        "",
        None,
        ["number-invalid"],
        id="huge",
    ),
    pytest.param("NM.decimal", "", "", None, [], id="empty"),
    pytest.param("NM.decimal", "५", "", None, ["number-invalid"], id="other-digits"),
    pytest.param("NM.Quantity", " 98.6 ", "", {"value": "98.6"}, [], id="quantity"),
    pytest.param("SI.positiveInt", "1", "", "1", [], id="set-id"),
    pytest.param("SI.positiveInt", "0", "", None, ["integer-invalid"], id="not-positive"),
    pytest.param("NM.unsignedInt", "0", "", "0", [], id="zero"),
    pytest.param("NM.integer", "5.00", "", "5", [], id="whole-decimal"),
    pytest.param("NM.integer", "2147483648", "", None, ["integer-invalid"], id="33-bits"),
    pytest.param(
        "NM.LengthOfStay",
        "3",
        "",
        {"value": "3", "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"},
        [],
        id="stay",
    ),
    pytest.param("NM.LengthOfStay", "-1", "", None, ["number-negative"], id="negative-stay"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_number_is_kept_as_sent(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """The digits are those that were sent, in FHIR's grammar, or there is no number."""
    value = convert(name, text, table)

    assert value == (expected, found)
