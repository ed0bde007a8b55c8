"""What OBX says of a vaccination."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]

SHOT = ("ORC|RE||F1", "RXA|0|1|20240301||08^HepB^CVX|0.5|mL")


def test_record_has_funding_education_series_and_reaction(message: Build, convert: Convert) -> None:
    """Each LOINC of the CDC guide has its element, and stays an Observation of the vaccination."""
    raw = message(
        "VXU^V04", *SHOT,
        "OBX|1|CE|64994-7^Eligibility^LN|1|V02^Medicaid^HL70064||||||F",
        "OBX|2|CE|30963-3^Funding^LN|1|PHC70^Private^L||||||F",
        "OBX|3|CE|30956-7^Type^LN|2|45^HepB^CVX||||||F",
        "OBX|4|TS|29768-9^Published^LN|2|20230512||||||F",
        "OBX|5|TS|29769-7^Presented^LN|2|20240301||||||F",
        "OBX|6|NM|30973-2^Dose^LN|3|2||||||F",
        "OBX|7|CE|31044-1^Reaction^LN|4|39579001^Anaphylaxis^SCT||||||F|||20240302",
    )  # fmt: skip

    found = convert(raw)

    shot = found["Immunization"][0]
    assert shot["programEligibility"][0]["coding"][0]["code"] == "V02"
    assert shot["fundingSource"]["text"] == "Private"
    assert shot["education"] == [
        {
            "documentType": "HepB",
            "publicationDate": "2023-05-12",
            "presentationDate": "2024-03-01",
        }
    ]
    assert shot["protocolApplied"] == [{"doseNumberPositiveInt": 2}]
    assert shot["reaction"][0]["date"] == "2024-03-02"
    assert len(found["Observation"]) == 7
    assert shot["reaction"][0]["detail"]["reference"].endswith(found["Observation"][6]["id"])


def test_what_r4_requires_beside_it_is_unknown_and_never_missing(
    message: Build, convert: Convert
) -> None:
    """imm-1 wants a document beside a date, and a series a dose number."""
    raw = message(
        "VXU^V04", *SHOT, "OBX|1|TS|29769-7^Presented^LN|2|20240301||||||F",
        "OBX|2|NM|59782-3^Doses^LN|3|three||||||F",
    )  # fmt: skip

    shot = convert(raw)["Immunization"][0]

    assert shot["education"][0]["documentType"] == "unknown"
    assert shot["protocolApplied"] == [
        {"doseNumberString": "unknown", "seriesDosesString": "three"}
    ]


def test_refusal_and_history_say_so(message: Build, convert: Convert) -> None:
    """RXA-20 RE with its reason is not done; RXA-9 01 is another's word."""
    refused = f"RXA|0|1|20240301||03^MMR^CVX|999{'|' * 12}00^Refused^L||RE|A"
    told = "RXA|0|1|2019||20^DTaP^CVX|999|||01^Historical^L"

    first, second = convert(message("VXU^V04", "ORC|RE||F2", refused, "ORC|RE||F3", told))[
        "Immunization"
    ]

    assert (first["status"], first["statusReason"]["text"]) == ("not-done", "Refused")
    assert (second["primarySource"], second["reportOrigin"]["text"]) == (False, "Historical")


def test_reasons_of_rxa_and_obx_stand_side_by_side(message: Build, convert: Convert) -> None:
    """RXA-19 is kept as its bytes where fields repeat; a reason of OBX joins it all the same."""
    shot = "RXA|0|1|20240301||08^HepB^CVX|0.5|mL||||||||||||X^Travel^L|CP"
    raw = message("VXU^V04", "ORC|RE||F1", shot, "OBX|1|CE|59785-6^Reason^LN|1|Y^Risk^L||||||F")

    found = [convert(raw)["Immunization"][0] for _ in range(3)]

    assert [[one["coding"][0]["code"] for one in shot["reasonCode"]] for shot in found] == [
        ["X", "Y"]
    ] * 3


def test_time_of_the_order_is_the_entry_where_rxa_says_none(
    message: Build, convert: Convert
) -> None:
    """ORC-9 is when the record was entered, and RXA-22 knows better."""
    shot = "RXA|0|1|20240301||03^MMR^CVX|0.5|mL"
    raw = message(
        "VXU^V04", "ORC|RE||F2||||||202403020900+0100", shot,
        "ORC|RE||F3||||||202403020900+0100", f"{shot}{'|' * 14}A|202403011000+0100",
    )  # fmt: skip

    first, second = convert(raw)["Immunization"]

    assert first["recorded"] == "2024-03-02T09:00:00+01:00"
    assert second["recorded"] == "2024-03-01T10:00:00+01:00"
