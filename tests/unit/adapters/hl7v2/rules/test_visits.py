"""Rules of Encounter, AllergyIntolerance and Coverage."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_reactions_share_one_severity(message: Build, convert: Convert) -> None:
    """AL1-5 repeats; AL1-4 grades the reaction and the criticality."""
    found = convert(message("ADT^A01", "AL1|1|DA|P^Penicillin|SV|Hives~Rash"))

    allergy = found["AllergyIntolerance"][0]
    assert allergy["criticality"] == "high"
    assert allergy["reaction"][0]["severity"] == "severe"
    assert [one["text"] for one in allergy["reaction"][0]["manifestation"]] == ["Hives", "Rash"]


def test_payor_with_number_is_an_organization(message: Build, convert: Convert) -> None:
    """IN1-3 identifies it; a name alone is words."""
    raw = message("ADT^A01", "IN1|1|P1|77^^^H|Acme", "IN1|2|P2||Beta")

    found = convert(raw)

    first, second = (one["payor"][0] for one in found["Coverage"])
    assert first["reference"].startswith("Organization/")
    assert second == {"display": "Beta"}


def test_discharge_finishes_the_visit(message: Build, convert: Convert) -> None:
    """A03 with PV1-45 and PV1-37."""
    raw = message("ADT^A03", "PV1|1|I" + "|" * 35 + "HOME" + "|" * 8 + "20240105")

    visit = convert(raw)["Encounter"][0]

    assert (visit["status"], visit["period"]) == ("finished", {"end": "2024-01-05"})
    assert visit["hospitalization"]["destination"]["display"] == "HOME"
