"""Resources found by their numbers, in order, each once."""

from typing import Any

import pytest
from msgspec import Raw

from adapters.hl7v2.bearers import Bearers


def order(name: str, *numbers: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """A ServiceRequest with those identifiers."""
    return "ServiceRequest", {"id": name, "identifier": [*numbers]}


BEARERS = Bearers(
    [
        order("a", {"value": "1", "system": "x"}, {"value": "2", "system": "x"}),
        order("b", {"value": "1"}, {"value": "1", "system": "x"}),
        order("c", {"value": "1", "system": "y"}),
        ("Specimen", {"id": "d", "identifier": Raw(b'[{"value":"1"}]')}),
        ("Patient", {"id": "e"}),
    ]
)


@pytest.mark.parametrize(
    ("kind", "numbers", "names"),
    [
        pytest.param("ServiceRequest", [{"value": "1", "system": "x"}], "ab", id="system"),
        pytest.param("ServiceRequest", [{"value": "1"}], "abc", id="no system"),
        pytest.param("ServiceRequest", [{"value": "1", "system": "z"}], "b", id="other system"),
        pytest.param("ServiceRequest", [{"value": "2"}, {"value": "1", "system": "x"}], "ab",
                     id="two numbers"),
        pytest.param("Specimen", [{"value": "1", "system": "x"}], "d", id="kept as bytes"),
        pytest.param("Patient", [{"value": "1"}], "", id="none"),
    ],
)  # fmt: skip
def test_bearers_of_a_number(kind: str, numbers: list[Any], names: str) -> None:
    """An authority that one of the two leaves out is no other."""
    assert "".join(str(one["id"]) for one in BEARERS.of(kind, numbers)) == names
