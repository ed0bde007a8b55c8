"""Schedules."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param("RPT.Timing", "^DW^9", "", None, [], id="no-such-day"),
    pytest.param("TQ.Timing", "^^^^^^^^^^^3", "", {"repeat": {"count": "3"}}, [], id="total"),
    pytest.param(
        "RI.Timing",
        "Q1J9",
        "",
        {"code": {"coding": [{"system": "urn:x:stmary/CodeSystem/v2-0335", "code": "Q1J9"}]}},
        ["code-unmapped"],
        id="day-nine",
    ),
    pytest.param("RPT.Timing", "^^^^-2^h", "", None, [], id="negative-period"),
    pytest.param(
        "RPT.Timing", "^^^^^^^C^1^h", "", {"repeat": {"when": ["C"]}}, [], id="meal-takes-no-offset"
    ),
    pytest.param(
        "RI.Timing",
        "BID",
        "",
        {
            "repeat": {"frequency": "2", "period": "1", "periodUnit": "d"},
            "code": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                        "code": "BID",
                        "display": "BID",
                    },
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0335", "code": "BID"},
                ]
            },
        },
        [],
        id="twice-a-day",
    ),
    pytest.param(
        "RI.Timing",
        "Q6H",
        "",
        {
            "repeat": {"frequency": "1", "period": "6", "periodUnit": "h"},
            "code": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                        "code": "Q6H",
                        "display": "Q6H",
                    },
                    {"system": "urn:x:stmary/CodeSystem/v2-0335", "code": "Q6H"},
                ]
            },
        },
        [],
        id="every-six-hours",
    ),
    pytest.param(
        "RI.Timing",
        "Q5D",
        "",
        {
            "repeat": {"frequency": "1", "period": "5", "periodUnit": "d"},
            "code": {"coding": [{"code": "Q5D"}]},
        },
        [],
        id="family-of-codes",
    ),
    pytest.param(
        "RI.Timing",
        "Q2J13",
        "",
        {
            "repeat": {
                "frequency": "1",
                "period": "2",
                "periodUnit": "wk",
                "dayOfWeek": ["mon", "wed"],
            },
            "code": {"coding": [{"code": "Q2J13"}]},
        },
        [],
        id="weekdays",
    ),
    pytest.param(
        "RI.Timing",
        "WHENEVER",
        "",
        {"code": {"coding": [{"system": "urn:x:stmary/CodeSystem/v2-0335", "code": "WHENEVER"}]}},
        ["code-unmapped"],
        id="unknown",
    ),
    pytest.param(
        "RI.Timing",
        "^0800,1400",
        "",
        {"repeat": {"timeOfDay": ["08:00:00", "14:00:00"]}},
        [],
        id="times-of-day",
    ),
    pytest.param(
        "TQ.Timing",
        "1^Q6H^X5",
        "",
        {
            "repeat": {"frequency": "1", "period": "6", "periodUnit": "h", "count": "5"},
            "code": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation",
                        "code": "Q6H",
                        "display": "Q6H",
                    },
                    {"system": "urn:x:stmary/CodeSystem/v2-0335", "code": "Q6H"},
                ]
            },
        },
        [],
        id="five-times",
    ),
    pytest.param(
        "TQ.Timing",
        "1^ONCE^^2020^2021",
        "",
        {
            "repeat": {"count": "1", "boundsPeriod": {"start": "2020", "end": "2021"}},
            "code": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0335",
                        "code": "Once",
                        "display": "one time only",
                    },
                    {"system": "urn:x:stmary/CodeSystem/v2-0335", "code": "ONCE"},
                ]
            },
        },
        [],
        id="bounds",
    ),
    pytest.param(
        "TQ.Timing",
        "^^D10",
        "",
        {
            "repeat": {
                "boundsDuration": {
                    "value": "10",
                    "unit": "d",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                }
            }
        },
        [],
        id="ten-days",
    ),
    pytest.param("TQ.Timing", "1", "", None, [], id="quantity-only"),
    pytest.param("TQ.Quantity", "12&mg", "", {"value": "12", "unit": "mg"}, [], id="quantity"),
    pytest.param("TQ.Quantity", "1", "", None, [], id="one-says-nothing"),
    pytest.param("TQ.code", "1^^^^^S", "Priority", "stat", [], id="priority"),
    pytest.param("TQ.code", "1^^^^^??", "Priority", None, ["code-unmapped"], id="unknown-priority"),
    pytest.param("TQ.Period", "1^^^2020", "", {"start": "2020"}, [], id="start"),
    pytest.param("TQ.string", "1^^^^^^if pain^call", "", "if pain; call", [], id="condition"),
    pytest.param(
        "RPT.Timing",
        "^DW^1^3^2^wk",
        "",
        {
            "repeat": {
                "dayOfWeek": ["mon", "tue", "wed"],
                "period": "2",
                "periodUnit": "wk",
                "frequency": "1",
            }
        },
        [],
        id="days-of-week",
    ),
    pytest.param(
        "RPT.Timing",
        "^^^^^^^PC^1^h",
        "",
        {"repeat": {"when": ["PC"], "offset": "60"}},
        [],
        id="after-a-meal",
    ),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_schedule_is_read(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """A repeat pattern is kept as code and told as frequency and period."""
    value = convert(name, text, table)

    assert value == (expected, found)
