"""Telecommunication addresses."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "XTN.ContactPoint",
        "^^^http://b.c",
        "",
        {"system": "url", "value": "http://b.c"},
        [],
        id="page-without-type",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^^someone",
        "",
        {"system": "other", "value": "someone"},
        [],
        id="address-of-no-known-kind",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "(905)111-1111",
        "",
        {"system": "phone", "value": "(905)111-1111"},
        [],
        id="old-form",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "077 5291 4246^HOME",
        "",
        {"system": "phone", "value": "077 5291 4246", "use": "home"},
        [],
        id="use-in-words",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^PRN^PH^^1^270^6009800^12",
        "",
        {
            "system": "phone",
            "value": "+1 270 6009800 X12",
            "use": "home",
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-country",
                    "valueString": "1",
                },
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-area",
                    "valueString": "270",
                },
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-local",
                    "valueString": "6009800",
                },
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-extension",
                    "valueString": "12",
                },
            ],
        },
        [],
        id="parts",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^WPN^CP^^^^^^^^^5551234^2001^2002^^^^2",
        "",
        {
            "system": "phone",
            "value": "5551234",
            "use": "mobile",
            "period": {"start": "2001", "end": "2002"},
            "rank": "2",
        },
        [],
        id="unformatted-mobile",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^NET^Internet^a@b.c",
        "",
        {"system": "email", "value": "a@b.c"},
        [],
        id="email",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "a@b.c^NET",
        "",
        {"system": "email", "value": "a@b.c"},
        [],
        id="email-in-the-first",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^Internet^http://b.c",
        "",
        {"system": "url", "value": "http://b.c"},
        [],
        id="page",
    ),
    pytest.param(
        "XTN.ContactPoint", "1^BPN", "", {"system": "pager", "value": "1"}, [], id="beeper"
    ),
    pytest.param("XTN.ContactPoint", "1^^FX", "", {"system": "fax", "value": "1"}, [], id="fax"),
    pytest.param(
        "XTN.ContactPoint",
        "1^ASN^??",
        "",
        {"system": "phone", "value": "1"},
        ["code-unmapped", "code-unmapped"],
        id="unknown-codes",
    ),
    pytest.param("XTN.ContactPoint", "^PRN^PH", "", None, [], id="no-number"),
    pytest.param(
        "TN.ContactPoint", "555-1234", "", {"system": "phone", "value": "555-1234"}, [], id="tn"
    ),
    pytest.param("XTN.string", "^PRN^PH^^^270^6009800", "", "270 6009800", [], id="value-alone"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_telecom_has_system_and_value(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Old and new forms of a number give one contact point."""
    value = convert(name, text, table)

    assert value == (expected, found)
