"""Parents of orders, reports and specimens."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]

CULTURE = "600-7^Culture^LN"


def obr(number: str, code: str, parent: str = "", grand: str = "") -> str:
    """An OBR of microbiology with OBR-26 and OBR-29."""
    return f"OBR|1|P1|{number}|{code}{'|' * 20}MB|F|{parent}|||{grand}"


def test_susceptibilities_stand_below_their_organism(message: Build, convert: Convert) -> None:
    """Two organisms, a panel each: every test is a member of its own organism and report."""
    raw = message(
        "ORU^R01", obr("F1", CULTURE), f"OBX|1|CE|{CULTURE}|1|1^E. coli^SCT||||||F",
        f"OBX|2|CE|{CULTURE}|2|2^Staph^SCT||||||F",
        obr("F2", "29576-6^Susc^LN", "600-7&Culture&LN^1^E. coli", "P1^F1"),
        "OBX|1|SN|28-1^Amp^LN||>^16|ug/mL||R|||F",
        obr("F3", "29576-6^Susc^LN", "600-7^2", "P1^F1"),
        "OBX|1|SN|6932-8^Pen^LN||<^1|ug/mL||S|||F",
    )  # fmt: skip

    found = convert(raw)

    coli, staph, ampicillin, penicillin = found["Observation"]
    assert coli["hasMember"] == [{"reference": f"Observation/{ampicillin['id']}"}]
    assert staph["hasMember"] == [{"reference": f"Observation/{penicillin['id']}"}]
    parent, *children = found["DiagnosticReport"]
    assert [one["extension"][0]["valueReference"]["reference"] for one in children] == [
        f"DiagnosticReport/{parent['id']}"
    ] * 2
    assert [one["basedOn"][0]["reference"] for one in found["ServiceRequest"][1:]] == [
        f"ServiceRequest/{found['ServiceRequest'][0]['id']}"
    ] * 2


def test_organisms_of_one_report_are_told_apart_by_sub_id(message: Build, convert: Convert) -> None:
    """OBX-4 groups organism and tests within one OBR, and stays to be seen."""
    raw = message(
        "ORU^R01", obr("F1", CULTURE), f"OBX|1|CE|{CULTURE}|1|1^E. coli^SCT||||||F",
        "OBX|2|SN|28-1^Amp^LN|1|>^16|ug/mL||R|||F", f"OBX|3|CE|{CULTURE}|2|2^Staph^SCT||||||F",
        "OBX|4|SN|28-1^Amp^LN|2|<^1|ug/mL||S|||F",
    )  # fmt: skip

    coli, first, staph, second = convert(raw)["Observation"]

    assert coli["hasMember"] == [{"reference": f"Observation/{first['id']}"}]
    assert staph["hasMember"] == [{"reference": f"Observation/{second['id']}"}]
    assert second["extension"][0]["extension"][0]["valueString"] == "2"


def test_parent_order_of_another_message_is_its_number(message: Build, convert: Convert) -> None:
    """ORC-8 names the order that this one was made of."""
    raw = message("ORM^O01", "ORC|CH|P2^E||||||P1&E^F1&L", "OBR|1|P2^E||X")

    based_on = convert(raw)["ServiceRequest"][0]["basedOn"][0]

    assert (based_on["type"], based_on["identifier"]["value"]) == ("ServiceRequest", "F1")


def test_parent_specimen_is_the_specimen_of_the_message(message: Build, convert: Convert) -> None:
    """SPM-3: an isolate was taken of the blood that stands before it."""
    raw = message("ORU^R01", "OBR|1||F1|X", "SPM|1|^S1||BLD", "SPM|2|^S2|^S1|ISLT")

    blood, isolate = convert(raw)["Specimen"]

    assert isolate["parent"][0]["reference"] == f"Specimen/{blood['id']}"


def test_result_of_one_of_several_specimens_names_it(message: Build, convert: Convert) -> None:
    """OBX-33 by the number in SPM-2; of several specimens R4 has no element."""
    result = "OBX|1|ST|C||x||||||F" + "|" * 22
    found = convert(
        message(
            "ORU^R01",
            "OBR|1||F1|PANEL",
            f"{result}^S2",
            f"{result}^S1~^S2",
            "SPM|1|^S1|",
            "SPM|2|^S2|",
        )
    )

    second = found["Specimen"][1]
    assert found["Observation"][0]["specimen"] == {
        "reference": f"Specimen/{second['id']}",
        "type": "Specimen",
    }
    assert "specimen" not in found["Observation"][1]
