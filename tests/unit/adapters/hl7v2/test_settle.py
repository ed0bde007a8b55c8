"""What R4 demands of several elements together."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]

SCHEDULE = "SCH|A1|||||CHECKUP|||{minutes}|m|^^^{start}^{end}"


def test_period_that_ends_before_it_starts_keeps_its_start(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """A discharge before the admission is reported and left out."""
    visit = "PV1|1|I" + "|" * 42 + "202401050800+0100|202401040800+0100"
    raw = message("ADT^A03", visit)

    found = convert(raw)["Encounter"][0]

    assert found["period"] == {"start": "2024-01-05T08:00:00+01:00"}
    assert ("period-reversed", "Encounter") in codes(raw)


def test_contact_of_whom_nothing_is_known_is_left_out(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """A next of kin with a relationship alone is no contact (pat-1)."""
    raw = message("ADT^A01", "NK1|1||MTH")

    found = convert(raw)["Patient"][0]

    assert "contact" not in found
    assert ("element-incomplete", "Patient.contact") in codes(raw)


def test_appointment_without_time_is_only_proposed(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """A booked appointment needs start and end (app-3)."""
    raw = message("SIU^S12", SCHEDULE.format(minutes="", start="", end=""))

    found = convert(raw)["Appointment"][0]

    assert found["status"] == "proposed"
    assert ("appointment-open", "SCH-11") in codes(raw)


@pytest.mark.parametrize(
    ("start", "minutes", "times"),
    [
        ("202401050800+0100", "30", ("2024-01-05T08:00:00+01:00", "2024-01-05T08:30:00+01:00")),
        ("202401050800+0100", "999999999", None),
        ("999501050800+0100", "30", None),
        ("202401050800+0100", "", None),
    ],
    ids=["duration", "endless", "far-away", "no-duration"],
)
def test_end_is_start_and_duration_or_a_wish(
    start: str, minutes: str, times: tuple[str, str] | None, message: Build, convert: Convert
) -> None:
    """Start and end stand together (app-2), else the time is what was asked for."""
    raw = message("SIU^S12", SCHEDULE.format(minutes=minutes, start=start, end=""))

    found = convert(raw)["Appointment"][0]

    if times:
        assert (found["start"], found["end"]) == times
    else:
        assert "start" not in found
        assert "end" not in found
        assert found["status"] == "proposed"


def test_author_of_an_empty_note_makes_no_note(message: Build, convert: Convert) -> None:
    """NTE-5 without text is nothing to say."""
    raw = message("ORU^R01", "OBR|1||F1|1^A^L", "OBX|1|NM|2^B^L||1", "NTE|1||\\.br\\||17^Doe^Jo")

    found = convert(raw)["Observation"][0]

    assert "note" not in found


def test_order_number_that_two_segments_state_is_one_identifier(
    message: Build, convert: Convert
) -> None:
    """ORC-2 and OBR-2 of one order, also where OBR stands in a group of its own."""
    raw = message("ORM^O01", "ORC|NW|P1|F1", "OBR|1|P1|F1|24323-8^CMP^LN")

    found = convert(raw)["ServiceRequest"][0]

    assert [one["value"] for one in found["identifier"]] == ["P1", "F1"]


def test_service_of_an_appointment_is_for_the_only_patient(
    message: Build, convert: Convert
) -> None:
    """AIS stands in a group beside that of PID; the request still names its subject."""
    schedule = SCHEDULE.format(minutes="30", start="202401050800+0100", end="202401050830+0100")
    raw = message("SIU^S12", schedule, "RGS|1", "AIS|1||CONSULT^Consult")

    found = convert(raw)

    patient = found["Patient"][0]["id"]
    assert found["ServiceRequest"][0]["subject"] == {"reference": f"Patient/{patient}"}
