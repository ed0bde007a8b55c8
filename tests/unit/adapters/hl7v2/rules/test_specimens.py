"""The specimen of OBR-15."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def specimen(source: str, message: Build, convert: Convert) -> dict[str, Any]:
    """The one of an OBR with that OBR-15."""
    found = convert(message("ORU^R01", "OBR|1|P1|F1|GLU" + "|" * 11 + source))
    return found["Specimen"][0]


def test_specimen_source_has_six_parts(message: Build, convert: Convert) -> None:
    """SPS as v2.3 to v2.5 write it (v2-to-FHIR SPS[Specimen-Source])."""
    made = specimen("BLD&Blood^HEPARIN^in haste^LA&Left arm^upper^Frozen", message, convert)

    assert (made["type"]["coding"][0]["code"], made["type"]["text"]) == ("BLD", "Blood")
    assert made["container"] == [{"additiveCodeableConcept": {"text": "HEPARIN"}}]
    assert made["collection"]["bodySite"]["coding"][0]["code"] == "LA"
    assert [one["text"] for one in made["note"]] == ["in haste", "upper"]
    assert made["condition"] == [{"text": "Frozen"}]


def test_specimen_source_that_is_a_code_is_a_code(message: Build, convert: Convert) -> None:
    """A coding system in the third component is not the way that the specimen was taken."""
    made = specimen("UR^Urine^HL70070", message, convert)

    assert made["type"]["coding"][0]["display"] == "Urine"
    assert "note" not in made


def test_specimen_source_in_words_is_words(message: Build, convert: Convert) -> None:
    """SPS.1 was free text once."""
    assert specimen("swab of throat", message, convert)["type"] == {"text": "swab of throat"}


def test_deleted_specimen_source_is_deleted(message: Build, convert: Convert) -> None:
    """`""` in OBR-15 of a specimen that OBR-14 speaks of."""
    found = convert(message("ORU^R01", "OBR|1|P1|F1|GLU" + "|" * 10 + '20240101|""'))

    assert "Specimen.type" in str(found["Parameters"][0])


def test_volumes_of_a_container_have_their_unit(message: Build, convert: Convert) -> None:
    """SAC-21 to SAC-23 in SAC-24; what is left counts before what there was."""
    container = "SAC|||C1" + "|" * 18 + "10|3|4|mL^^UCUM"

    (made,) = convert(message("OUL^R22", "SPM|1|S1", container))["Specimen"][0]["container"]

    assert (made["capacity"]["value"], made["capacity"]["code"]) == (10, "mL")
    assert (made["specimenQuantity"]["value"], made["specimenQuantity"]["unit"]) == (3, "mL")
