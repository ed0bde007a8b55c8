"""Authorities: the URI of a name space, and the organization that owns it."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.authorities import assigner
from tests.unit.adapters.hl7v2.datatypes.named import organization

UNIVERSAL = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0301",
            "code": "ISO",
            "display": "ISO Object Identifier",
        }
    ]
}

CASES: list[Any] = [
    pytest.param("HD.uri", "LAB^2.3.4.5^ISO", "", "urn:oid:2.3.4.5", [], id="hd-both"),
    pytest.param("HD.uri", "^1.3.4.5^ISO", "", "urn:oid:1.3.4.5", [], id="hd-oid"),
    pytest.param("HD.url", "LAB", "", "urn:x:stmary/NamingSystem/LAB", [], id="hd-url"),
    pytest.param("HD.string", "^1.3.4.5", "", "1.3.4.5", [], id="hd-name"),
    pytest.param(
        "HD.Identifier",
        "LAB",
        "",
        {"system": "urn:x:stmary/NamingSystem/HD", "value": "LAB"},
        [],
        id="hd-identifier",
    ),
    pytest.param(
        "HD.Organization",
        "LAB^1.3.4.5^ISO",
        "",
        {
            "identifier": [
                {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.3.4.5", "type": UNIVERSAL},
                {"system": "urn:x:stmary/NamingSystem/HD", "value": "LAB"},
            ],
            "name": "LAB",
        },
        [],
        id="hd-organization",
    ),
    pytest.param(
        "HD.Location",
        "WARD^1.2.3.4^ISO",
        "",
        {
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3.4"}],
            "name": "WARD",
            "mode": "instance",
        },
        [],
        id="place-of-a-designator",
    ),
    pytest.param("HD.Location", "^^ISO", "", None, [], id="no-place"),
    pytest.param(
        "HD.Organization",
        "test1^2.16.1^L",
        "",
        {
            "identifier": [
                {"system": "urn:x:stmary/NamingSystem/HD", "value": "test1"},
                {
                    "system": "urn:x:stmary/NamingSystem/L",
                    "value": "2.16.1",
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0301",
                                "code": "L",
                                "display": "Local",
                            }
                        ]
                    },
                },
            ],
            "name": "test1",
        },
        [],
        id="hd-organization-of-a-local-scheme",
    ),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_designator_is_a_name_space_and_somebody(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """HD as a URI, as words, as an organization and as a place."""
    value = convert(name, text, table)

    assert value == (expected, found)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["HOSP"], organization("HOSP")),
        (["HOSP", "1.2.3.4.5", "ISO"], organization("HOSP", "urn:oid:1.2.3.4.5")),
        (["HOSP", "9.8", "ISO"], organization("HOSP")),
        (["HOSP", "05D0642827", "CLIA"], organization("HOSP")),
        (["", "1.2.3.4.5", "ISO"], None),
        (["NPI", "2.16.840.1.113883.4.6", "ISO"], {"display": "NPI"}),
    ],
    ids=["name", "name-and-oid", "no-oid", "clia", "oid-alone", "registered"],
)
def test_assigning_authority_goes_into_the_bundle(
    ctx: Context, parts: list[str], expected: object
) -> None:
    """v2-to-FHIR CX[Identifier]: assigner is an Organization. A number alone is nobody."""
    made = assigner(parts, ctx)

    assert made == expected
    assert len(ctx.assigners) == ("reference" in (made or {}))
