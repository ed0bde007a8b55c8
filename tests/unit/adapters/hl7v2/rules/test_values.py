"""One value of a result, with its unit."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("NM", "<5.6", {"valueQuantity": {"comparator": "<", "value": 5.6, "unit": "mg"}}),
        ("NM", "5.6 mg", {"valueQuantity": {"value": 5.6, "unit": "mg"}}),
        ("NM", ">^10", {"valueQuantity": {"comparator": ">", "value": 10, "unit": "mg"}}),
        ("NM", "10^5", {"valueString": "10^5 mg"}),
        ("NM", "1,234", {"valueString": "1,234 mg"}),
        ("NM", "none", {"valueString": "none"}),
        ("SN", "<5", {"valueQuantity": {"comparator": "<", "value": 5, "unit": "mg"}}),
        ("SN", "<>^5", {"valueString": "<> 5 mg"}),
        ("ST", "5.6", {"valueString": "5.6 mg"}),
        ("ST", "clear", {"valueString": "clear"}),
    ],
)
def test_unit_is_never_lost(
    kind: str, value: str, expected: dict[str, object], message: Build, convert: Convert
) -> None:
    """A value that is no plain number keeps comparator and unit: as Quantity, else in its text."""
    raw = message("ORU^R01", "OBR|1||F|X", f"OBX|1|{kind}|1||{value}|mg|||||F")

    result = convert(raw)["Observation"][0]

    assert {name: held for name, held in result.items() if name.startswith("value")} == expected


@pytest.mark.parametrize("value", ["ST|1||clear", "CE|1||A^b^L"], ids=["words", "code"])
def test_unit_that_no_number_can_have_is_reported(value: str, message: Build, codes: Codes) -> None:
    """A unit beside words or a code is a mistake of the sender, and said to be one."""
    assert ("unit-unread", "OBX-6") in codes(message("ORU^R01", f"OBX|1|{value}|mg|||||F"))


def test_unit_beside_a_date_is_no_part_of_it(message: Build, convert: Convert) -> None:
    """Only a text can bear a unit behind it."""
    raw = message("ORU^R01", "OBX|1|DT|1||20240102|days|||||F")

    assert convert(raw)["Observation"][0]["valueDateTime"] == "2024-01-02"
