"""Coded elements."""

from collections.abc import Callable
from typing import Any

import pytest

CASES: list[Any] = [
    pytest.param(
        "CE.Coding",
        "a^^1.2.3.4.5",
        "",
        {"system": "urn:oid:1.2.3.4.5", "code": "a"},
        [],
        id="oid-as-name",
    ),
    pytest.param(
        "CE.Coding",
        "a^^http://x/cs",
        "",
        {"system": "http://x/cs", "code": "a"},
        [],
        id="uri-as-name",
    ),
    pytest.param(
        "CE.CodeableConcept",
        "718-7^Hemoglobin^LN^HGB^Hb^L",
        "",
        {
            "coding": [
                {"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"},
                {"system": "urn:x:stmary/CodeSystem/L", "code": "HGB", "display": "Hb"},
            ],
            "text": "Hemoglobin",
        },
        [],
        id="two-triplets",
    ),
    pytest.param(
        "CWE.CodeableConcept",
        "1^A^LN^2^B^LN^2.1^2.2^said^3^C^LN^2.3",
        "",
        {
            "coding": [
                {"system": "http://loinc.org", "code": "1", "display": "A", "version": "2.1"},
                {"system": "http://loinc.org", "code": "2", "display": "B", "version": "2.2"},
                {"system": "http://loinc.org", "code": "3", "display": "C", "version": "2.3"},
            ],
            "text": "said",
        },
        [],
        id="three-triplets-with-versions",
    ),
    pytest.param(
        "CWE.CodeableConcept",
        "1^A^OWN^^^^^^^^^^^1.2.3.4.5",
        "",
        {"coding": [{"system": "urn:oid:1.2.3.4.5", "code": "1", "display": "A"}], "text": "A"},
        [],
        id="oid-of-unknown-system",
    ),
    pytest.param(
        "CWE.CodeableConcept",
        "1^A^OWN^^^^^^^^^^^2.16.840.1.113883.6.1",
        "",
        {"coding": [{"system": "http://loinc.org", "code": "1", "display": "A"}], "text": "A"},
        [],
        id="oid-of-known-system",
    ),
    pytest.param(
        "CE.CodeableConcept",
        "x^Y^WinPath",
        "",
        {
            "coding": [{"system": "urn:x:stmary/CodeSystem/WinPath", "code": "x", "display": "Y"}],
            "text": "Y",
        },
        ["coding-system-unknown"],
        id="unknown-system",
    ),
    pytest.param("CE.CodeableConcept", "^only text", "", {"text": "only text"}, [], id="text-only"),
    pytest.param("CE.CodeableConcept", "^^", "", None, [], id="empty"),
    pytest.param("CE.CodeableConcept", '""^""', "", None, [], id="absent-components"),
    pytest.param(
        "IS.CodeableConcept",
        "M",
        "MaritalStatus",
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                    "code": "M",
                    "display": "Married",
                },
                {"system": "http://terminology.hl7.org/CodeSystem/v2-0002", "code": "M"},
            ]
        },
        [],
        id="mapped-first",
    ),
    pytest.param(
        "IS.CodeableConcept",
        "m^wed^HL70002",
        "MaritalStatus",
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
                    "code": "M",
                    "display": "Married",
                },
                {"system": "urn:x:stmary/CodeSystem/v2-0002", "code": "m", "display": "wed"},
            ],
            "text": "wed",
        },
        [],
        id="is-sent-as-cwe",
    ),
    pytest.param(
        "CWE.Coding",
        "Father^^HL70063",
        "",
        {"system": "urn:x:stmary/CodeSystem/v2-0063", "code": "Father"},
        [],
        id="no-code-of-the-table-that-it-names",
    ),
    pytest.param(
        "CWE.Coding",
        "FTH^^HL70063",
        "",
        {"system": "http://terminology.hl7.org/CodeSystem/v2-0063", "code": "FTH"},
        [],
        id="code-of-the-table-that-it-names",
    ),
    pytest.param(
        "CWE.Coding",
        "V02^^HL70064",
        "",
        {"system": "http://terminology.hl7.org/CodeSystem/v2-0064", "code": "V02"},
        [],
        id="table-that-publishes-nothing",
    ),
    pytest.param(
        "IS.CodeableConcept",
        "ZZ",
        "MaritalStatus",
        {"coding": [{"system": "urn:x:stmary/CodeSystem/v2-0002", "code": "ZZ"}]},
        ["code-unmapped"],
        id="unmapped",
    ),
    pytest.param(
        "IS.Coding",
        "I",
        "PatientClass.EncounterClass",
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "IMP",
            "display": "inpatient encounter",
        },
        [],
        id="class",
    ),
    pytest.param(
        "CE.Coding",
        "a^b^LN",
        "",
        {"system": "http://loinc.org", "code": "a", "display": "b"},
        [],
        id="first-coding",
    ),
    pytest.param("IS.code", "F", "AdministrativeSex", "female", [], id="gender"),
    pytest.param("ID.code", "NOSHOW", "AppointmentStatus", "noshow", [], id="capitals"),
    pytest.param("IS.code", "?", "AdministrativeSex", None, ["code-unmapped"], id="unmapped-code"),
    pytest.param("CWE.code", "^^^b", "", "b", [], id="second-code"),
    pytest.param("CWE.string", "a^b^^^^^^^c", "", "c", [], id="original-text"),
    pytest.param("IS.string", "a", "", "a", [], id="code-as-text"),
    pytest.param("ID.boolean", "Y", "", True, [], id="yes"),
    pytest.param("ID.boolean", "maybe", "", None, ["boolean-invalid"], id="no-boolean"),
    pytest.param(
        "CWE.Identifier",
        "a^b^LN",
        "",
        {"value": "a", "system": "http://loinc.org"},
        [],
        id="identifier",
    ),
    pytest.param(
        "CWE.Organization",
        "a^Lab",
        "",
        {"identifier": [{"value": "a"}], "name": "Lab"},
        [],
        id="organization",
    ),
    pytest.param("CWE.Annotation", "a^b", "", {"text": "b"}, [], id="annotation"),
    pytest.param("CWE.uri", "urn:oid:1.2", "", "urn:oid:1.2", [], id="uri"),
    pytest.param("ST.CodeableConcept", "pain", "", {"text": "pain"}, [], id="text-as-concept"),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_coded_element(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """Each populated triplet is a coding, a mapped one first, the original kept."""
    value = convert(name, text, table)

    assert value == (expected, found)
