"""Which rows are remembered together."""

from adapters.hl7v2.compiler.alike import altered, runs
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import SegmentMap, parse_map

MAP = """segment = "OBX"
target = "Observation"
[[row]]
from = "OBX-11"
to = "status"
as = "ID.code"
table = "ObservationResultStatus"
[[row]]
from = "OBX-3"
to = "code"
as = "CWE.CodeableConcept"
"""
NOTED = (
    'segment = "NTE"\ntarget = "Observation"\ninstance = "near"\n[[row]]\nto = "code"\nfixed = 1\n'
)


def remembered(rules: SegmentMap, *others: SegmentMap) -> list[list[str]]:
    """Row ids of each run."""
    found = runs(rules, altered((rules, *others)))
    return [[row.id for row in rows] for together, rows in found if together]


def test_codes_side_by_side_are_one_run() -> None:
    """Their texts come again together."""
    assert remembered(parse_map("m", MAP)) == [["OBX-11", "OBX-3"]]


def test_element_that_another_map_fills_is_not_remembered() -> None:
    """It would be altered behind the encoded value."""
    assert remembered(parse_map("m", MAP), parse_map("n", NOTED)) == []


def test_element_of_two_runs_is_not_remembered() -> None:
    """The second would replace what the first has appended."""
    again = '[[row]]\nid = "x"\nfrom = "OBX-14"\nto = "issued"\nas = "TS.instant"\n'
    twice = '[[row]]\nid = "y"\nfrom = "OBX-8"\nto = "code"\nas = "CWE.CodeableConcept"\n'

    assert remembered(parse_map("m", MAP + again + twice)) == []


def test_merged_resource_is_not_remembered() -> None:
    """What a map fills may hold elements of an earlier segment."""
    assert remembered(parse_map("m", "merge = true\n" + MAP)) == []


def test_results_are_remembered() -> None:
    """The shipped map of OBX has runs: large reports live by them."""
    shipped = {rules.name: rules for rules in base_maps()}

    found = remembered(shipped["OBX.Observation"], *shipped.values())

    assert ["OBX-7", "OBX-8"] in found
