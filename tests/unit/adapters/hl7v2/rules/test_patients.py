"""Rules of Patient."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
PID = (
    "PID|1||M1^^^H||Doe|Ma|{birth}|F||2106-3^White^HL70005||||||||AC1|||MO7^^^H|"
    "N^Not^HL70189|Wien\r"
)


def test_birth_time_race_and_place_are_extensions(message: Build, convert: Convert) -> None:
    """What R4 has no element for is kept where its extensions say."""
    patient = convert(message("ADT^A08", patient=PID.format(birth="196201141230")))["Patient"][0]

    assert patient["birthDate"] == "1962-01-14"
    assert patient["_birthDate"]["extension"][0]["valueDateTime"] == "1962-01-14T12:30:00+01:00"
    urls = {one["url"].rsplit("/", 1)[1] for one in patient["extension"]}
    assert urls >= {"us-core-race", "us-core-ethnicity", "patient-birthPlace",
                    "patient-mothersMaidenName"}  # fmt: skip


def test_mothers_identifier_makes_her_a_related_person(message: Build, convert: Convert) -> None:
    """PID-21 is a person with a number."""
    found = convert(message("ADT^A08", patient=PID.format(birth="1962")))

    mother = found["RelatedPerson"][0]
    assert mother["relationship"][0]["coding"][0]["code"] == "MTH"
    assert mother["patient"]["reference"] == f"Patient/{found['Patient'][0]['id']}"


def test_patient_merged_with_itself_is_not_linked(message: Build, convert: Convert) -> None:
    """A merge of one number into itself says so and links nothing."""
    assert "link" not in convert(message("ADT^A40", "MRG|MRN1^^^STMARY^MR"))["Patient"][0]
