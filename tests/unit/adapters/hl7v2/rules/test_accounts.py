"""Merges, moves and links of accounts and patients."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]

ACCOUNT = "PID|1||17^^^H^MR||Doe^Jo|||||||||||||{number}^^^H^AN\r"


@pytest.mark.parametrize(
    ("prior", "retired"),
    [
        ("2^^^H^MR~3^^^H^MR", [["2"], ["3"]]),
        ("2~3~4", [["2"], ["3"], ["4"]]),
        ("2^^^H^MR~3^^^S^SS", [["2", "3"]]),
        ("3^^^S^SS~2^^^H^MR", [["3", "2"]]),
        ("2^^^H^MR~2^^^H^MR", [["2"]]),
    ],
    ids=["two-records", "untyped", "two-kinds", "governing-behind", "twice"],
)
def test_each_number_of_one_kind_is_a_record_that_retires(
    message: Build, convert: Convert, prior: str, retired: list[list[str]]
) -> None:
    """MRG-1 repeats: records that were merged at once, or numbers of one record."""
    found = convert(message("ADT^A40", f"MRG|{prior}", patient="PID|1||1^^^H^MR||Berg\r"))

    survivor, *others = found["Patient"]
    assert [[one["value"] for one in other["identifier"]] for other in others] == retired
    assert [one["other"]["reference"] for one in survivor["link"]] == [
        f"Patient/{other['id']}" for other in others
    ]
    assert {other["active"] for other in others} == {False}


def test_account_merge_retires_the_prior_account_and_no_patient(
    message: Build, convert: Convert
) -> None:
    """A41: MRG-3 becomes inactive and part of PID-18; MRG-1 is the same person."""
    raw = message("ADT^A41", "MRG|99^^^H^MR||A2^^^H^AN", patient=ACCOUNT.format(number="A1"))

    found = convert(raw)

    survivor, retired = found["Account"]
    assert (survivor["status"], retired["status"]) == ("active", "inactive")
    assert retired["identifier"][0]["value"] == "A2"
    assert retired["partOf"] == {"reference": f"Account/{survivor['id']}"}
    assert len(found["Patient"]) == 1


def test_account_that_only_moves_stays_open(message: Build, convert: Convert) -> None:
    """A44 without another number: the account of MRG-3 is this patient's now."""
    found = convert(message("ADT^A44", "MRG|99^^^H^MR||A2^^^H^AN"))

    (account,) = found["Account"]
    assert account["status"] == "active"
    assert account["subject"] == [{"reference": f"Patient/{found['Patient'][0]['id']}"}]
    assert "partOf" not in account


def test_account_merged_with_itself_is_reported(message: Build, codes: Codes) -> None:
    """Nothing is retired by mistake."""
    raw = message("ADT^A41", "MRG|17^^^H^MR||A1^^^H^AN", patient=ACCOUNT.format(number="A1"))

    assert ("merge-self", "MRG-3") in codes(raw)


def test_visit_moves_to_the_patient_of_its_message(message: Build, convert: Convert) -> None:
    """A45: each visit behind MRG belongs to the patient in PID."""
    raw = message(
        "ADT^A45",
        "MRG|99^^^H^MR||||V1^^^H", "PV1|1|I" + "|" * 17 + "V1^^^H",
        "MRG|99^^^H^MR||||V2^^^H", "PV1|1|I" + "|" * 17 + "V2^^^H",
    )  # fmt: skip

    found = convert(raw)

    patient = f"Patient/{found['Patient'][0]['id']}"
    assert len(found["Encounter"]) == 2
    assert {visit["subject"]["reference"] for visit in found["Encounter"]} == {patient}


def test_visit_without_segment_moves_by_its_prior_number(message: Build, convert: Convert) -> None:
    """A45 whose sender leaves PV1 out: MRG-5 names the visit, PID whose it is now."""
    found = convert(message("ADT^A45", "MRG|99^^^H^MR||||V1^^^H^VN"))

    (visit,) = found["Encounter"]
    assert visit["identifier"][0]["value"] == "V1"
    assert visit["subject"] == {"reference": f"Patient/{found['Patient'][0]['id']}"}


@pytest.mark.parametrize("trigger", ["A42", "A45", "A50"])
def test_visit_with_another_number_is_part_of_the_one_that_counts(
    message: Build, convert: Convert, trigger: str
) -> None:
    """What was filed under the prior number leads to the other; the prior one is in error."""
    number = "|" * 17 + "V2^^^H"

    found = convert(message(f"ADT^{trigger}", "MRG|17^^^H^MR||||V1^^^H", f"PV1|1|I{number}"))

    prior, counts = found["Encounter"]
    assert prior["status"] == "entered-in-error"
    assert prior["partOf"] == {"reference": f"Encounter/{counts['id']}"}
    assert ("subject" in prior) is (trigger == "A45")  # which moves it to another patient
    assert counts["identifier"][0]["value"] == "V2"


def test_moved_visit_waits_in_both_lanes(message: Build, dialect: Hl7v2) -> None:
    """What the prior patient's feed said of the visit comes before it leaves him."""
    raw = message("ADT^A45", "MRG|99^^^H^MR||||V1^^^H")
    prior = message("ADT^A08", patient="PID|1||99^^^H^MR||Doe^Jo")

    lanes = dialect.convert(raw, sender="").lanes

    assert set(dialect.convert(prior, sender="").lanes) < set(lanes)


def test_link_and_unlink_are_one_linkage(message: Build, convert: Convert) -> None:
    """A24 makes it, A37 makes the same one inactive, whatever the order of the patients."""
    one, two = "PID|1||17^^^H^MR||Doe^Jo", "PID|2||18^^^H^MR||Doe^J"

    linked = convert(message("ADT^A24", one, "PV1|1|N", two, patient=""))["Linkage"][0]
    undone = convert(message("ADT^A37", two, one, patient=""))["Linkage"][0]

    assert (linked["active"], undone["active"]) == (True, False)
    assert linked["id"] == undone["id"]
    assert [item["type"] for item in linked["item"]] == ["source", "alternate"]


def test_deleted_person_is_no_longer_active(message: Build, convert: Convert) -> None:
    """A29 keeps the record and says so."""
    assert convert(message("ADT^A29", "PV1|1|N"))["Patient"][0]["active"] is False


def test_admission_under_another_number_goes_on_with_the_outpatients_visit(
    message: Build, convert: Convert, codes: Codes
) -> None:
    """A06 with MRG: account and visit have new numbers; the visit before did happen."""
    raw = message(
        "ADT^A06", "MRG|||A2^^^H^AN||V1^^^H", "PV1|1|I|W1" + "|" * 16 + "V2^^^H",
        patient=ACCOUNT.format(number="A1"),
    )  # fmt: skip

    found = convert(raw)

    prior, now = found["Encounter"]
    assert (prior["status"], now["status"]) == ("finished", "in-progress")
    assert prior["partOf"] == {"reference": f"Encounter/{now['id']}"}
    assert [one["status"] for one in found["Account"]] == ["active", "inactive"]
    assert codes(raw) == []
