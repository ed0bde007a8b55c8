"""Two quotes in a part of a field."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.nulls import held

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


@pytest.mark.parametrize(
    ("element", "count"),
    [({}, 0), ({"a": [1, 2]}, 2), ({"a": "x"}, 1), ({"a": False}, 1), ({"b": 1}, 0)],
)
def test_values_are_counted(element: dict[str, Any], count: int) -> None:
    """A list by its items, anything else that is there is one."""
    assert held(element, "a") == count


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('Berg^Anna^""', ("exact", "Patient.name")),
        ('""^""', ("operation", "Patient.name.where(use !~ 'old')")),
        ('^""', None),
        ("Berg^Anna", None),
    ],
    ids=["rest", "nothing-left", "lesser-part", "none"],
)
def test_a_deleted_part_says_what_is_left(
    message: Build, convert: Convert, field: str, said: tuple[str, str] | None
) -> None:
    """Exactly the rest, all of it, or nothing at all."""
    found = convert(message("ADT^A08", patient=f"PID|1||M1^^^H||{field}"))

    parameters = [one for body in found.get("Parameters", []) for one in body["parameter"]]
    assert [(one["name"], one["part"][-1]["valueString"]) for one in parameters] == (
        [said] if said else []
    )


def test_spaces_around_a_null_say_nothing(message: Build, convert: Convert) -> None:
    """A discharge time deleted in a field of fixed width does not end the stay."""
    visit = f'PV1|1|I|W1^ ""  ^2{"|" * 16}V1{"|" * 25}202603010800+0100|""  '

    (stay,) = convert(message("ADT^A08", visit))["Encounter"]

    assert stay["status"] == "in-progress"
    assert stay["location"][0]["location"]["display"] == "W1, 2"
