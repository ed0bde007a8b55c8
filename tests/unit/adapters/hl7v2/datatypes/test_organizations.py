"""Organizations."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.adapters.hl7v2.datatypes.named import organization

CASES: list[Any] = [
    pytest.param(
        "XON.Organization",
        "Good Lab^L^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^05D0",
        "",
        {
            "identifier": [
                {
                    "value": "05D0",
                    "system": "urn:oid:2.16.840.1.113883.4.7",
                    "assigner": organization("CLIA", "urn:oid:2.16.840.1.113883.4.7"),
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                "code": "XX",
                                "display": "Organization identifier",
                            }
                        ]
                    },
                }
            ],
            "name": "Good Lab",
        },
        [],
        id="new-form",
    ),
    pytest.param("XON.Identifier", "Good Lab^^12", "", {"value": "12"}, [], id="old-form"),
    pytest.param("XON.Organization", "Good Lab", "", None, [], id="name-alone"),
    pytest.param("XON.display", "Good Lab", "", "Good Lab", [], id="display"),
    pytest.param("XON.string", "^^12", "", "12", [], id="identifier-as-text"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_organization_needs_an_identifier(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """With an identifier an organization is a resource, without one a display."""
    value = convert(name, text, table)

    assert value == (expected, found)
