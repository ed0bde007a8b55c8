"""Telecommunication addresses."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "XTN.ContactPoint",
        "^NET^X.400^800013630",
        "",
        [{"system": "email", "value": "800013630"}],
        [],
        id="mailbox-with-a-number",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "02111111111^^^HOME^^^^^ask for Jo",
        "",
        [
            {
                "system": "phone",
                "value": "02111111111",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-comment",
                        "valueString": "HOME ask for Jo",
                    }
                ],
            }
        ],
        [],
        id="words-in-place-of-the-address",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^PH^^49^711^246813^^^^^0711/246813",
        "",
        [
            {
                "system": "phone",
                "value": "+49 711 246813",
                "extension": [
                    {
                        "url": f"http://hl7.org/fhir/StructureDefinition/contactpoint-{name}",
                        "valueString": value,
                    }
                    for name, value in (("country", "49"), ("area", "711"), ("local", "246813"))
                ],
            }
        ],
        [],
        id="once-for-abroad-and-once-for-here",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^^http://b.c",
        "",
        [{"system": "url", "value": "http://b.c"}],
        [],
        id="page-without-type",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^^someone",
        "",
        [{"system": "other", "value": "someone"}],
        [],
        id="address-of-no-known-kind",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "(905)111-1111",
        "",
        [{"system": "phone", "value": "(905)111-1111"}],
        [],
        id="old-form",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "077 5291 4246^HOME",
        "",
        [{"system": "phone", "value": "077 5291 4246", "use": "home"}],
        [],
        id="use-in-words",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^PRN^PH^^1^270^6009800^12",
        "",
        [
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
            }
        ],
        [],
        id="parts",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^WPN^CP^^^^^^^^^5551234^2001^2002^^^^2",
        "",
        [
            {
                "system": "phone",
                "value": "5551234",
                "use": "mobile",
                "period": {"start": "2001", "end": "2002"},
                "rank": "2",
            }
        ],
        [],
        id="unformatted-mobile",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^NET^Internet^a@b.c",
        "",
        [{"system": "email", "value": "a@b.c"}],
        [],
        id="email",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "a@b.c^NET",
        "",
        [{"system": "email", "value": "a@b.c"}],
        [],
        id="email-in-the-first",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^^Internet^http://b.c",
        "",
        [{"system": "url", "value": "http://b.c"}],
        [],
        id="page",
    ),
    pytest.param(
        "XTN.ContactPoint", "1^BPN", "", [{"system": "pager", "value": "1"}], [], id="beeper"
    ),
    pytest.param("XTN.ContactPoint", "1^^FX", "", [{"system": "fax", "value": "1"}], [], id="fax"),
    pytest.param(
        "XTN.ContactPoint",
        "1^ASN^??",
        "",
        [{"system": "phone", "value": "1"}],
        ["code-unmapped", "code-unmapped"],
        id="unknown-codes",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "(555)555-1234^PRN^PH^a@b.c",
        "",
        [
            {"system": "phone", "value": "(555)555-1234", "use": "home"},
            {"system": "email", "value": "a@b.c", "use": "home"},
        ],
        [],
        id="number-and-mailbox",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "a@b.c^NET^Internet^^^555^1234567",
        "",
        [
            {
                "system": "phone",
                "value": "555 1234567",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-area",
                        "valueString": "555",
                    },
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-local",
                        "valueString": "1234567",
                    },
                ],
            },
            {"system": "email", "value": "a@b.c"},
        ],
        [],
        id="mailbox-before-the-parts",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "777^^^555-1234^^^5551234^^^^^+1 555 5551234",
        "",
        [
            {
                "system": "phone",
                "value": "+1 555 5551234",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-local",
                        "valueString": "5551234",
                    }
                ],
            },
            {"system": "phone", "value": "777"},
        ],
        [],
        id="two-numbers-and-one-of-them-again",
    ),
    pytest.param(
        "TN.ContactPoint",
        "(555)555-1234X89B4711CEvenings",
        "",
        [
            {
                "system": "phone",
                "value": "(555)555-1234 X89",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-extension",
                        "valueString": "89",
                    },
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-comment",
                        "valueString": "Evenings",
                    },
                ],
            },
            {"system": "pager", "value": "4711"},
        ],
        [],
        id="tn-with-extension-beeper-and-words",
    ),
    pytest.param(
        "TN.ContactPoint",
        "555-1234CALL FIRST",
        "",
        [
            {
                "system": "phone",
                "value": "555-1234",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-comment",
                        "valueString": "CALL FIRST",
                    }
                ],
            }
        ],
        [],
        id="tn-with-a-word",
    ),
    pytest.param(
        "TN.ContactPoint",
        "555-1234XB",
        "",
        [{"system": "phone", "value": "555-1234XB"}],
        [],
        id="tn-of-no-form",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^NET^X.400^C=CH;S=Berg",
        "",
        [{"system": "email", "value": "C=CH;S=Berg"}],
        [],
        id="x400",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "berg^NET^Internet",
        "",
        [{"system": "email", "value": "berg"}],
        [],
        id="mailbox-without-host",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^PRN^CP^a@b.c",
        "",
        [{"system": "email", "value": "a@b.c"}],
        [],
        id="mobile-is-no-mailbox",
    ),
    pytest.param(
        "XTN.ContactPoint",
        "^WPN^PH^^^^5551234^^ask for Jo",
        "",
        [
            {
                "system": "phone",
                "value": "5551234",
                "use": "work",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-local",
                        "valueString": "5551234",
                    },
                    {
                        "url": "http://hl7.org/fhir/StructureDefinition/contactpoint-comment",
                        "valueString": "ask for Jo",
                    },
                ],
            }
        ],
        [],
        id="any-text",
    ),
    pytest.param("XTN.ContactPoint", "^PRN^PH", "", None, [], id="no-number"),
    pytest.param(
        "TN.ContactPoint", "555-1234", "", [{"system": "phone", "value": "555-1234"}], [], id="tn"
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
    """Old and new forms of a number give one contact point, a mailbox beside it another."""
    value = convert(name, text, table)

    assert value == (expected, found)
