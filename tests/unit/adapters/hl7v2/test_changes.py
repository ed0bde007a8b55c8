"""The change set of a message."""

from collections.abc import Callable
from typing import Any

Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]
Message = Callable[..., bytes]


def _paths(resources: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    """Name and path of every parameter."""
    return [
        (one["name"], next(part["valueString"] for part in one["part"] if part["name"] == "path"))
        for parameters in resources.get("Parameters", [])
        for one in parameters["parameter"]
    ]


def test_an_admission_states_and_so_needs_no_change_set(convert: Convert, message: Message) -> None:
    """Where the trigger says the status, nothing is assumed."""
    made = convert(message("ADT^A01", "PV1|1|I|W1"))

    assert _paths(made) == []


def test_an_update_assumes_the_status_that_the_class_suggests(
    convert: Convert, message: Message
) -> None:
    """A08 says nothing of the state of the visit."""
    made = convert(message("ADT^A08", "PV1|1|I|W1"))

    assert _paths(made) == [("default", "Encounter.status")]


def test_a_result_identifies_patient_and_visit(convert: Convert, message: Message) -> None:
    """Both are marked by the path of their type."""
    made = convert(message("ORU^R01", "PV1|1|I|W1", "OBR|1||F1|A", "OBX|1|ST|B||c||||||F"))

    assert sorted(_paths(made)) == [
        ("default", "Encounter"),
        ("default", "Encounter.status"),
        ("default", "Patient"),
    ]


def test_a_stated_end_is_not_assumed(convert: Convert, message: Message) -> None:
    """PV1-45 states that the visit is finished."""
    made = convert(message("ADT^A08", f"PV1|1|I{'|' * 43}20240109"))

    assert made["Encounter"][0]["status"] == "finished"
    assert _paths(made) == []


def test_a_deleted_part_makes_the_value_exact(convert: Convert, message: Message) -> None:
    """`""` in a component: the rest is the whole of it; without a rest, all goes."""
    patient = 'PID|1||M1^^^H||Berg^Anna^""||||||^^^^""||""^PRN^PH'

    made = convert(message("ADT^A08", patient=patient))

    assert _paths(made) == [
        ("exact", "Patient.name"),
        ("operation", "Patient.telecom.where(use='home')"),
    ]


def test_a_part_deleted_alone_is_reported(codes: Codes, message: Message) -> None:
    """Nothing changes, and somebody is told."""
    raw = message("ADT^A08", patient='PID|1||M1^^^H||||||||^^^^""')

    assert ("delete-partial", "PID-11") in codes(raw)


def test_quotes_inside_of_a_text_delete_nothing(convert: Convert, message: Message) -> None:
    """Only a component that is `""` and no more is a deletion."""
    made = convert(message("ADT^A08", patient='PID|1||M1^^^H||Berg^Anna ""Nan""'))

    assert _paths(made) == []
