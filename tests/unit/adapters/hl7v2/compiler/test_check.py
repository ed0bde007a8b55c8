"""The type check of rows against R4."""

import pytest

from adapters.hl7v2.compiler.check import check, elements
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import parse_map
from bridge.core.errors import BridgeError


def test_every_shipped_row_is_typed() -> None:
    """Each `to` exists, each `as` fits it, each required element is sure."""
    check(base_maps())


def test_elements_come_from_the_models() -> None:
    """Names, types, cardinality and targets as R4 defines them."""
    known = elements("Encounter")

    assert (known["class"].type, known["class"].required) == ("Coding", True)
    assert (known["participant"].repeats, known["subject"].targets) == (True, ("Patient", "Group"))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ('to = "nam[]"\nas = "XPN.HumanName"', r"Patient has no element nam .*line 3\) - use name"),
        ('to = "name"\nas = "XPN.HumanName"', r"Patient.name repeats .* - write name\[\]"),
        ('to = "birthDate[]"\nas = "TS.date"', r"Patient.birthDate is one .* - write birthDate"),
        ('to = "birthDate"\nas = "TS.instant"', r"birthDate is a date, TS.instant gives a instant"),
        ('to = "generalPractitioner[]"\nas = "PL.Location"', r"cannot refer to a Location"),
        ('to = "name[]"\nas = "XPN.Name"', r"no datatype function XPN.Name"),
    ],
)
def test_wrong_row_is_refused(row: str, error: str) -> None:
    """File, line and the nearest right name."""
    text = f'segment = "PID"\ntarget = "Patient"\n[[row]]\nfrom = "PID-5"\n{row}'

    with pytest.raises(BridgeError, match=error):
        check([parse_map("m", text)])


def test_required_element_without_default_is_refused() -> None:
    """A resource that a server would refuse is refused at load."""
    row = '[[row]]\nfrom = "OBX-3"\nto = "code"\nas = "CWE.CodeableConcept"'
    text = f'segment = "OBX"\ntarget = "Observation"\n{row}'

    with pytest.raises(BridgeError, match=r"Observation.(code|status) is required"):
        check([parse_map("m", text)])
