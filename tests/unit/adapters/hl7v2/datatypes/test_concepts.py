"""Small composites."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "DLD.Location",
        "22&Homes^20240101",
        "",
        {
            "identifier": [{"system": "urn:x:stmary/NamingSystem/discharged-to", "value": "22"}],
            "mode": "instance",
            "name": "Homes",
            "type": [{"coding": [{"code": "22", "display": "Homes"}], "text": "Homes"}],
        },
        [],
        id="discharged-to",
    ),
    pytest.param("DLD.Location", "to her sister", "", None, [], id="discharged-to-words"),
    pytest.param("DLD.display", "to her sister", "", "to her sister", [], id="discharge-words"),
    pytest.param(
        "JCC.CodeableConcept",
        "01^P^Nurse",
        "",
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/v2-0327", "code": "01"},
                {"system": "http://terminology.hl7.org/CodeSystem/v2-0328", "code": "P"},
            ],
            "text": "Nurse",
        },
        [],
        id="job",
    ),
    pytest.param(
        "FC.CodeableConcept",
        "HMO^2020",
        "FinancialClass",
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                    "code": "HMO",
                    "display": "health maintenance organization policy",
                },
                {"system": "http://terminology.hl7.org/CodeSystem/v2-0064", "code": "HMO"},
            ]
        },
        [],
        id="financial-class",
    ),
    pytest.param("FC.dateTime", "HMO^2020", "", "2020", [], id="since"),
    pytest.param(
        "DLD.CodeableConcept",
        "NH&Nursing home",
        "",
        {"coding": [{"code": "NH", "display": "Nursing home"}], "text": "Nursing home"},
        [],
        id="discharged-to",
    ),
    pytest.param(
        "OG.Extension",
        "a^1^2^x",
        "",
        {
            "url": "http://hl7.org/fhir/StructureDefinition/observation-v2-subid",
            "extension": [
                {"url": "original-sub-identifier", "valueString": "a"},
                {"url": "identifier", "valueString": "x"},
                {"url": "group", "valueDecimal": "1"},
                {"url": "sequence", "valueDecimal": "2"},
            ],
        },
        [],
        id="sub-id",
    ),
    pytest.param("OG.string", "1^2", "", "1.2", [], id="sub-id-text"),
    pytest.param("OG.Extension", "", "", None, [], id="empty"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_composite_concept(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """A composite that carries one concept gives that concept."""
    value = convert(name, text, table)

    assert value == (expected, found)
