"""The two states of a problem."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]

PRB = "PRB|{}|20260301|E11^Diabetes^I10|P1^STMARY|||||{}||||{}|{}"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (("AD", "", "", ""), ("active", None)),
        (("AD", "", "C", "R"), ("resolved", "confirmed")),
        (("UP", "20260201", "U", "A"), ("resolved", "unconfirmed")),
        (("UP", "20230230", "", ""), ("resolved", None)),
        (("DE", "20260201", "C", "A"), (None, "entered-in-error")),
        (("AD", "", "zz", "zz"), ("active", None)),
        (("AD", "", '""', '""'), ("active", None)),
    ],
    ids=["bare", "stated", "ended", "ended-some-day", "error", "unknown-codes", "deleted"],
)
def test_states_hang_together(
    message: Build, convert: Convert, sent: tuple[str, ...], expected: object
) -> None:
    """R4 con-4 and con-5, and codes of R4 alone."""
    raw = message("PPR^PC1", PRB.format(*sent))

    (problem,) = convert(raw)["Condition"]

    found = tuple(
        problem[name]["coding"][0]["code"] if name in problem else None
        for name in ("clinicalStatus", "verificationStatus")
    )
    assert found == expected


def test_problem_named_twice_is_as_it_was_named_last(message: Build, convert: Convert) -> None:
    """An error behind an update leaves no clinical status."""
    raw = message("PPR^PC1", PRB.format("UP", "", "C", "A"), PRB.format("DE", "", "", ""))

    (problem,) = convert(raw)["Condition"]

    assert "clinicalStatus" not in problem
    assert problem["verificationStatus"]["coding"][0]["code"] == "entered-in-error"


def test_state_that_r4_has_no_code_for_is_reported(message: Build, codes: Codes) -> None:
    """It is not put into a required binding."""
    assert ("code-unmapped", "PRB-14") in codes(message("PPR^PC1", PRB.format("AD", "", "", "zz")))


@pytest.mark.parametrize(
    ("segment", "kind", "expected"),
    [
        ("DG1|1|I10|C43.9|Melanoma", "Condition", "http://hl7.org/fhir/sid/icd-10"),
        (
            "DG1|1|I10|C43.9^Melanoma^I10C",
            "Condition",
            "http://hl7.org/fhir/sid/icd-10-cm",
        ),
        ("DG1|1|I0|C43.9^Melanoma", "Condition", None),
        (
            "PR1|1|ICD10PCS|0DTJ4ZZ|Appendectomy|20260301",
            "Procedure",
            "http://www.cms.gov/Medicare/Coding/ICD10",
        ),
    ],
    ids=["method", "own-system", "unknown-method", "procedure"],
)
def test_the_coding_method_names_the_system_of_a_bare_code(
    message: Build, convert: Convert, segment: str, kind: str, expected: str | None
) -> None:
    """DG1-2 and PR1-2, where the code itself does not say."""
    (made,) = convert(message("ADT^A01", "PV1|1|I", segment))[kind]

    assert made["code"]["coding"][0].get("system") == expected
