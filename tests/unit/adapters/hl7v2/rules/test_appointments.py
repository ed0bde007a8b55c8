"""How long an appointment lasts, who and what it needs and when."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]

SCH = "SCH|P1|F1|||||CHECKUP|NORMAL|{}|{}|^^{}^20240201090000^20240201130000"
START = "2024-02-01T09:00:00+01:00"


@pytest.mark.parametrize(
    ("number", "unit", "old", "minutes"),
    [
        ("30", "MIN", "", 30),
        ("30", "", "", 30),
        ("2", "HR", "", 120),
        ("90", "S", "", 1),
        ("", "", "M45", 45),
        ("", "", "H1", 60),
        ("20", "MIN^minutes^UCUM", "M45", 20),
        ("0", "MIN", "", None),
        ("", "", "", None),
    ],
)
def test_duration_is_in_minutes(
    message: Build, convert: Convert, number: str, unit: str, old: str, minutes: int | None
) -> None:
    """SCH-9 by the unit in SCH-10, else the old SCH-11.3: an hour is not one minute."""
    raw = message("SIU^S12", SCH.format(number, unit, old), patient="")

    assert convert(raw)["Appointment"][0].get("minutesDuration") == minutes


@pytest.mark.parametrize(("number", "unit"), [("half", "MIN"), ("1", "XX"), ("1", "MO")])
def test_duration_that_cannot_be_read_is_reported(
    message: Build, codes: Codes, number: str, unit: str
) -> None:
    """Nothing is guessed: no number, a unit that nobody knows, a month of no fixed length."""
    found = codes(message("SIU^S12", SCH.format(number, unit, ""), patient=""))

    assert ("duration-unread", "SCH-9") in found


def test_service_says_how_long_where_the_schedule_does_not(
    message: Build, convert: Convert
) -> None:
    """AIS-7 in the unit of AIS-8."""
    raw = message("SIU^S12", SCH.format("", "", ""), "RGS|1", "AIS|1|A|99^Visit||||1|HR")

    assert convert(raw)["Appointment"][0]["minutesDuration"] == 60


def test_participant_comes_at_its_own_time(message: Build, convert: Convert) -> None:
    """Own start, else the offset from the appointment's; the end by the duration."""
    raw = message(
        "SIU^S12",
        SCH.format("30", "MIN", ""),
        "RGS|1",
        "AIG|1|A|XR^X-Ray|EQ|||||10|MIN|15|MIN||Pending",
        "AIL|1|A|R1^^^STMARY||||||",
        "AIP|1|A|9^House^Greg|ATND||20240201100000|||1|HR||Cancelled",
        patient="",
    )

    equipment, room, person = convert(raw)["Appointment"][0]["participant"]
    assert equipment["period"] == {
        "start": "2024-02-01T09:10:00+01:00",
        "end": "2024-02-01T09:25:00+01:00",
    }
    assert "period" not in room
    assert person["period"] == {
        "start": "2024-02-01T10:00:00+01:00",
        "end": "2024-02-01T11:00:00+01:00",
    }
    assert [one["status"] for one in (equipment, room, person)] == [
        "tentative",
        "accepted",
        "declined",
    ]


def test_participant_of_a_day_has_no_end(message: Build, convert: Convert) -> None:
    """A date has no minute to count from."""
    raw = message(
        "SIU^S12", SCH.format("30", "", ""), "RGS|1", "AIP|1|A|9^House||| 20240201|||1|HR"
    )

    assert convert(raw)["Appointment"][0]["participant"][-1].get("period", {}).keys() <= {"start"}


def test_patient_of_no_appointment_takes_part_in_none(message: Build, convert: Convert) -> None:
    """A message without SCH has no Appointment for PID to fill."""
    assert "Appointment" not in convert(message("SIU^S12", "PV1|1|O"))


def test_comments_are_lines_of_one_comment(message: Build, convert: Convert) -> None:
    """An Appointment has one comment: the second NTE does not take the first away."""
    raw = message(
        "SIU^S12",
        SCH.format("30", "", ""),
        "NTE|1||fasting",
        "NTE|2||bring the card~and the key",
        patient="",
    )

    assert convert(raw)["Appointment"][0]["comment"] == "fasting\nbring the card\nand the key"


def test_comment_can_be_deleted(message: Build, convert: Convert) -> None:
    """Two quotes."""
    found = convert(message("SIU^S12", SCH.format("30", "", ""), 'NTE|1||""', patient=""))

    assert "Appointment.comment" in str(found["Parameters"])


def test_times_of_an_appointment_may_stand_in_tq1(message: Build, convert: Convert) -> None:
    """TQ1 took over from SCH-11 in v2.5; where SCH-11 speaks too it counts."""
    timing = "TQ1|1||||||20240201090000+0100|20240201093000+0100"

    (alone,) = convert(message("SIU^S12", "SCH|P1|F1", timing))["Appointment"]

    assert (alone["start"], alone["end"]) == (START, START.replace("09:00", "09:30"))


def test_equipment_keeps_its_number(message: Build, convert: Convert) -> None:
    """AIG-3 is code and name: the name alone would lose which of several scanners it is."""
    (made,) = convert(message("SIU^S12", "SCH|P1|F1", "RGS|1", "AIG|1||EQ1^Scanner"))["Appointment"]

    actor = made["participant"][-1]["actor"]
    assert (actor["identifier"]["value"], actor["display"]) == ("EQ1", "Scanner")


@pytest.mark.parametrize(
    ("group", "service"), [("RGS|1|D", "AIS|1|A"), ("RGS|1|U", "AIS|1|D")], ids=["RGS-2", "AIS-2"]
)
def test_service_that_is_taken_back_is_no_longer_asked_for(
    message: Build, convert: Convert, group: str, service: str
) -> None:
    """Action code D, of the service or of its whole group: the order is revoked."""
    raw = message("SIU^S14", SCH.format("30", "", ""), group, f"{service}|99^Visit", "RGS|2|A",
                  "AIS|1|A|98^Scan")  # fmt: skip

    found = convert(raw)

    (appointment,) = found["Appointment"]
    assert [one["text"] for one in appointment["serviceType"]] == ["Scan"]
    assert [one["status"] for one in found["ServiceRequest"]] == ["revoked", "active"]
    assert len(appointment["basedOn"]) == 1


def test_resources_of_a_group_that_is_taken_back_are_left_out(
    message: Build, convert: Convert
) -> None:
    """RGS-2 D: rooms, people and equipment of the group."""
    raw = message("SIU^S14", SCH.format("30", "", ""), "RGS|1|D", "AIG|1||XR^X-Ray", "AIL|1||R1",
                  "AIP|1||9^House^Greg", patient="")  # fmt: skip

    (appointment,) = convert(raw)["Appointment"]

    assert "House" not in str(appointment["participant"])
    assert len(appointment["participant"]) == 1


@pytest.mark.parametrize(
    ("placer", "filler", "expected"),
    [
        ("7^House^Greg", "8^Wilson^James", ["James Wilson", "Greg House"]),
        ("7^House^Greg", "7^House^Greg^^^Dr", ["Dr Greg House"]),
        ("7^House^Greg~9^Cuddy^Lisa", "", ["Greg House", "Lisa Cuddy"]),
        ('""', "7^House^Greg", ["Greg House"]),
    ],
    ids=["two", "one-twice", "several", "deleted"],
)
def test_both_contacts_take_part(
    message: Build, convert: Convert, placer: str, filler: str, expected: list[str]
) -> None:
    """SCH-12 and SCH-16 (v2-to-FHIR SCH[Appointment]), each once."""
    sch = f"SCH|1^X{'|' * 11}{placer}||||{filler}"

    (booked,) = convert(message("SIU^S12", sch))["Appointment"]

    shown = [one["actor"].get("display") for one in booked["participant"]]
    assert [one for one in shown if one] == expected
