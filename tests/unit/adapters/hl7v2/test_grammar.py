"""Structures by type and trigger."""

import pytest

from adapters.hl7v2.grammar import shipped


@pytest.mark.parametrize(
    ("code", "trigger", "name", "mapped"),
    [
        ("ADT", "A01", "ADT_A01", True), ("ADT", "A40", "ADT_A18", True),
        ("ORU", "R01", "ORU_R01", True), ("ACK", "", "ACK", True),
        ("ADT", "A32", "ADT_A02", True), ("XXX", "Y01", "ANY", False),
    ],
)  # fmt: skip
def test_structure_is_inferred_from_type_and_trigger(
    code: str,
    trigger: str,
    name: str,
    mapped: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """MSH-9.3 is not needed."""
    assert shipped().structure_of(code, trigger) == (name, mapped)
