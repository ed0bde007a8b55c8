"""Rules of Encounter, AllergyIntolerance and Coverage."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]


def test_reactions_share_one_severity(message: Build, convert: Convert) -> None:
    """AL1-5 repeats; AL1-4 grades the reaction and the criticality."""
    found = convert(message("ADT^A01", "AL1|1|DA|P^Penicillin|SV|Hives~Rash"))

    allergy = found["AllergyIntolerance"][0]
    assert allergy["criticality"] == "high"
    assert allergy["reaction"][0]["severity"] == "severe"
    assert [one["text"] for one in allergy["reaction"][0]["manifestation"]] == ["Hives", "Rash"]


@pytest.mark.parametrize(
    ("kind", "segment", "visits"),
    [
        ("ADT^A08", "PV1|1|N", 0),
        ("ADT^A08", "PV1|1|N|^^^^^^|||^^^^|^^^", 0),
        ("ADT^A08", "PV1|" + "|" * 30, 0),
        ("ADT^A31", "PV1|1|U", 0),
        ("ADT^A40", "PV1|1|I", 0),
        ("ADT^A28", "PV1|1|N|W1", 1),
        ("ADT^A31", "PV1|1|N" + "|" * 17 + "V1", 1),
        ("ADT^A01", "PV1|1|I", 1),
        ("ADT^A08", "PV1|||W1", 1),
    ],
)
def test_a_visit_of_which_nothing_is_said_is_none(
    message: Build, convert: Convert, kind: str, segment: str, visits: int
) -> None:
    """Class N, and a class alone where the event is about a person, fill a required segment.

    HL7 v2.5.1 ch. 3.4.3.2, and the pseudo PV1 of messages about persons (IHE ITI-30).
    """
    found = convert(message(kind, "EVN||20240101", segment))

    assert len(found.get("Encounter", [])) == visits


@pytest.mark.parametrize(
    ("kind", "segment", "expected"),
    [
        ("SIU^S12", "PV1|1|O|CARD", "planned"),
        ("SIU^S12", "PV1|1|I|W1", "in-progress"),
        ("SIU^S14", "PV1|1|O|CARD" + "|" * 41 + "20240105", "in-progress"),
        ("SIU^S15", "PV1|1|O|CARD", "cancelled"),
        ("SIU^S26", "PV1|1|O|CARD", "cancelled"),
        ("ORU^R01", "PV1|1|O|CARD", "in-progress"),
    ],
)
def test_visit_of_an_appointment_has_not_begun(
    message: Build, convert: Convert, kind: str, segment: str, expected: str
) -> None:
    """An outpatient with an appointment is not there; one who was admitted, or an inpatient, is."""
    (visit,) = convert(message(kind, "SCH|A1|F1", segment))["Encounter"]

    assert visit["status"] == expected


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [("A01", "active"), ("A05", "planned"), ("A14", "planned"), ("A38", "planned"),
     ("A27", "planned"), ("A03", "completed"), ("A11", "completed")],
)  # fmt: skip
def test_bed_of_a_visit_to_come_is_planned(
    message: Build, convert: Convert, trigger: str, expected: str
) -> None:
    """A pre-admission, also one that is taken back, puts nobody into PV1-3, whatever its class."""
    (visit,) = convert(message(f"ADT^{trigger}", "EVN||20240101", "PV1|1|I|W1"))["Encounter"]

    assert visit["location"][0]["status"] == expected


@pytest.mark.parametrize(
    ("trigger", "movement", "status", "place"),
    [
        ("A02", "20240105080000+0100||INSERT|N", "in-progress", "active"),
        ("A02", "20240105080000+0100||INSERT|Y", "in-progress", "completed"),
        ("Z99", "20240105080000+0100||UPDATE|N|A02", "in-progress", "active"),
        ("Z99", "20240105080000+0100||UPDATE|N|A05", "planned", "planned"),
        ("A02", "H||A02|CARD", "in-progress", "active"),
        ("A02", "20240105080000+0100||REFERENCE|N", "in-progress", "active"),
    ],
    ids=["now", "historic", "update", "update-of-what-is-to-come", "another-zbe", "named"],
)
def test_movement_says_since_when_and_whether_he_is_there(
    message: Build, convert: Convert, trigger: str, movement: str, status: str, place: str
) -> None:
    """ZBE: a movement told later is no bed of now, and an update is of the event that it names."""
    raw = message(f"ADT^{trigger}", "PV1|1|I|W1|||W0", f"ZBE|M1^H|{movement}")

    found = convert(raw)

    (visit,) = found["Encounter"]
    first = visit["location"][0]
    assert (visit["status"], first["status"]) == (status, place)
    begins = place != "planned" and "INSERT" in movement + "INSERT" * (trigger == "Z99")
    assert first.get("period") == ({"start": "2024-01-05T08:00:00+01:00"} if begins else None)
    assumed = "Encounter.status" in str(found.get("Parameters"))
    assert assumed == ("|Y" in movement or trigger == "Z99")


@pytest.mark.parametrize(
    ("said", "expected"),
    [("202403020800", "finished"), ("Ward 3", "in-progress"), ('""', "in-progress")],
)
def test_a_time_of_discharge_ends_the_visit(
    message: Build, convert: Convert, said: str, expected: str
) -> None:
    """PV1-45, where it is a time: a word in its place discharges nobody."""
    (visit,) = convert(message("ADT^A08", f"PV1|1|I|W1{'|' * 41}20240301|{said}"))["Encounter"]

    assert visit["status"] == expected
    assert ("end" in visit["period"]) == (expected == "finished")


def test_ward_that_is_responsible_provides_the_visit(message: Build, convert: Convert) -> None:
    """ZBE-7, by its code in XON.10."""
    movement = "ZBE|M1^H|20240105||INSERT|N||Cardiology^^^^^^UF^^^8782"

    found = convert(message("ADT^A01", "PV1|1|I|W1", movement))

    provider = found["Encounter"][0]["serviceProvider"]
    assert provider["display"] == "Cardiology"
    assert provider["reference"].startswith("Organization/")


def test_additional_visit_data_in_front_of_the_visit_make_no_other(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """PV2 before PV1: one Encounter, also where it has no number; the order is reported."""
    raw = message("ADT^A01", "PV2|||R10^Pain", "PV1|1|I|W1")

    (visit,) = convert(raw)["Encounter"]

    assert visit["reasonCode"][0]["text"] == "Pain"
    assert visit["location"][0]["location"]["display"] == "W1"
    assert ("segment-order", "PV1") in codes(raw)


def test_discharge_finishes_the_visit(message: Build, convert: Convert) -> None:
    """A03 with PV1-45 and PV1-37."""
    raw = message("ADT^A03", "PV1|1|I" + "|" * 35 + "HOME" + "|" * 8 + "20240105")

    visit = convert(raw)["Encounter"][0]

    assert (visit["status"], visit["period"]) == ("finished", {"end": "2024-01-05"})
    place = visit["hospitalization"]["destination"]
    assert place["display"] == "HOME"
    assert place["reference"].startswith("Location/")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("MO|", (None, None, "severity: MO")),
        ("SEVERE|hives", (None, "severe", None)),
        ("SV|", ("high", None, None)),
        ("XX|hives", (None, None, "severity: XX")),
        ('""|hives', (None, None, None)),
        ("|", (None, None, None)),
    ],
)
def test_severity_is_never_lost(
    message: Build, convert: Convert, sent: str, expected: tuple[str | None, ...]
) -> None:
    """AL1-4 grades the reaction; without one, or of another code, it stands as it was sent."""
    allergy = convert(message("ADT^A01", f"AL1|1|DA|PEN^Penicillin|{sent}"))["AllergyIntolerance"][
        0
    ]

    grade = allergy.get("reaction", [{}])[0].get("severity")
    words = allergy.get("note", [{}])[0].get("text")
    assert (allergy.get("criticality"), grade, words) == expected


def test_next_of_kin_is_a_contact_and_a_related_person(message: Build, convert: Convert) -> None:
    """Whoever reads the patient sees whom to call; other resources refer to the person.

    v2-to-FHIR ADT_A01. An employer is a contact alone, and so is whoever has no name.
    """
    number = "|" * 7 + "77^^^H^MR"
    kin = (
        f"NK1|1|Berg^Otto|SPO||031 1{number}",
        "NK1|2|Berg^Lea",
        "NK1|3|Works|E",
        "NK1|4||FTH||1",
    )

    found = convert(message("ADT^A01", *kin))
    again = convert(message("ADT^A08", *kin))

    names = [one.get("name", {}).get("family") for one in found["Patient"][0]["contact"]]
    assert names == ["Berg", "Berg", "Works", None]
    otto, lea = found["RelatedPerson"]
    assert (otto["identifier"][0]["value"], lea["name"][0]["given"]) == ("77", ["Lea"])
    assert [one["id"] for one in again["RelatedPerson"]] == [otto["id"], lea["id"]]


def test_diagnosis_is_of_the_episode_too(message: Build, convert: Convert) -> None:
    """PV1-54 names an episode of care: the diagnosis stands there as well as at the visit."""
    found = convert(
        message("ADT^A01", "PV1|1|I" + "|" * 52 + "E1^^^H", "DG1|1||J18.9^Pneumonia^I10|||A")
    )

    condition = f"Condition/{found['Condition'][0]['id']}"
    (one,) = found["EpisodeOfCare"][0]["diagnosis"]
    assert one["condition"] == {"reference": condition}


def test_second_part_of_a_visit_alone_is_a_visit(message: Build, convert: Convert) -> None:
    """PV2 whose PV1 the sender left out: what R4 requires is unknown, not missing."""
    (visit,) = convert(message("ADT^A08", "PV2||PRIV"))["Encounter"]

    assert visit["status"] == "unknown"
    assert visit["class"]["code"] == "UNK"
    assert visit["subject"]["reference"].startswith("Patient/")


def test_no_organization_is_at_home(message: Build, convert: Convert) -> None:
    """R4 org-2 and org-3: a sender that types the insurer's address as home is not followed."""
    raw = message("ADT^A01", "IN1|1|P|77^^^H|Insure|Box^^Zug^^^^H||0800^PRN^PH")

    insurer = next(
        one for one in convert(raw)["Organization"] if one["identifier"][0]["value"] == "77"
    )

    assert "use" not in insurer["address"][0]
    assert "use" not in insurer["telecom"][0]
