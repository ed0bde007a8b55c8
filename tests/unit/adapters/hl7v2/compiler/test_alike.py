"""Rows that are remembered together, and those that may not be."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.compiler.alike import altered, runs
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import SegmentMap, parse_map
from bridge.core.record.statements import says_nothing

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
Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


@pytest.mark.parametrize("rules", base_maps(), ids=lambda rules: rules.name)
def test_no_run_holds_a_row_that_assumes(rules: SegmentMap) -> None:
    """A default is said of the resource in each message, not of elements kept from before."""
    together = [row for alike, rows in runs(rules, {}) if alike for row in rows]

    assert [
        row.id
        for row in together
        if row.assumed or not (row.default is None or says_nothing(row.to[0].name, row.default))
    ] == []


def test_default_beside_codes_is_marked_in_every_message(message: Build, convert: Convert) -> None:
    """RXA without completion status: completed by default, the second time as the first."""
    raw = message("RAS^O17", "ORC|RE|P1^H", "RXA|0|1|20260102||ASP^Aspirin^L|100|mg")

    first, second = convert(raw), convert(raw)

    assert first == second
    marked = [
        part["valueString"]
        for one in first["Parameters"][0]["parameter"]
        for part in one["part"]
        if part["name"] == "path"
    ]
    assert "MedicationAdministration.status" in marked


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

    assert ["OBX-11", "OBX-11:2", "OBX-11:3", "OBX-11:4", "OBX-3", "OBX-8"] in found
