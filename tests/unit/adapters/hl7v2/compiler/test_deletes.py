"""What `""` in a field deletes, where several fields fill one list."""

import pytest

from adapters.hl7v2.compiler.deletes import delete_path
from adapters.hl7v2.compiler.layers import resolve
from adapters.hl7v2.profiles import ANYONE
from bridge.core.record.patch import parse_path

MAPS = {rules.name: rules for rules in resolve(ANYONE)}


@pytest.mark.parametrize(
    ("name", "row", "path"),
    [
        ("PID.Patient", "PID-7", "birthDate"),
        ("PID.Patient", "PID-5", "name.where(use !~ 'old')"),
        ("PID.Patient", "PID-9", "name.where(use='old')"),
        ("PID.Patient", "PID-13", "telecom.where(use='home')"),
        ("PID.Patient", "PID-40", "telecom.where(use !~ 'home' and use !~ 'work')"),
        ("PV1.Encounter", "PV1-7", "participant.where(type.coding.code='ATND')"),
        ("PV1.Encounter", "PV1-4", "type"),
        ("PV1.Encounter", "PV1-44", "period.start"),
    ],
)
def test_a_field_deletes_what_bears_its_mark(name: str, row: str, path: str) -> None:
    """Constants beside the value tell a field's items; without any, those of the others do."""
    (found,) = [one for one in MAPS[name].rows if one.id == row]

    assert delete_path(MAPS[name], found) == path


def test_every_path_of_every_map_can_be_read_by_the_projector() -> None:
    """What the compiler writes is in the subset that the merge speaks."""
    written = {
        delete_path(rules, row)
        for rules in MAPS.values()
        for row in rules.rows
        if row.to and row.function and rules.is_stored
    }

    assert [path for path in written if parse_path(path) is None] == []
