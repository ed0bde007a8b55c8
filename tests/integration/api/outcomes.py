"""How a refusal of the FHIR doors is read in these tests."""

import httpx
from fhir.resources.R4B.operationoutcome import OperationOutcome

__all__ = ["refused"]


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """The text of a refusal, which is a valid OperationOutcome with this code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    outcome = OperationOutcome.model_validate(answer.json())
    issue = answer.json()["issue"][0]
    assert outcome.issue[0].severity == "error"
    assert issue["details"]["coding"][0]["code"] == code, answer.text
    return str(issue["diagnostics"])
