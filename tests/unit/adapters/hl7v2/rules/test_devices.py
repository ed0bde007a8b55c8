"""What measured: OBX-18, and the lines of IHE PCD-01 that describe a device."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
PRESSURE = "OBX|4|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.0.1.1|120|266016^MDC_DIM_MMHG^MDC|||||R"


def line(code: str, place: str, device: str = "") -> str:
    """A line without a value, as IHE PCD-01 describes a device."""
    return f"OBX|1||{code}^X^MDC|{place}|||||||X" + "|" * 7 + device


@pytest.mark.parametrize("whole", ["1", "1.0.0.0"], ids=["short", "long"])
def test_line_without_a_value_is_a_device_and_no_result(
    whole: str, message: Build, convert: Convert
) -> None:
    """The system has its number and type, its channels are what it is made for."""
    lines = (line("528391", whole, "0123^EUI-64"), line("150020", "1.0.1"))

    found = convert(message("ORU^R01", "OBR|1||F1|528391", *lines, PRESSURE))

    (device,) = found["Device"]
    assert device["identifier"][0]["value"] == "0123"
    assert device["type"]["coding"][0]["code"] == "528391"
    kinds = [one["systemType"]["coding"][0]["code"] for one in device["specialization"]]
    assert kinds == ["150020"]
    (result,) = found["Observation"]
    assert result["device"] == {"reference": f"Device/{device['id']}"}
    assert result["status"] == "preliminary"


def test_part_with_a_number_is_a_device_in_the_other(message: Build, convert: Convert) -> None:
    """A result is of the innermost one around its place."""
    lines = (line("69965", "1.0.0.0", "A^EUI-64"), line("69854", "1.0.1.0", "B^EUI-64"))

    found = convert(message("ORU^R01", "OBR|1||F1|69965", *lines, PRESSURE))

    outer, inner = found["Device"]
    assert inner["parent"] == {"reference": f"Device/{outer['id']}"}
    assert found["Observation"][0]["device"] == {"reference": f"Device/{inner['id']}"}


def test_measurement_without_a_value_is_no_device(message: Build, convert: Convert) -> None:
    """OBX-8 says why there is none."""
    absent = "OBX|1||150021^X^MDC|1.0.1.1||||NAV|||X"

    found = convert(message("ORU^R01", "OBR|1||F1|69965", absent))

    assert "Device" not in found
    assert found["Observation"][0]["status"] == "cancelled"


def test_device_without_a_number_is_the_sender_s(message: Build, convert: Convert) -> None:
    """The same in every message; a result elsewhere is not of it."""
    system = line("69965", "1.0.0.0")
    elsewhere = PRESSURE.replace("1.0.1.1", "2.0.1.1")

    first, second = (
        convert(message("ORU^R01", f"OBR|1||{filler}|69965", system, elsewhere))
        for filler in ("F1", "F2")
    )

    assert first["Device"] == second["Device"]
    assert "device" not in first["Observation"][0]


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


def test_device_that_is_unknown_is_a_word(message: Build, convert: Convert) -> None:
    """All unknown devices would be one."""
    found = convert(message("ORU^R01", "OBR|1||F1|GLU", "OBX|1|NM|GLU||5||||||F" + "|" * 7 + "UNK"))

    assert found["Observation"][0]["device"] == {"display": "UNK"}
    assert "Device" not in found
