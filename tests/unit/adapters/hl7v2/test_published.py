"""What HL7 publishes, and whose a code is that it does not."""

import pytest

from adapters.hl7v2.context import Context
from adapters.hl7v2.published import publishes, system_of

_THO = "http://terminology.hl7.org/CodeSystem/"


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        pytest.param(f"{_THO}v2-0001", "F", True, id="v2"),
        pytest.param(f"{_THO}v2-0001", "f", False, id="v2-other-case"),
        pytest.param(f"{_THO}v3-RoleCode", "MTH", True, id="v3"),
        pytest.param(f"{_THO}v3-RoleCode", "GUAR", False, id="v3-of-another-system"),
        pytest.param(f"{_THO}practitioner-role", "doctor", True, id="fhir"),
        pytest.param("http://dicom.nema.org/resources/ontology/DCM", "IMP", False, id="dicom"),
        pytest.param(f"{_THO}v2-0114", "Vegan", True, id="table-without-codes"),
        pytest.param("http://loinc.org", "no-such", True, id="not-carried-by-r4"),
    ],
)
def test_published_system_has_its_codes(
    system: str,
    code: str,
    expected: bool,  # noqa: FBT001 - a table column
) -> None:
    """A code is refused only where R4 lists all that there are."""
    assert publishes(system, code) is expected


def test_code_that_is_not_published_is_the_sender_s_own() -> None:
    """Under the official system it would be a false statement."""
    ctx = Context(namespace="urn:x")

    assert system_of(f"{_THO}v2-0063", "MTH", ctx) == f"{_THO}v2-0063"
    assert system_of(f"{_THO}v2-0063", "Mum", ctx) == "urn:x/CodeSystem/v2-0063"
