"""The table from a refusal to HTTP."""

from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from bridge.api.problems import (
    ISSUE_CODES,
    ISSUE_OF,
    ISSUE_OF_FINDING,
    STATUS,
    findings_outcome,
    outcome,
    status_line,
    status_of,
)
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Finding, Severity

ISSUE_TYPE_NAMES = (
    "invalid structure required value invariant security login unknown expired forbidden "
    "suppressed processing not-supported duplicate multiple-matches not-found deleted too-long "
    "code-invalid extension too-costly business-rule conflict transient lock-error no-store "
    "exception timeout incomplete throttled informational"
)
ISSUE_TYPES = frozenset(ISSUE_TYPE_NAMES.split())
"""https://hl7.org/fhir/R4/valueset-issue-type.html."""


def error(code: str, fault: Fault = Fault.SENDER) -> BridgeError:
    """A refusal."""
    return BridgeError(code, fault, what="found", where="Patient.name", do="mend")


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.SENDER, 400), (Fault.PEER, 503), (Fault.OPERATOR, 500), (Fault.US, 500)],
)
def test_status_without_a_row_is_that_of_the_fault(fault: Fault, status: int) -> None:
    """Whose move it is decides."""
    assert status_of(error("any", fault)) == status


@pytest.mark.parametrize("code", sorted(STATUS))
def test_every_refusal_is_a_valid_outcome(code: str) -> None:
    """Severity, a code of FHIR's own list, our code, the words, the place."""
    told: dict[str, Any] = outcome(error(code))

    (issue,) = OperationOutcome.model_validate(told).issue
    assert issue.code in ISSUE_TYPES
    assert told["issue"][0]["details"]["coding"][0]["code"] == code
    assert issue.diagnostics == "found (Patient.name) - mend"
    assert issue.expression == ["Patient.name"]


def test_issue_codes_are_those_of_fhir() -> None:
    """Nothing invented."""
    assert {*ISSUE_CODES.values(), *ISSUE_OF.values(), *ISSUE_OF_FINDING.values()} <= ISSUE_TYPES


def test_findings_are_an_issue_each_and_none_is_one_too() -> None:
    """An outcome without issue is no FHIR."""
    finding = Finding(code="x", severity=Severity.WARNING, where="byte 3", text="odd")

    some = OperationOutcome.model_validate(findings_outcome((finding, finding)))
    none = OperationOutcome.model_validate(findings_outcome(()))

    assert [issue.severity for issue in some.issue] == ["warning", "warning"]
    assert some.issue[0].expression is None
    assert [issue.code for issue in none.issue] == ["informational"]


def test_status_line_is_that_of_a_bundle_entry() -> None:
    """Number and phrase."""
    assert status_line(412) == "412 Precondition Failed"


@pytest.mark.parametrize(
    ("code", "type_"),
    [("obs-6", "invariant"), ("element-missing", "required"), ("anything", "invalid")],
)
def test_issue_has_the_type_that_fhir_has_for_it(code: str, type_: str) -> None:
    """A client sorts by it; what is no problem is information."""
    problem = Finding(code=code, severity=Severity.ERROR, where="Patient", text="odd")
    note = Finding(code=code, severity=Severity.INFORMATION, where="Patient", text="done")

    told: Any = findings_outcome((problem, note))

    assert [issue["code"] for issue in told["issue"]] == [type_, "informational"]


@pytest.mark.parametrize(
    ("where", "is_path"),
    [
        ("Patient", True),
        ("Bundle.entry[3].resource.name[0]._given", True),
        ("URL", False),
        ("MSH-9, byte 3", False),
        ("Content-Type header", False),
        ("$.name", False),
    ],
)
def test_only_fhirpath_is_an_expression(where: str, *, is_path: bool) -> None:
    """A validator of outcomes would choke on the rest; the words name it anyway."""
    told: Any = findings_outcome(
        (Finding(code="x", severity=Severity.ERROR, where=where, text="odd"),)
    )

    assert ("expression" in told["issue"][0]) is is_path
