"""What holds for one type of resource when it is restated."""

import pytest

from bridge.core.record.bundle import JsonObject
from bridge.core.record.kinds import settled, superseded


@pytest.mark.parametrize(
    ("newer", "left"),
    [
        ({"valueString": "b"}, {"valueString"}),
        ({"valueString": "a"}, {"valueString", "interpretation"}),
        ({"component": [{}]}, set()),
        ({"dataAbsentReason": {"text": "none"}}, set()),
        ({"status": "final"}, {"valueString", "interpretation"}),
    ],
    ids=["other", "same", "components", "absent", "silent"],
)
def test_another_result_takes_what_was_said_of_the_old_one(
    newer: JsonObject, left: set[str]
) -> None:
    """Its flag and its components go with it; the same result leaves them."""
    stored: JsonObject = {
        "resourceType": "Observation",
        "valueString": "a",
        "interpretation": [{"text": "H"}],
    }

    assert superseded(stored, newer).keys() == {"resourceType", *left}


def test_an_open_visit_has_no_end() -> None:
    """The end goes where the visit is open again, with a period that held nothing else."""
    stored: JsonObject = {
        "resourceType": "Encounter",
        "status": "finished",
        "period": {"end": "2024"},
    }

    assert "period" not in superseded(stored, {"status": "in-progress"})
    assert superseded(stored, {"status": "finished"}) == stored


@pytest.mark.parametrize("status", ["finished", "cancelled", "entered-in-error"])
def test_nobody_is_in_a_place_when_the_visit_is_over(status: str) -> None:
    """A late update repeats the bed: it was left all the same."""
    place: JsonObject = {"location": {"display": "A"}, "status": "active"}

    body = settled(
        {"resourceType": "Encounter", "status": status, "location": [place]}, {"location": [place]}
    )

    assert body["location"] == [{"location": {"display": "A"}, "status": "completed"}]


def test_a_new_place_completes_the_one_before() -> None:
    """A patient is in one place at a time; planned places stay planned."""
    places: JsonObject = {
        "resourceType": "Encounter",
        "location": [
            {"location": {"display": "A"}, "status": "active"},
            {"location": {"display": "P"}, "status": "planned"},
            {"location": {"display": "B"}, "status": "active"},
        ],
    }

    body = settled(places, {"location": [{"location": {"display": "B"}, "status": "active"}]})

    assert [place["status"] for place in body["location"]] == ["completed", "planned", "active"]  # type: ignore[union-attr,index,call-overload]  # a list of objects


def _coded(code: str) -> JsonObject:
    return {"coding": [{"code": code}]}


@pytest.mark.parametrize(
    ("newer", "left"),
    [
        ({"clinicalStatus": _coded("active")}, {"clinicalStatus"}),
        ({"clinicalStatus": _coded("resolved")}, {"clinicalStatus", "abatementDateTime"}),
        ({"verificationStatus": _coded("entered-in-error")}, set()),
        ({"code": {"text": "cold"}}, {"clinicalStatus", "abatementDateTime"}),
        ({"clinicalStatus": "odd"}, {"clinicalStatus", "abatementDateTime"}),
    ],
    ids=["again", "still-over", "in-error", "silent", "odd"],
)
def test_a_problem_that_is_active_again_has_not_ended(newer: JsonObject, left: set[str]) -> None:
    """R4 con-4 and con-5 hold for what is stored, too."""
    stored: JsonObject = {
        "resourceType": "Condition",
        "clinicalStatus": _coded("resolved"),
        "abatementDateTime": "2024",
    }

    assert superseded(stored, newer).keys() == {"resourceType", *left}


def test_what_was_in_error_and_holds_again_is_no_error() -> None:
    """A clinical status takes the error back (R4 ait-2); silence does not."""
    stored: JsonObject = {
        "resourceType": "AllergyIntolerance",
        "verificationStatus": _coded("entered-in-error"),
    }

    assert "verificationStatus" not in superseded(stored, {"clinicalStatus": _coded("active")})
    assert superseded(stored, {"code": {"text": "nuts"}}) == stored


@pytest.mark.parametrize(
    ("status", "kept"), [("booked", False), ("cancelled", True), ("noshow", True), (None, True)]
)
def test_an_appointment_that_is_on_has_no_reason_of_cancellation(
    status: str | None, *, kept: bool
) -> None:
    """R4 app-4."""
    stored: JsonObject = {"resourceType": "Appointment", "cancelationReason": {"text": "ill"}}
    newer: JsonObject = {"status": status} if status else {}

    assert ("cancelationReason" in superseded(stored, newer)) == kept
