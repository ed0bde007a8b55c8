"""Who asked, entered, and has a role in the visit."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


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


def test_vaccination_has_who_asked_and_entered_it(message: Build, convert: Convert) -> None:
    """ORC-10 and ORC-12 for ORC-21 before RXA (v2-to-FHIR ORC[Immunization])."""
    order = "|".join(
        ["ORC", "RE", "", "F1", *[""] * 6, "1^Ent^Er", "", "2^Doc^Di", *[""] * 8, "Clinic^^77"]
    )

    found = convert(message("VXU^V04", order, "RXA|0|1|20240101||03^MMR^CVX|999"))

    (performer,) = found["Immunization"][0]["performer"]
    assert performer["function"]["coding"][0]["code"] == "OP"
    assert performer["actor"]["reference"].startswith("PractitionerRole/")
    agents = [one["type"]["coding"][0]["code"] for one in found["Provenance"][0]["agent"]]
    assert agents == ["author", "enterer", "assembler"]


def test_vaccinations_under_one_order_share_who_asked_alone(
    message: Build, convert: Convert
) -> None:
    """Two RXA behind one ORC: its number and its people are of both, each RXR of one."""
    order = "|".join(["ORC", "RE", "", "F1^L", *[""] * 8, "2^Doc^Di"])
    first = ["RXA|0|1|20240101||03^MMR^CVX|999", "RXR|IM"]
    second = ["RXA|0|1|20240101||21^VAR^CVX|999", "RXR|SC"]

    found = convert(message("VXU^V04", order, *first, *second))

    mmr, var = found["Immunization"]
    assert [one["route"]["coding"][1]["code"] for one in (mmr, var)] == ["IM", "SC"]
    assert mmr["performer"] == var["performer"]
    assert mmr["identifier"] == var["identifier"]
    assert "ServiceRequest" not in found


def test_order_is_entered_for_a_department(message: Build, convert: Convert) -> None:
    """ORC-17 beside ORC-10, and alone (v2-to-FHIR ORC[Provenance])."""
    both = "|".join(["ORC", "NW", "P1", *[""] * 7, "1^Ent^Er", *[""] * 6, "D7^Ward 7^L"])
    alone = "|".join(["ORC", "NW", "P2", *[""] * 14, "D8^Ward 8^L"])

    found = convert(message("ORM^O01", both, "OBR|1|P1||GLU", alone, "OBR|2|P2||GLU"))

    _, first, second, _ = found["Provenance"][0]["agent"]
    assert (first["who"]["display"], first["onBehalfOf"]["display"]) == ("Er Ent", "Ward 7")
    assert second["who"]["display"] == "Ward 8"


def test_role_in_a_visit_has_its_organization(message: Build, convert: Convert) -> None:
    """ROL-3 and ROL-12 to ROL-14; without ROL-3 and without them it is the person."""
    role = "|".join(
        ["ROL", "1", "AD", "AT", "1^Doc^Di", *[""] * 7, "^WPN^PH^^^555^1", "WARD", "Clinic^^77"]
    )

    found = convert(message("ADT^A01", "PV1|1|I", role, "ROL|2|AD||2^Con^Cy"))

    first, second = (one["individual"] for one in found["Encounter"][0]["participant"])
    (made,) = found["PractitionerRole"]
    assert first == {"display": "Di Doc", "reference": f"PractitionerRole/{made['id']}"}
    assert made["organization"]["display"] == "Clinic"
    assert made["location"] == [{"reference": f"Location/{found['Location'][0]['id']}"}]
    assert (made["telecom"][0]["use"], made["code"][0]["coding"][0]["code"]) == ("work", "AT")
    assert second["reference"].startswith("Practitioner/")
