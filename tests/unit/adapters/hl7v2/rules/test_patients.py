"""Rules of Patient."""

from collections.abc import Callable
from typing import Any

from adapters.hl7v2.dialect import Hl7v2

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


def test_last_update_of_the_record_is_a_provenance_of_its_own(
    message: Build, convert: Convert
) -> None:
    """PID-33 and PID-34: when and where the sender changed the person."""
    changed = "PID|1||M1^^^H" + "|" * 30 + "20240102|CLINIC"

    found = convert(message("ADT^A08", patient=changed))

    (own,) = [one for one in found["Provenance"] if "entity" not in one]
    assert own["occurredDateTime"] == "2024-01-02"
    assert own["target"] == [{"reference": f"Patient/{found['Patient'][0]['id']}"}]
    assert own["agent"][0]["who"]["reference"].startswith("Organization/")


def test_last_update_that_says_nothing_is_none(message: Build, convert: Convert) -> None:
    """A date that is none and a facility without name make no Provenance."""
    changed = "PID|1||M1^^^H" + "|" * 30 + "00000000|^^ISO"

    found = convert(message("ADT^A08", patient=changed))

    assert len(found["Provenance"]) == 1


def test_role_before_the_visit_is_the_persons(message: Build, convert: Convert) -> None:
    """The primary care provider is generalPractitioner, others are in the care team."""
    found = convert(
        message(
            "ADT^A01",
            "ROL|1|AD|PP|9^House^Greg",
            "ROL|2|AD|CP|8^Wilson^James|20240101||||||||~|Group^^^^^^^^^G1",
            "ROL|3|DE|CP|7^Gone^Long",
            "ROL|4|AD|CP",
            "ROL|5|AD|FHCP|||||||||||Practice of Bern",
            "PV1|1|I",
            "ROL|6|AD|AT|6^Cut^Ann",
        )
    )

    patient, (team,) = found["Patient"][0], found["CareTeam"]
    assert [one["display"] for one in patient["generalPractitioner"]] == [
        "Greg House",
        "Practice of Bern",
    ]
    (one,) = team["participant"]
    assert one["member"]["display"] == "James Wilson"
    assert one["onBehalfOf"]["display"] == "Group"
    assert one["period"] == {"start": "2024-01-01"}
    assert found["Encounter"][0]["participant"][0]["individual"]["display"] == "Ann Cut"


def test_the_general_practitioner_is_reached_at_work(message: Build, convert: Convert) -> None:
    """ROL-9, ROL-12 and ROL-14 are of his role; ROL-9 of another is what he does in the team."""
    found = convert(
        message(
            "ADT^A31",
            "ROL|1|AD|PP|7^House^Greg|||||01^GP^99X|||^WPN^PH^^^555^1234||Bern^^77^^^H",
            "ROL|2|AD|AT|8^Wilson^James|||||02^Oncologist^99X",
        )
    )

    (role,), (carer,) = found["PractitionerRole"], found["Patient"][0]["generalPractitioner"]
    assert carer == {"display": "Greg House", "reference": f"PractitionerRole/{role['id']}"}
    assert role["practitioner"]["display"] == "Greg House"
    assert role["organization"]["display"] == "Bern"
    assert role["telecom"][0]["value"] == "555 1234"
    assert role["specialty"][0]["text"] == "GP"
    assert [one.get("text") for one in found["CareTeam"][0]["participant"][0]["role"]][1:] == [
        "Oncologist"
    ]


def test_role_of_a_procedure_is_its_performer(message: Build, convert: Convert) -> None:
    """ROL behind PR1 says who operated, not who attends the visit."""
    found = convert(
        message("ADT^A01", "PV1|1|I", "PR1|1||99^Op^C4||20240101", "ROL|1|AD|SU|6^Cut^Ann")
    )

    assert found["Procedure"][0]["performer"][0]["actor"]["display"] == "Ann Cut"
    assert "participant" not in found["Encounter"][0]


def test_access_restriction_is_a_label_of_what_stands_before_it(
    message: Build, convert: Convert
) -> None:
    """ARV behind PID is the patient's, behind PV1 the visit's."""
    found = convert(
        message("ADT^A01", "ARV|1|A|DEM^^HL70717", "PV1|1|I", "ARV|1|A|LOC^^HL70717~PHY^^HL70717")
    )

    assert [one["code"] for one in found["Patient"][0]["meta"]["security"]] == ["DEM"]
    assert [one["code"] for one in found["Encounter"][0]["meta"]["security"]] == ["LOC", "PHY"]


def test_access_restriction_can_be_taken_back(message: Build, dialect: Hl7v2) -> None:
    """ARV-2 D deletes the labels."""
    raw = message("ADT^A08", "ARV|1|D|DEM^^HL70717", "PV1|1|I")

    assert b"Patient.meta.security" in dialect.convert(raw, sender="").canonical


def test_address_of_birth_is_the_birth_place(message: Build, convert: Convert) -> None:
    """PID-11 of type BDL, beside the words of PID-23: no address to write to."""
    born = "PID|1||M1^^^H" + "|" * 8 + "1 St^^T~^^Born^^^FRA^BDL" + "|" * 12 + "Clinic"

    patient = convert(message("ADT^A08", patient=born))["Patient"][0]

    assert [one["city"] for one in patient["address"]] == ["T"]
    (place,) = [one for one in patient["extension"] if one["url"].endswith("patient-birthPlace")]
    assert place["valueAddress"] == {"text": "Clinic", "city": "Born", "country": "FRA"}


def test_race_may_be_the_second_coding(message: Build, convert: Convert) -> None:
    """A house's own code in front of that of the CDC."""
    person = "PID|1||M1^^^H" + "|" * 7 + "2054-5-SLF^^0005^2054-5^^CDC"

    (race,) = convert(message("ADT^A08", patient=person))["Patient"][0]["extension"]

    category, _text = race["extension"]
    assert (category["url"], category["valueCoding"]["code"]) == ("ombCategory", "2054-5")


def test_race_that_is_no_code_of_cdc_is_words(message: Build, convert: Convert) -> None:
    """US Core binds the detail to CDC's codes; a site's own code would make it invalid."""
    person = "PID|1||M1^^^H" + "|" * 7 + "B~2108-9^European"

    (race,) = convert(message("ADT^A08", patient=person))["Patient"][0]["extension"]

    detail, text = race["extension"]
    assert detail["valueCoding"]["system"] == "urn:oid:2.16.840.1.113883.6.238"
    assert text["valueString"] == "B, European"
