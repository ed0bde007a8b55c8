"""Mixtures, dispensed amounts, and the pharmacy messages around them."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_mixture_is_a_medication_that_the_order_refers_to(message: Build, convert: Convert) -> None:
    """RXC: base and additive of one order."""
    raw = message(
        "RDE^O11", "ORC|NW|P1^H", "RXE||MIX^Mixture^L|1||mL", "RXR|IV^Intravenous^HL70162",
        "RXC|B|D5W^Dextrose^L|1000|mL", "RXC|A|KCL^Potassium chloride^L|20|mEq",
    )  # fmt: skip

    found = convert(raw)

    mixture, order = found["Medication"][0], found["MedicationRequest"][0]
    assert order["medicationReference"] == {"reference": f"Medication/{mixture['id']}"}
    assert "medicationCodeableConcept" not in order
    assert mixture["code"]["coding"][0]["code"] == "MIX"
    assert [one["isActive"] for one in mixture["ingredient"]] == [False, True]
    assert mixture["ingredient"][1]["strength"]["numerator"] == {"value": 20, "unit": "mEq"}
    route = order["dosageInstruction"][0]["route"]["coding"]
    assert [one["code"] for one in route] == ["IVINJ", "IV"]


def test_dispense_names_amount_order_and_giver(message: Build, convert: Convert) -> None:
    """RDS^O13: RXD beside the order of ORC and RXE."""
    raw = message(
        "RDS^O13", "ORC|RE|P1^H|F1^H", "RXE||ASP^Aspirin^L|1||tab",
        "RXD|1|ASP^Aspirin^L|20260102|30|TAB^tablet^L||RX7|||77^Pharm^Acy",
    )  # fmt: skip

    found = convert(raw)

    dispensed = found["MedicationDispense"][0]
    order = found["MedicationRequest"][0]
    assert dispensed["quantity"] == {
        "value": 30, "unit": "tablet", "code": "TAB",
        "system": dispensed["quantity"]["system"],
    }  # fmt: skip
    assert dispensed["authorizingPrescription"] == [
        {"reference": f"MedicationRequest/{order['id']}"}
    ]
    assert dispensed["performer"][0]["actor"]["reference"].startswith("Practitioner/")
    assert dispensed["whenHandedOver"] == "2026-01-02"


def test_administration_reads_its_route(message: Build, convert: Convert) -> None:
    """RAS^O17: RXA and RXR behind the encoded order."""
    raw = message(
        "RAS^O17", "ORC|RE|P1^H|F1^H", "RXE||ASP^Aspirin^L|1||mg",
        "RXA|0|1|202601020800+0000||ASP^Aspirin^L|100|mg", "RXR|PO^Oral^HL70162",
    )  # fmt: skip

    given = convert(raw)["MedicationAdministration"][0]

    assert given["dosage"]["route"]["coding"][0]["code"] == "PO"
    assert given["effectiveDateTime"] == "2026-01-02T08:00:00+00:00"


def test_what_is_given_is_no_vaccine_unless_its_code_says_so(
    message: Build, convert: Convert
) -> None:
    """RAS with lot and maker: an administration whose Medication holds them; CVX is a vaccine."""
    rxa = "RXA|0|1|20240101080000||{}|81|mg||||||||LOT1|20250101|MF^Maker^L|||CP"
    drug = convert(message("RAS^O17", "ORC|RE|P1", rxa.format("1191^Aspirin^RXNORM")))
    shot = convert(message("RAS^O17", "ORC|RE|P1", rxa.format("08^HepB^CVX")))

    product = drug["Medication"][0]
    given = drug["MedicationAdministration"][0]
    assert product["batch"] == {"lotNumber": "LOT1", "expirationDate": "2025-01-01"}
    assert product["manufacturer"] == {"display": "Maker"}
    assert given["medicationReference"] == {"reference": f"Medication/{product['id']}"}
    assert given["request"]["identifier"]["value"] == "P1"
    assert "Immunization" not in drug
    assert shot["Immunization"][0]["lotNumber"] == "LOT1"


def test_route_without_dose_keeps_the_administration_valid(
    message: Build, convert: Convert
) -> None:
    """R4 rule mad-1 wants a dose beside a route: it is unknown, not invented."""
    raw = message("RAS^O17", "ORC|RE|P1", "RXA|0|1|20240101||A^a^L|999", "RXR|PO^Oral^HL70162")

    dosage = convert(raw)["MedicationAdministration"][0]["dosage"]

    assert "extension" in dosage["dose"]
    assert dosage["route"]["coding"][-1]["code"] == "PO"


def test_lone_cancel_of_a_pharmacy_is_of_the_medication_order(
    message: Build, convert: Convert
) -> None:
    """ORC without RXE has the id that the order has, and claims nothing about the drug."""
    first = convert(message("RDE^O11", "ORC|NW|P1", "RXE||A^a^L|1||mg"))
    then = convert(message("RDE^O11", "ORC|DC|P1"))

    assert then["MedicationRequest"][0]["id"] == first["MedicationRequest"][0]["id"]
    assert then["MedicationRequest"][0]["status"] == "stopped"
    assert "ServiceRequest" not in then
    assert then["MedicationRequest"][0]["medicationCodeableConcept"] == {"text": "unknown"}
