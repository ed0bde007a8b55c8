"""Documents, vaccinations, appointments."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_text_below_txa_is_the_document(message: Build, convert: Convert) -> None:
    """MDM: lines of OBX are one attachment; an addendum appends to its parent."""
    raw = message(
        "MDM^T06", "EVN|T06", "PV1|1|O", "TXA|1|DS|||||||7^Who^^^^^^^H|||D2^X|D1^X||||LA",
        "OBX|1|TX|1^Note||one", "OBX|2|TX|1^Note||two",
    )  # fmt: skip

    found = convert(raw)

    document = found["DocumentReference"][0]
    assert document["content"][0]["attachment"]["data"] == "b25lCnR3bw=="
    assert document["relatesTo"][0]["code"] == "appends"
    assert "Observation" not in found


@pytest.mark.parametrize(
    ("states", "status", "contents"),
    [
        (("F", "F"), "current", 2),
        (("D", "F"), "entered-in-error", 1),
        (("W", "D"), "entered-in-error", 0),
        (("F", "D"), "current", 1),
    ],
)
def test_document_whose_text_is_withdrawn_is_in_error(
    message: Build, convert: Convert, states: tuple[str, str], status: str, contents: int
) -> None:
    """OBX-11 D or W below TXA: what was deleted, or sent for another patient, is no content."""
    first, second = states
    raw = message(
        "MDM^T04", "EVN|T04", "TXA|1|DS|||||||||||D1^X",
        f"OBX|1|TX|1^Note||one||||||{first}", f"OBX|2|TX|2^More||two||||||{second}",
    )  # fmt: skip

    (document,) = convert(raw)["DocumentReference"]

    assert document["status"] == status
    titles = [one["attachment"].get("title") for one in document["content"]]
    assert len([title for title in titles if title]) == contents


@pytest.mark.parametrize(
    ("made", "expected"),
    [("20260516142700", (None, "2026-05-16")), ("20260516142700+0200", ("2026", None))],
    ids=["no-zone", "instant"],
)
def test_a_document_has_the_day_it_was_made(
    message: Build, convert: Convert, made: str, expected: tuple[str | None, str | None]
) -> None:
    """TXA-6 is the date where it is an instant, else the day of the content."""
    raw = message("MDM^T02", "EVN|T02", f"TXA|1|DS||||{made}||||||D1^X", "OBX|1|TX|||Seen.")
    raw = raw.replace(b"+0100||MDM", b"||MDM")

    (document,) = convert(raw)["DocumentReference"]

    found = (document.get("date"), document["content"][0]["attachment"].get("creation"))
    assert (found[0] and found[0][:4], found[1]) == expected


def test_vaccination_has_dose_lot_and_route(message: Build, convert: Convert) -> None:
    """VXU: RXA and RXR are one Immunization; 999 is no dose."""
    rxa = "RXA|0|1|20240101||03^MMR^CVX|{dose}|mL^^UCUM||00||||||LOT7||MSD^Merck^MVX|||CP"
    raw = message("VXU^V04", "ORC|RE||F1", rxa.format(dose="0.5"), "RXR|SC^Subcut^HL70162",
                  "ORC|RE||F2", rxa.format(dose="999"))  # fmt: skip

    first, second = convert(raw)["Immunization"]

    assert (first["lotNumber"], first["doseQuantity"]["value"]) == ("LOT7", 0.5)
    assert [one["code"] for one in first["route"]["coding"]] == ["SQ", "SC"]
    assert "doseQuantity" not in second


def test_cancelled_appointment_keeps_its_people(message: Build, convert: Convert) -> None:
    """SIU S15: status, patient and practitioner."""
    raw = message(
        "SIU^S15", "SCH|P1|F1|||||||30|min|^^^20240102090000^20240102093000",
        "PID|1||M1^^^H", "RGS|1", "AIP|1||7^Who^Doc^^^^^^H", patient="",
    )  # fmt: skip

    appointment = convert(raw)["Appointment"][0]

    assert (appointment["status"], len(appointment["participant"])) == ("cancelled", 2)
    assert appointment["start"] == "2024-01-02T09:00:00+01:00"


def test_document_is_about_the_orders_before_it(message: Build, convert: Convert) -> None:
    """MDM: ORC and OBR before TXA; a replacement replaces, an addendum belongs to its parent."""
    txa = "TXA|1|DS||||||||||D2^X|D1^X"
    orders = ("EVN|T02", "PV1|1|O", "ORC|RE|P1", "OBR|1|P1||A", "ORC|RE|P2", "OBR|2|P2||B")

    found = convert(message("MDM^T02", *orders, txa))
    replaced = convert(message("MDM^T10", *orders, txa))

    document = found["DocumentReference"][0]
    names = [one["reference"] for one in document["context"]["related"]]
    assert names == [f"ServiceRequest/{one['id']}" for one in found["ServiceRequest"]]
    assert document["relatesTo"][0]["code"] == "appends"
    assert replaced["DocumentReference"][0]["relatesTo"][0]["code"] == "replaces"
