"""The expression of a row's value."""

import pytest

from adapters.hl7v2.compiler.code import Code
from adapters.hl7v2.compiler.conversion import conversion, wrapped
from adapters.hl7v2.compiler.rows import SegmentMap, parse_map
from adapters.hl7v2.datatypes import DATATYPES

HEAD = 'segment = "PV1"\ntarget = "Encounter"\n[[row]]\nfrom = "PV1-3"\nto = "x"\n'


def rules(row: str) -> SegmentMap:
    """A map of one row."""
    return parse_map("m", HEAD + row)


@pytest.mark.parametrize(
    ("function", "asks"),
    [
        ("CWE.CodeableConcept", "shelf["),
        ("TS.dateTime", "values.get("),
        ("XPN.HumanName", "XPN_HumanName"),
        ("XCN.Practitioner", "b.refer("),
    ],
)
def test_known_values_are_asked_first(function: str, asks: str) -> None:
    """Codes by sender, times by message, people as resources; what is of one patient never."""
    found = rules(f'as = "{function}"')
    code = Code(rules=found, tracing=False)

    assert conversion(code, found.rows[0], DATATYPES[function], {}).startswith(asks)


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ("", "x"),
        ('url = "urn:a"', "{'url': 'urn:a', 'valueCode': x}"),
        ('url = "urn:a"\npart = "b"',
         "{'url': 'urn:a', 'extension': [{'url': 'b', 'valueCode': x}]}"),
    ],
)  # fmt: skip
def test_value_stands_in_the_extension_that_the_row_names(row: str, made: str) -> None:
    """As it is where the row names none."""
    found = rules(f'as = "ID.code"\n{row}')

    assert wrapped(found.rows[0], DATATYPES["ID.code"]) == made
