"""Persons in a role."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.adapters.hl7v2.datatypes.named import organization

CASES: list[Any] = [
    pytest.param(
        "XCN.Practitioner", "CAR^Cardiology^HL70069", "", None, ["person-coded"], id="a-code"
    ),
    pytest.param("XCN.Practitioner", "20250120143000", "", None, ["person-coded"], id="a-time"),
    pytest.param("XCN.display", "199505011200", "", "199505011200", [], id="twelve-digits"),
    pytest.param("XCN.display", "99223^Initial care^CPT", "", None, [], id="a-code-shown"),
    pytest.param("XCN.display", "7^Cardinal^LN", "", "LN Cardinal", [], id="initials"),
    pytest.param(
        "XCN.display", "1^Cardinal^Anna^^^MD", "", "Anna Cardinal MD", [], id="degree-as-title"
    ),
    pytest.param(
        "XCN.Practitioner",
        "2905^House^Greg^^IV^^M.D.^^NPI&2.16.840.1.113883.4.6&ISO^^^^NPI",
        "",
        {
            "identifier": [
                {
                    "value": "2905",
                    "system": "http://hl7.org/fhir/sid/us-npi",
                    "assigner": {"display": "NPI"},
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                "code": "NPI",
                                "display": "National provider identifier",
                            }
                        ]
                    },
                }
            ],
            "qualification": [
                {
                    "code": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0360",
                                "code": "MD",
                                "display": "Doctor of Medicine",
                            }
                        ]
                    }
                }
            ],
            "name": [{"family": "House", "given": ["Greg"], "suffix": ["IV"]}],
        },
        [],
        id="npi-and-degree",
    ),
    pytest.param(
        "XCN.HumanName",
        "1^Frey^Ute^^^Dr.^med.",
        "",
        {"family": "Frey", "given": ["Ute"], "prefix": ["Dr."], "suffix": ["med."]},
        [],
        id="doctor-of-medicine-in-german",
    ),
    pytest.param("XCN.Practitioner", "^House^Greg", "", None, [], id="name-alone"),
    pytest.param("XCN.display", "^House^Greg^^^Dr", "", "Dr Greg House", [], id="display"),
    pytest.param("XCN.display", "2905", "", "2905", [], id="identifier-as-display"),
    pytest.param(
        "XCN.Identifier",
        "2905^^^^^^^^LAB",
        "",
        {
            "value": "2905",
            "system": "urn:x:stmary/NamingSystem/LAB",
            "assigner": organization("LAB"),
        },
        [],
        id="identifier",
    ),
    pytest.param(
        "XCN.HumanName",
        "1^A^B^^^^PhD^^^L",
        "",
        {"family": "A", "given": ["B"], "suffix": ["PhD"], "use": "official"},
        [],
        id="name",
    ),
    pytest.param(
        "XCN.Person",
        "1^A",
        "",
        {"identifier": [{"value": "1"}], "name": [{"family": "A"}]},
        [],
        id="person",
    ),
    pytest.param(
        "CN.Practitioner",
        "1^A^B",
        "",
        {"identifier": [{"value": "1"}], "name": [{"family": "A", "given": ["B"]}]},
        [],
        id="old-form",
    ),
    pytest.param("CN.HumanName", "1^A", "", {"family": "A"}, [], id="old-name"),
    pytest.param(
        "CNN.Practitioner",
        "1^A^^^^^^^N^1.2.3.4^ISO",
        "",
        {
            "identifier": [
                {
                    "value": "1",
                    "system": "urn:oid:1.2.3.4",
                    "assigner": organization("N", "urn:oid:1.2.3.4"),
                }
            ],
            "name": [{"family": "A"}],
        },
        [],
        id="spread-authority",
    ),
    pytest.param(
        "NDL.Practitioner",
        "1&A&B^2020",
        "",
        {"identifier": [{"value": "1"}], "name": [{"family": "A", "given": ["B"]}]},
        [],
        id="ndl",
    ),
    pytest.param("NDL.display", "&A&B", "", "B A", [], id="ndl-display"),
    pytest.param(
        "NDL.Period", "x^2020^2021", "", {"start": "2020", "end": "2021"}, [], id="ndl-period"
    ),
]


@pytest.mark.parametrize(("name", "text", "table", "expected", "found"), CASES)
def test_person_needs_an_identifier(
    convert: Callable[..., Any],
    name: str,
    text: str,
    table: str,
    expected: object,
    found: list[str],
) -> None:
    """With an identifier a person is a resource, without one a display."""
    value = convert(name, text, table)

    assert value == (expected, found)


def test_word_cut_short_is_no_degree(convert: Callable[..., tuple[Any, list[str]]]) -> None:
    """`Dr. med.` is of medicine: the MED of table 0360 is a Master of Education."""
    made, _ = convert("XCN.Practitioner", "1^Frey^Ute^^^Dr.^med.")

    assert "qualification" not in made
    assert made["name"][0]["suffix"] == ["med."]
