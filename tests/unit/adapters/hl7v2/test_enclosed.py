"""Documents inside results."""

from typing import Any

import pytest

from adapters.hl7v2.enclosed import Enclosed, filed_under


@pytest.mark.parametrize(
    ("status", "expected", "completion"),
    [
        ("final", "current", "final"),
        ("corrected", "current", "amended"),
        ("entered-in-error", "entered-in-error", "entered-in-error"),
        ("cancelled", "current", None),
    ],
)
def test_document_has_the_state_of_its_result(
    status: str, expected: str, completion: str | None
) -> None:
    """A retracted result retracts its document."""
    kept: list[dict[str, Any]] = []
    document: dict[str, Any] = {"resourceType": "DocumentReference", "id": "d"}

    filed_under(Enclosed(document=document, result={"status": status}, report=None), kept.append)

    assert kept == [document]
    assert (document["status"], document.get("docStatus")) == (expected, completion)


def test_document_names_author_visit_and_report() -> None:
    """What the result says of itself holds for its document; a care team is no author."""
    document: dict[str, Any] = {"resourceType": "DocumentReference", "id": "d"}
    result: dict[str, Any] = {
        "status": "final", "code": {"text": "Report"}, "encounter": {"reference": "Encounter/e"},
        "performer": [{"reference": "Practitioner/p"}, {"reference": "CareTeam/c"}],
    }  # fmt: skip

    filed_under(Enclosed(document=document, result=result, report={"id": "r"}), lambda _: None)

    assert document["author"] == [{"reference": "Practitioner/p"}]
    assert document["context"] == {
        "encounter": [{"reference": "Encounter/e"}],
        "related": [{"reference": "DiagnosticReport/r"}],
    }
