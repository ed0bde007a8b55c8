"""Doses of pharmacy orders."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_encoded_order_says_dose_time_route_and_supply(message: Build, convert: Convert) -> None:
    """RDE with one RXE, TQ1 and RXR: one instruction that a nurse can follow."""
    raw = message(
        "RDE^O11", "ORC|NW|P1",
        "RXE||1191^Aspirin^RXNORM|81|162|mg^^UCUM||TK^With food^L||G|30|TAB|3",
        "TQ1|1||Q6H||||20240101|||PRN pain|slowly", "RXR|PO^Oral^HL70162|||CH^Chew^HL70165",
    )  # fmt: skip

    order = convert(raw)["MedicationRequest"][0]

    (dosage,) = order["dosageInstruction"]
    dose = dosage["doseAndRate"][0]["doseRange"]
    assert (dose["low"]["value"], dose["high"]["value"], dose["low"]["code"]) == (81, 162, "mg")
    assert dosage["timing"]["repeat"]["period"] == 6
    assert dosage["route"]["coding"][-1]["code"] == "PO"
    assert dosage["method"]["coding"][-1]["code"] == "CH"
    assert dosage["text"] == "With food; slowly"
    assert {"text": "PRN pain"} in dosage["additionalInstruction"]
    assert order["dispenseRequest"]["quantity"]["value"] == 30
    assert order["dispenseRequest"]["numberOfRepeatsAllowed"] == 3
    assert order["substitution"]["allowedCodeableConcept"]["coding"][0]["code"] == "G"


def test_complex_schedule_is_one_instruction_a_time(message: Build, convert: Convert) -> None:
    """Two TQ1 in sequence, each with its own quantity."""
    raw = message(
        "RDE^O11", "ORC|NW|P1", "RXE||A^a^L", "TQ1|1|2^TAB|QAM|||1^wk", "TQ1|2|1^TAB|QHS|||2^wk",
    )  # fmt: skip

    first, second = convert(raw)["MedicationRequest"][0]["dosageInstruction"]

    assert (first["sequence"], first["doseAndRate"][0]["doseQuantity"]["value"]) == (1, 2)
    assert (second["sequence"], second["doseAndRate"][0]["doseQuantity"]["value"]) == (2, 1)
    assert second["timing"]["repeat"]["boundsDuration"]["value"] == 2


def test_requested_dose_has_amount_rate_and_limit(message: Build, convert: Convert) -> None:
    """RXO as the prescriber wrote it, before the pharmacy encodes it."""
    rxo = f"RXO|A^a^L|5||mg|TAB^Tablet^L||^take one||N||10|TAB|2{'|' * 8}25|mL/h|2^g"
    raw = message("OMP^O09", "ORC|NW|P1", rxo, "RXR|PO^Oral^HL70162")

    found = convert(raw)

    order, product = found["MedicationRequest"][0], found["Medication"][0]
    (dosage,) = order["dosageInstruction"]
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 5
    assert dosage["doseAndRate"][0]["rateQuantity"]["value"] == 25
    assert dosage["maxDosePerPeriod"]["numerator"]["value"] == 2
    assert dosage["text"] == "take one"
    assert order["intent"] == "original-order"
    assert product["form"]["coding"][0]["code"] == "TAB"
    assert order["medicationReference"] == {"reference": f"Medication/{product['id']}"}


def test_old_timing_field_is_read_where_there_is_no_tq1(message: Build, convert: Convert) -> None:
    """RXE-1 of version 2.3: interval, bounds and priority in one field."""
    raw = message("RDE^O11", "ORC|NW|P1", "RXE|^Q8H^D5^20240101^^S|A^a^L|1||TAB")

    order = convert(raw)["MedicationRequest"][0]

    assert order["dosageInstruction"][0]["timing"]["repeat"]["period"] == 8
    assert order["priority"] == "stat"


def test_total_daily_dose_of_a_supply(message: Build, convert: Convert) -> None:
    """RXD-12 stands at the dispense."""
    raw = message("RDS^O13", "ORC|RE|P1", "RXD|1|A^a^L|20240101|30|TAB||RX1||||G|4^g")

    dispense = convert(raw)["MedicationDispense"][0]

    assert dispense["dosageInstruction"][0]["maxDosePerPeriod"]["numerator"]["value"] == 4
    assert dispense["substitution"]["wasSubstituted"] is True


def test_greatest_dose_below_the_least_is_no_range(message: Build, convert: Convert) -> None:
    """R4 rule rng-2: the first amount stands."""
    order = convert(message("RDE^O11", "ORC|NW|P1", "RXE||A^a^L|20|10|mg"))["MedicationRequest"][0]

    dose = order["dosageInstruction"][0]["doseAndRate"][0]
    assert dose["doseQuantity"]["value"] == 20


def test_unit_in_the_place_of_the_greatest_dose_is_a_unit(message: Build, convert: Convert) -> None:
    """A sender that leaves out the greatest dose and its separator: 400 is of mg/m2."""
    found = convert(message("ORM^O01", "ORC|NW|1", "RXO|A1^Fluorouracil^L|400|mg/m2"))

    (rate,) = found["MedicationRequest"][0]["dosageInstruction"][0]["doseAndRate"]
    assert rate["doseQuantity"] == {"value": 400, "unit": "mg/m2"}
