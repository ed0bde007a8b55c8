"""Who did it."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_director_is_one_in_the_laboratory_and_observer_one_by_function(
    message: Build, convert: Convert
) -> None:
    """OBX-16, OBX-23 to OBX-25 (v2-to-FHIR OBX[Observation])."""
    lab = "Lab^L^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^05D0|1 Road^^Town|77^Dir^Di"
    raw = message("ORU^R01", "OBR|1||F1|GLU", "OBX|1|ST|GLU||x||||||F|||||9^Obs^Ob|||||||" + lab)

    found = convert(raw)

    roles = {one["practitioner"]["display"]: one for one in found["PractitionerRole"]}
    assert roles["Ob Obs"]["code"][0]["coding"][0]["code"] == "responsibleObserver"
    assert roles["Di Dir"]["code"][0]["coding"][0]["code"] == "MDIR"
    assert roles["Di Dir"]["organization"]["display"] == "Lab"
    kinds = [one["reference"].split("/")[0] for one in found["Observation"][0]["performer"]]
    assert kinds == ["PractitionerRole", "Organization", "PractitionerRole"]
    (made,) = [one for one in found["Organization"] if one.get("name") == "Lab"]
    assert made["address"][0]["city"] == "Town"


def test_participants_of_a_result_are_those_who_did_it(message: Build, convert: Convert) -> None:
    """PRT of v2.7 below OBR and OBX, by PRT-4 (v2-to-FHIR ORU_R01)."""
    lines = (
        "OBR|1||F1|GLU",
        "PRT||UC||OP^Ordering^HL70443|1^Order^Ora",
        "PRT||UC||PRI^Interpreter^HL70443|2^Inter^Ina",
        "PRT||UC||TN^Technician^HL70443|3^Tech^Tea",
        "PRT||UC||SC^Collector^HL70443|4^Draw^Dan",
        "OBX|1|ST|GLU||x||||||F",
        "PRT||UC||RO^Observer^HL70443|5^Obs^Ona|||Lab^L^^^^^^^^77|WARD^1|DEV1|||||^WPN^PH^^^555^1",
        "SPM|1|^S1|",
    )

    found = convert(message("ORU^R01", *lines))

    shown = {one["practitioner"]["display"]: one for one in found["PractitionerRole"]}
    order, report, result = (
        found[kind][0] for kind in ("ServiceRequest", "DiagnosticReport", "Observation")
    )
    assert order["requester"]["display"] == "Ora Order"
    assert report["resultsInterpreter"][0]["display"] == "Ina Inter"
    assert [one["display"] for one in report["performer"]] == ["Tea Tech"]
    assert [one["display"] for one in result["performer"]] == ["Ona Obs"]
    assert shown["Ona Obs"]["organization"]["display"] == "Lab"
    assert shown["Ona Obs"]["telecom"][0]["use"] == "work"
    assert result["device"]["display"] == "DEV1"
    assert result["extension"][0]["url"].endswith("/event-location")


def test_interpreters_and_technicians_have_their_function_and_place(
    message: Build, convert: Convert
) -> None:
    """OBR-32 to OBR-35, NDL: who, and where he worked (v2-to-FHIR NDL[PractitionerRole])."""
    people = "1&Inter&Ina^202401010900^^WARD^R1|2&Assi&Al|3&Tech&Tea|4&Type&Ty~5&Type&Tu"
    raw = message("ORU^R01", "OBR|1||F1|GLU" + "|" * 28 + people, "OBX|1|ST|GLU||x||||||F")

    found = convert(raw)

    report = found["DiagnosticReport"][0]
    assert [one["display"] for one in report["resultsInterpreter"]] == ["Ina Inter", "Al Assi"]
    assert [one["display"] for one in report["performer"]] == ["Tea Tech", "Ty Type", "Tu Type"]
    roles = {one["practitioner"]["display"]: one for one in found["PractitionerRole"]}
    codes = [one["code"][0]["coding"][0]["code"] for one in roles.values()]
    assert codes == ["PI", "AI", "TN", "TR", "TR"]
    room = next(one for one in found["Location"] if one["name"] == "R1")
    assert roles["Ina Inter"]["location"] == [{"reference": f"Location/{room['id']}"}]


def test_deleted_interpreter_is_deleted(message: Build, convert: Convert) -> None:
    """`""` in OBR-32."""
    found = convert(message("ORU^R01", "OBR|1||F1|GLU" + "|" * 28 + '""'))

    assert "DiagnosticReport.resultsInterpreter" in str(found["Parameters"][0])


def test_device_is_named_by_all_its_numbers(message: Build, convert: Convert) -> None:
    """OBX-18 repeats model and serial number: two analysers of a model are two devices."""

    def result(at: int, device: str) -> str:
        return f"OBX|{at}|NM|GLU||5||||||F" + "|" * 7 + device

    raw = message(
        "ORU^R01", "OBR|1||F1|GLU", result(1, "X9^MAK~S1^MAK"), result(2, "X9^MAK~S2^MAK")
    )

    found = convert(raw)

    one, two = found["Device"]
    assert [each["value"] for each in one["identifier"]] == ["X9", "S1"]
    assert [each["value"] for each in two["identifier"]] == ["X9", "S2"]
    assert found["Observation"][1]["device"] == {
        "reference": f"Device/{two['id']}", "display": "X9"
    }  # fmt: skip


def test_deleted_device_is_deleted(message: Build, convert: Convert) -> None:
    """`""` in OBX-18."""
    found = convert(message("ORU^R01", "OBR|1||F1|GLU", "OBX|1|NM|GLU||5||||||F" + "|" * 7 + '""'))

    assert "Observation.device" in str(found["Parameters"][0])
