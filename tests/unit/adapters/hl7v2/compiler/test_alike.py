"""Rows that are remembered together, and those that may not be."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.compiler.alike import runs
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import SegmentMap
from bridge.core.record.statements import says_nothing

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
