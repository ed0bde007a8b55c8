"""Identifiers and their authorities."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.identifiers import assigned, governing, is_placeholder
from tests.unit.adapters.hl7v2.datatypes.named import organization

CASES: list[Any] = [
    *(
        pytest.param(
            "ST.SocialSecurity",
            number,
            "",
            {"value": number, "system": "http://hl7.org/fhir/sid/us-ssn"},
            [],
            id=f"ssn-{number}",
        )
        for number in ("123-45-6789", "123456789", "XXX-XX-6789")
    ),
    *(
        pytest.param("ST.SocialSecurity", number, "", {"value": number}, [], id=f"other-{number}")
        for number in ("82071500001", "7560111222333", "A12345678", "1234")
    ),
    pytest.param("EI.AssignedIdentifier", "8", "", None, [], id="run-number"),
    pytest.param(
        "EI.AssignedIdentifier",
        "8^^1.2.3.4^ISO",
        "",
        {"value": "8", "system": "urn:oid:1.2.3.4"},
        [],
        id="number-with-its-authority",
    ),
    pytest.param(
        "CX.Identifier", "1^^^^^^x", "", {"value": "1"}, ["date-invalid"], id="bad-period"
    ),
    pytest.param(
        "CX.Identifier",
        "12345^^^HOSP&1.2.3.4.5&ISO^MR^^20200101^2021",
        "",
        {
            "value": "12345",
            "system": "urn:oid:1.2.3.4.5",
            "assigner": organization("HOSP", "urn:oid:1.2.3.4.5"),
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "MR",
                        "display": "Medical record number",
                    }
                ]
            },
            "period": {"start": "2020-01-01", "end": "2021"},
        },
        [],
        id="oid-and-period",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^&7F9B3E64-1B70-4A5F-9C79-3E0F6A2F1C11&UUID",
        "",
        {"value": "1", "system": "urn:uuid:7f9b3e64-1b70-4a5f-9c79-3e0f6a2f1c11"},
        [],
        id="uuid",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^&http://h.example/mrn&URI",
        "",
        {"value": "1", "system": "http://h.example/mrn"},
        [],
        id="uri",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^&h.example&DNS",
        "",
        {"value": "1", "system": "urn:dns:h.example"},
        [],
        id="dns",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^NIST MPI",
        "",
        {
            "value": "1",
            "system": "urn:x:stmary/NamingSystem/NIST%20MPI",
            "assigner": organization("NIST MPI"),
        },
        [],
        id="name-space-only",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^test1&2.16.1&HCD^MR",
        "",
        {
            "value": "1",
            "system": "urn:x:stmary/NamingSystem/test1",
            "assigner": organization("test1"),
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "MR",
                        "display": "Medical record number",
                    }
                ]
            },
        },
        ["authority-invalid"],
        id="unusable-universal-id",
    ),
    pytest.param(
        "CX.Identifier",
        "078051120^^^^SS",
        "",
        {
            "value": "078051120",
            "system": "http://hl7.org/fhir/sid/us-ssn",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "SS",
                        "display": "Social Security number",
                    }
                ]
            },
        },
        [],
        id="national-authority",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^&2.16.840.1.113883.4.6&ISO",
        "",
        {"value": "1", "system": "http://hl7.org/fhir/sid/us-npi"},
        [],
        id="registered-oid",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^^OWN",
        "",
        {
            "value": "1",
            "type": {"coding": [{"system": "urn:x:stmary/CodeSystem/v2-0203", "code": "OWN"}]},
        },
        [],
        id="own-type",
    ),
    pytest.param(
        "CX.Identifier",
        "1^^^^NNESP",
        "",
        {
            "value": "1",
            "type": {"coding": [{"system": "urn:x:stmary/CodeSystem/v2-0203", "code": "NNESP"}]},
        },
        [],
        id="national-person-id",
    ),
    pytest.param(
        "CX.Identifier",
        "9434765919^^^NHS",
        "",
        {
            "value": "9434765919",
            "system": "urn:x:stmary/NamingSystem/NHS",
            "assigner": organization("NHS"),
        },
        [],
        id="name-of-a-state-without-its-type",
    ),
    pytest.param(
        "EI.Device",
        "PUMP7^ward",
        "",
        {
            "identifier": [
                {
                    "value": "PUMP7",
                    "system": "urn:x:stmary/NamingSystem/ward",
                    "assigner": {"display": "ward"},
                }
            ]
        },
        [],
        id="device",
    ),
    pytest.param(
        "EI.FillerGroupIdentifier",
        "1",
        "",
        {
            "value": "1",
            "type": {
                "coding": [
                    {
                        "code": "FGN",
                        "display": "Filler Group Number",
                    }
                ]
            },
        },
        [],
        id="filler-group",
    ),
    pytest.param("CX.Identifier", "^^^HOSP", "", None, [], id="no-number"),
    pytest.param("CX.string", "1^2", "", "1", [], id="number-alone"),
    pytest.param(
        "EI.Identifier",
        "4422^SndApp^1.2.3.4.5^ISO",
        "",
        {"value": "4422", "system": "urn:oid:1.2.3.4.5", "assigner": {"display": "SndApp"}},
        [],
        id="entity",
    ),
    pytest.param(
        "EI.PlacerIdentifier",
        "1",
        "",
        {
            "value": "1",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "PLAC",
                        "display": "Placer Identifier",
                    }
                ]
            },
        },
        [],
        id="placer",
    ),
    pytest.param(
        "EI.FillerIdentifier",
        "1",
        "",
        {
            "value": "1",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "FILL",
                        "display": "Filler Identifier",
                    }
                ]
            },
        },
        [],
        id="filler",
    ),
    pytest.param(
        "EI.GroupIdentifier",
        "1",
        "",
        {
            "value": "1",
            "type": {
                "coding": [
                    {
                        "code": "PGN",
                        "display": "Placer Group Number",
                    }
                ]
            },
        },
        [],
        id="group",
    ),
    pytest.param(
        "EI.Coding", "a^LN", "", {"code": "a", "system": "http://loinc.org"}, [], id="coding"
    ),
    pytest.param(
        "EIP.PlacerIdentifier",
        "A&N^B",
        "",
        {
            "value": "A",
            "system": "urn:x:stmary/NamingSystem/N",
            "assigner": {"display": "N"},
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "PLAC",
                        "display": "Placer Identifier",
                    }
                ]
            },
        },
        [],
        id="pair-placer",
    ),
    pytest.param(
        "EIP.FillerIdentifier",
        "A^B",
        "",
        {
            "value": "B",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "FILL",
                        "display": "Filler Identifier",
                    }
                ]
            },
        },
        [],
        id="pair-filler",
    ),
    pytest.param(
        "PLN.Identifier",
        "77^DEA^MI^2025",
        "PractitionerIDNumberType",
        {
            "value": "77",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0338",
                        "code": "DEA",
                        "display": "Drug Enforcement Agency no.",
                    }
                ]
            },
            "period": {"end": "2025"},
        },
        [],
        id="licence",
    ),
    pytest.param(
        "DLN.Identifier",
        "D1^MI^2025",
        "",
        {
            "value": "D1",
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "DL",
                        "display": "Driver's license number",
                    }
                ]
            },
            "system": "urn:x:stmary/NamingSystem/DL-MI",
            "period": {"end": "2025"},
        },
        [],
        id="driver",
    ),
    pytest.param(
        "CX.Identifier",
        "1^7^M11^^MR^CLINIC",
        "",
        {
            "value": "1",
            "system": "urn:x:stmary/NamingSystem/CLINIC",
            "assigner": organization("CLINIC"),
            "type": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                        "code": "MR",
                        "display": "Medical record number",
                    }
                ]
            },
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit",
                    "valueString": "7",
                }
            ],
        },
        [],
        id="check-digit-and-facility-for-authority",
    ),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_identifier_names_its_authority(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """An identifier carries a system that no other hospital's can collide with."""
    value = convert(name, text, table)

    assert value == (expected, found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1^^^A^SS", "1^^^A^SS"),
        ("1^^^A^SS~2^^^B^MR~3^^^C^MR", "2^^^B^MR"),
        ("1^^^A^PI~2^^^B^MR", "2^^^B^MR"),
        ("1^^^A^NNCHE~2^^^B~3^^^C^XYZ", "2^^^B"),
        ("1^^^A^SS~3^^^C^XYZ", "3^^^C^XYZ"),
        ("1^^^A^SS~2^^^A^DL", "1^^^A^SS"),
        ('""^^^A^MR~2^^^A^SS', "2^^^A^SS"),
        ("~^^^A^MR", ""),
    ],
    ids=["one", "mr", "before-pi", "untyped", "own-code", "first-of-two", "no-number", "none"],
)
def test_record_is_named_by_the_hospitals_own_number(
    ctx: Context, text: str, expected: str
) -> None:
    """In whatever order the sender lists them (docs/adr/0019)."""
    assert governing(text, ctx) == expected


@pytest.mark.parametrize(
    ("number", "system"),
    [
        ("9434765919^^^NHS^NH", "https://fhir.nhs.uk/Id/nhs-number"),
        ("999999011^^^NLMINBIZA^NNNLD", "http://fhir.nl/fhir/NamingSystem/bsn"),
        ("2950^^^AUSHIC^MC", "http://ns.electronichealth.net.au/id/medicare-number"),
        ("123456789^^^USSSA^SS", "http://hl7.org/fhir/sid/us-ssn"),
        ("1234567893^^^NPI", "http://hl7.org/fhir/sid/us-npi"),
        ("1234567893^^^NPPES^NPI", "http://hl7.org/fhir/sid/us-npi"),
    ],
    ids=["england", "netherlands", "australia", "us", "npi", "nppes"],
)
def test_number_of_a_state_has_the_url_of_its_guide(
    convert: Callable[..., Any], number: str, system: str
) -> None:
    """The names that national guides to HL7 v2 give their authorities; nobody else's words."""
    value, found = convert("CX.Identifier", number, "")

    assert (value["system"], found) == (system, [])
    assert value["assigner"] == {"display": number.split("^")[3]}


@pytest.mark.parametrize(
    ("number", "system"),
    [("123-45-6789", "http://hl7.org/fhir/sid/us-ssn"), ("7560111222333", None)],
    ids=["united-states", "switzerland"],
)
def test_social_security_without_authority_is_of_the_state_that_writes_it_so(
    convert: Callable[..., Any], number: str, system: str | None
) -> None:
    """Every state has such numbers; those of the United States have nine digits."""
    value, _ = convert("CX.Identifier", f"{number}^^^^SS", "")

    assert value.get("system") == system


@pytest.mark.parametrize(
    ("facility", "system"),
    [
        ("HOSP", "urn:x:stmary/NamingSystem/HOSP"),
        ("HOSP^1.2.3.4.5^ISO", "urn:oid:1.2.3.4.5"),
        ("LAB^05D0642827^CLIA", "urn:x:stmary/NamingSystem/LAB"),
    ],
    ids=["name", "oid", "clia"],
)
def test_number_without_authority_is_of_the_facility(facility: str, system: str) -> None:
    """MSH-4 names the same name space as it does beside a number."""
    ctx = Context(namespace="urn:x:stmary", facility=facility)

    assert assigned("1", "", "MR", ctx)["system"] == system
    assert ctx.findings == []


@pytest.mark.parametrize("convert_to", ["CX.Identifier", "EI.Identifier"])
def test_facility_of_delimiters_alone_is_no_name_space(convert_to: str) -> None:
    """MSH-4 of `^`: an empty system is no system."""
    ctx = Context(namespace="urn:x:stmary", facility="^")

    assert DATATYPES[convert_to].function("1", ctx) == {"value": "1"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Unknown", True), ("N/A", True), ("000-00-0000", True), ("0", True), ("-", True),
        ("999-99-9999", True), ("999999999", True), ("99", False), ("0815", False),
        ("NA", False), ("U12", False), ("100", False),
    ],
)  # fmt: skip
def test_number_that_says_there_is_none(value: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """Words, zeros and nines: whoever has them has no number."""
    assert is_placeholder(value) is expected
