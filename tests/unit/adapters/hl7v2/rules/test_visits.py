"""Rules of Encounter, AllergyIntolerance and Coverage."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_reactions_share_one_severity(message: Build, convert: Convert) -> None:
    """AL1-5 repeats; AL1-4 grades the reaction and the criticality."""
    found = convert(message("ADT^A01", "AL1|1|DA|P^Penicillin|SV|Hives~Rash"))

    allergy = found["AllergyIntolerance"][0]
    assert allergy["criticality"] == "high"
    assert allergy["reaction"][0]["severity"] == "severe"
    assert [one["text"] for one in allergy["reaction"][0]["manifestation"]] == ["Hives", "Rash"]


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
