"""Comments of NTE."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_repetitions_are_lines_of_one_comment_with_author_time_and_type(
    message: Build, convert: Convert
) -> None:
    """NTE-3 repeats by line; NTE-4 to NTE-6 are of the whole comment."""
    raw = message(
        "ORU^R01", "OBR|1||F|X", "OBX|1|ST|1||a||||||F",
        "NTE|1|L|first~second|RE^Remark^HL70364|7^Who^Doc|20240101",
    )  # fmt: skip

    note = convert(raw)["Observation"][0]["note"]

    assert [one["text"] for one in note] == ["first\nsecond"]
    assert note[0]["authorReference"]["reference"].startswith("Practitioner/")
    assert note[0]["time"] == "2024-01-01"
    assert note[0]["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "RE"


def test_coded_comment_is_words(message: Build, convert: Convert) -> None:
    """NTE-9 (v2.9) may stand alone; an author without number is a name."""
    raw = message("ORU^R01", "OBR|1||F|X", "NTE|1|||| ^Who^Doc||||H^Hemolysed^L")

    note = convert(raw)["ServiceRequest"][0]["note"]

    assert note == [{"text": "Hemolysed", "authorString": "Doc Who"}]


def test_comment_of_each_segment_stays_with_it(message: Build, convert: Convert) -> None:
    """Dispense, administration and vaccination have comments of their own."""
    given = "RXA|0|1|20240101||{}|1"
    raw = message("RDS^O13", "ORC|RE|P1", "RXD|1|A^a^L|20240101|1", "NTE|1||supplied")
    shot = message("VXU^V04", "ORC|RE||F1", given.format("08^HepB^CVX"), "NTE|1||shot")
    dose = message("RAS^O17", "ORC|RE|P1", given.format("A^a^L"), "NTE|1||given")

    notes = [
        convert(one)[kind][0]["note"][0]["text"]
        for one, kind in ((raw, "MedicationDispense"), (shot, "Immunization"),
                          (dose, "MedicationAdministration"))
    ]  # fmt: skip

    assert notes == ["supplied", "shot", "given"]
