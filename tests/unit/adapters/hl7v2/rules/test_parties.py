"""Companies, and people in their role for one."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_payor_with_number_is_an_organization(message: Build, convert: Convert) -> None:
    """IN1-3 identifies it; a name alone is words."""
    raw = message("ADT^A01", "IN1|1|P1|77^^^H|Acme", "IN1|2|P2||Beta")

    found = convert(raw)

    first, second = (one["payor"][0] for one in found["Coverage"])
    assert first["reference"].startswith("Organization/")
    assert second == {"display": "Beta"}


def test_sending_facility_is_in_the_country_of_the_message(convert: Convert) -> None:
    """MSH-17 (v2-to-FHIR MSH[MessageHeader])."""
    raw = b"MSH|^~\\&|A|H|||20240101120000+0000||ADT^A01|1|P|2.5|||||USA\rPID|1||1\r"

    found = convert(raw)

    assert found["Organization"][0]["address"] == [{"country": "USA"}]
    assert found["MessageHeader"][0]["sender"]["display"] == "H"


def test_company_without_number_is_filed_under_its_name_where_it_can_be_reached(
    message: Build, convert: Convert
) -> None:
    """IN1-4 to IN1-7: an address and a telephone are more than words."""
    raw = message("ADT^A01", "IN1|1|P1||Acme|1 Road^^Town|Roe^Jo|^WPN^PH^^^555^1234")

    found = convert(raw)

    (acme,) = [one for one in found["Organization"] if one.get("name") == "Acme"]
    assert found["Coverage"][0]["payor"][0]["reference"] == f"Organization/{acme['id']}"
    assert (acme["address"][0]["city"], acme["contact"][0]["name"]["family"]) == ("Town", "Roe")
    assert "identifier" not in acme


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


def test_requester_for_a_facility_is_a_role(message: Build, convert: Convert) -> None:
    """ORC-12 at ORC-24 for ORC-21 to ORC-23; without facility the person alone."""
    facility = "Clinic|9 Lane^^Town|^WPN^PH^^^555^1|8 Way^^City"
    asked = "|".join(["ORC", "NW", "P1", *[""] * 9, "77^Doc^Di", *[""] * 8, facility])

    found = convert(
        message("ORM^O01", asked, "OBR|1|P1||GLU", "ORC|NW|P2" + "|" * 10 + "77^Doc^Di")
    )

    first, second = (one["requester"] for one in found["ServiceRequest"])
    (role,) = found["PractitionerRole"]
    (clinic,) = [one for one in found["Organization"] if one.get("name") == "Clinic"]
    assert first == {"display": "Di Doc", "reference": f"PractitionerRole/{role['id']}"}
    assert role["organization"]["reference"] == f"Organization/{clinic['id']}"
    assert second["reference"] == f"Practitioner/{found['Practitioner'][0]['id']}"
    assert found["Practitioner"][0]["address"][0]["city"] == "City"


def test_people_and_facilities_without_number_are_words(message: Build, convert: Convert) -> None:
    """ORC-12 and ORC-21 that name only."""
    asked = "|".join(["ORC", "NW", "P1", *[""] * 9, "^Doc^Di", *[""] * 8, "Clinic"])

    found = convert(message("ORM^O01", asked, "OBR|1|P1||GLU"))

    assert found["ServiceRequest"][0]["requester"] == {"display": "Di Doc"}
    assert "PractitionerRole" not in found


def test_deleted_requester_is_deleted(message: Build, convert: Convert) -> None:
    """`""` in ORC-12."""
    found = convert(message("ORM^O01", "ORC|NW|P1" + "|" * 10 + '""', "OBR|1|P1||GLU"))

    assert "ServiceRequest.requester" in str(found["Parameters"][0])


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
