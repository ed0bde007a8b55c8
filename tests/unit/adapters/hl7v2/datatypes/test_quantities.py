"""Quantities."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "SN.Quantity", ">^100", "", {"comparator": ">", "value": "100"}, [], id="comparator"
    ),
    pytest.param("SN.Quantity", "=^7.0", "", {"value": "7.0"}, [], id="equal"),
    pytest.param("SN.Quantity", "^1^-^2", "", None, [], id="range-is-no-quantity"),
    pytest.param("SN.Quantity", "<>^1", "", None, [], id="unequal"),
    pytest.param("SN.Quantity", "12", "", {"value": "12"}, [], id="bare-number"),
    pytest.param(
        "SN.Range", "^1^-^2", "", {"low": {"value": "1"}, "high": {"value": "2"}}, [], id="range"
    ),
    pytest.param("SN.Range", ">^1^-^2", "", None, [], id="range-with-comparator"),
    pytest.param(
        "SN.Ratio",
        "^1^:^128",
        "",
        {"numerator": {"value": "1"}, "denominator": {"value": "128"}},
        [],
        id="titre",
    ),
    pytest.param(
        "SN.Ratio",
        "<^1^/^8",
        "",
        {"numerator": {"value": "1", "comparator": "<"}, "denominator": {"value": "8"}},
        [],
        id="ratio-with-comparator",
    ),
    pytest.param("SN.Ratio", "^1^:", "", None, [], id="half-a-ratio"),
    pytest.param("SN.string", "^2^+", "", "2 +", [], id="plus"),
    pytest.param("SN.string", "<>^5", "", "<> 5", [], id="unequal-as-text"),
    pytest.param("CWE.Quantity", "mg/dL", "", {"unit": "mg/dL"}, [], id="unit-without-system"),
    pytest.param("CWE.Quantity", "x10^9/L", "", {"unit": "x10^9/L"}, [], id="power-of-ten"),
    pytest.param("CWE.Quantity", "10^-3.g/mL", "", {"unit": "10^-3.g/mL"}, [], id="small-power"),
    pytest.param("CWE.Quantity", "X 10^3", "", {"unit": "X 10^3"}, [], id="power-alone"),
    pytest.param(
        "CWE.Quantity",
        "10^mmHg^LOC",
        "",
        {"unit": "mmHg", "system": "urn:x:stmary/CodeSystem/LOC", "code": "10"},
        ["coding-system-unknown"],
        id="code-ten-is-no-power",
    ),
    pytest.param(
        "CWE.Quantity",
        "mg/dL^milligram^UCUM",
        "",
        {"unit": "milligram", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        [],
        id="ucum",
    ),
    pytest.param(
        "CQ.Quantity",
        "10^mL&milliliter&UCUM",
        "",
        {"value": "10", "unit": "milliliter", "system": "http://unitsofmeasure.org", "code": "mL"},
        [],
        id="subcomponents",
    ),
    pytest.param(
        "CQ.Quantity",
        "10^mL^milliliter^UCUM",
        "",
        {"value": "10", "unit": "milliliter", "system": "http://unitsofmeasure.org", "code": "mL"},
        [],
        id="components",
    ),
    pytest.param("CQ.decimal", "10^mL", "", "10", [], id="value"),
    pytest.param("CQ.code", "10^mL", "", "mL", [], id="unit"),
    pytest.param("NR.Range", "1^", "", {"low": {"value": "1"}}, [], id="open-range"),
    pytest.param("VR.string", "1^9", "", "1 - 9", [], id="value-range"),
    pytest.param(
        "MO.Money", "99.50^USD", "", {"value": "99.50", "currency": "USD"}, [], id="money"
    ),
    pytest.param(
        "MO.Money", "1^dollars", "", {"value": "1"}, ["currency-invalid"], id="no-currency"
    ),
    pytest.param(
        "CP.Money", "10^USD", "", {"value": "10", "currency": "USD"}, [], id="price-as-money"
    ),
    pytest.param("CP.Money", "10^UP", "", {"value": "10"}, [], id="unit-price"),
    pytest.param("CP.Money", "100&EUR^UP", "", {"value": "100", "currency": "EUR"}, [], id="price"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_quantity_by_the_official_rule(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Numbers, comparators, ranges and units stand where FHIR has them."""
    value = convert(name, text, table)

    assert value == (expected, found)
