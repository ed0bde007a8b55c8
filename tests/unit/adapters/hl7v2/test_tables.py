"""Code tables: every shipped one is whole, and a wrong one is refused by file and line."""

import pytest

from adapters.hl7v2.published import publishes
from adapters.hl7v2.tables import coding_system, load, names, parse
from bridge.core.errors import BridgeError


@pytest.mark.parametrize("name", names())
def test_shipped_table_is_whole(name: str) -> None:
    """Every row has a URI as system that has the code, a code by FHIR's grammar and a display."""
    table = load(name)

    assert table
    for code, (system, target, display) in table.items():
        assert system.startswith(("http://", "https://", "urn:")) or code in {"PGN", "FGN"}
        assert name == "CodingSystem" or publishes(system, target), code
        assert " ".join(target.split()) == target
        assert display


def test_unknown_table_names_its_neighbours() -> None:
    """An unknown table is refused with the tables that begin alike."""
    with pytest.raises(BridgeError, match=r"no code table MaritalState \(.*use one of: Marital"):
        load("MaritalState")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["code,target"], id="header"),
        pytest.param(["code,system,target,display", "a,b,c"], id="too-short"),
        pytest.param(["code,system,target,display", "a,b,,d"], id="no-target"),
        pytest.param(["code,system,target,display", "a,b,c,d", "a,b,c,d"], id="twice"),
    ],
)
def test_wrong_table_is_refused_by_line(lines: list[str]) -> None:
    """A site's table that is not such a file is refused where it goes wrong."""
    with pytest.raises(BridgeError, match=rf"site\.csv, line {len(lines)}\) - correct the line"):
        parse(lines, where="site.csv")


def test_table_knows_whose_codes_it_maps() -> None:
    """The source of a table is the HL7 code system of its first column."""
    assert load("MaritalStatus").source == "http://terminology.hl7.org/CodeSystem/v2-0002"
    assert parse(["code,system,target,display", "a,b,c,d"], where="x") == {"a": ("b", "c", "d")}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LN", "http://loinc.org"),
        ("ln", "http://loinc.org"),
        ("SCT", "http://snomed.info/sct"),
        ("UCUM", "http://unitsofmeasure.org"),
        ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
        ("HL70001", "http://terminology.hl7.org/CodeSystem/v2-0001"),
        ("HL7 1", "http://terminology.hl7.org/CodeSystem/v2-0001"),
        ("HL7nnnn", ""),
        ("WinPath", ""),
    ],
)
def test_coding_system_by_name_or_oid(name: str, expected: str) -> None:
    """Names of table 0396, OIDs and HL7 tables give their URI, others nothing."""
    assert coding_system(name) == expected
