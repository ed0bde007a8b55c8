"""What R4 demands of several elements together."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2

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


UNKNOWN = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown"}]  # fmt: skip


def test_appointment_without_time_is_booked_for_a_time_that_nobody_told(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """A booked appointment needs start and end (app-3): that they are unknown is said of both."""
    raw = message("SIU^S12", SCHEDULE.format(minutes="", start="", end=""))

    found = convert(raw)["Appointment"][0]

    assert found["status"] == "booked"
    assert [found[name]["extension"] for name in ("_start", "_end")] == [UNKNOWN, UNKNOWN]
    assert ("appointment-open", "SCH-11") in codes(raw)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("202401050800+0100", "30", "2024-01-05T08:30:00+01:00"),
        ("202401050800+0100", "999999999", None),
        ("999501050800+0100", "30", None),
        ("202401050800+0100", "", None),
    ],
    ids=["duration", "endless", "far-away", "no-duration"],
)
def test_end_is_start_and_duration_or_unknown(
    start: str, minutes: str, end: str | None, message: Build, convert: Convert
) -> None:
    """Start and end stand together (app-2); the start that is known stays the start."""
    raw = message("SIU^S12", SCHEDULE.format(minutes=minutes, start=start, end=""))

    found = convert(raw)["Appointment"][0]

    assert (found["status"], found["start"][4:]) == ("booked", "-01-05T08:00:00+01:00")
    assert found.get("end") == end
    assert end or found["_end"]["extension"] == UNKNOWN


def test_day_of_an_appointment_without_zone_is_kept(dialect: Hl7v2) -> None:
    """Start is an instant: of a time of which nobody knows the zone the day is asked for."""
    raw = (
        b"MSH|^~\\&|A|B|||20240101||SIU^S12|1|P|2.5\rSCH|A1|F1|||||CHECKUP||||^^^202401050800"
        b"^202401050830\r"
    )

    (found,) = [
        entry["resource"]
        for entry in json.loads(dialect.convert(raw, sender="").canonical)["entry"]
        if entry["resource"]["resourceType"] == "Appointment"
    ]

    assert found["status"] == "booked"
    assert found["requestedPeriod"] == [{"start": "2024-01-05", "end": "2024-01-05"}]
    assert found["_start"]["extension"] == UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "end", "expected"),
    [
        ("1800", "202401050830+0100", ("2024-01-05T08:30:00+01:00", 30, "duration-beyond")),
        ("20", "202401050830+0100", ("2024-01-05T08:30:00+01:00", 20, "")),
        ("", "202401050730+0100", (None, None, "period-reversed")),
    ],
    ids=["seconds-without-unit", "shorter", "reversed"],
)
def test_appointment_lasts_no_longer_than_to_its_end(
    minutes: str, end: str, expected: tuple[object, ...], message: Build, convert: Convert,
    codes: Codes,
) -> None:  # fmt: skip
    """A duration in an unnamed unit may contradict start and end, which are in clock time."""
    raw = message("SIU^S12", SCHEDULE.format(minutes=minutes, start="202401050800+0100", end=end))

    found = convert(raw)["Appointment"][0]

    noted = [code for code, where in codes(raw) if where == "SCH-11" and code != "appointment-open"]
    assert (found.get("end"), found.get("minutesDuration"), "".join(noted)) == expected


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
