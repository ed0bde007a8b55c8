"""OBX-5 by OBX-2."""

from collections.abc import Callable
from typing import Any

import pytest

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


@pytest.mark.parametrize(
    ("kind", "value", "units", "element", "expected"),
    [
        ("NM", "7.40", "mg/dL", "valueQuantity", {"value": 7.4, "unit": "mg/dL"}),
        ("NM", "n/a", "mg", "valueString", "n/a"),
        ("SN", ">^100", "", "valueQuantity", {"comparator": ">", "value": 100}),
        ("SN", "^1^:^128", "", "valueRatio", {"numerator": {"value": 1},
                                               "denominator": {"value": 128}}),
        ("SN", "^3^-^5", "", "valueRange", {"low": {"value": 3}, "high": {"value": 5}}),
        ("DT", "20240102", "", "valueDateTime", "2024-01-02"),
        ("TM", "1230", "", "valueTime", "12:30:00"),
        ("TX", "one~two", "", "valueString", "one\ntwo"),
        ("", "5", "mg", "valueQuantity", {"value": 5, "unit": "mg"}),
        ("", "free text", "", "valueString", "free text"),
        ("ZZ", "odd", "", "valueString", "odd"),
    ],
)  # fmt: skip
def test_value_by_its_datatype(  # noqa: PLR0913, PLR0917 - one column each
    kind: str, value: str, units: str, element: str, expected: object,
    message: Build, convert: Convert,
) -> None:  # fmt: skip
    """Each datatype fills its own element."""
    raw = message("ORU^R01", "OBR|1||F|X", f"OBX|1|{kind}|1^a^L||{value}|{units}|||||F")

    found = convert(raw)["Observation"][0][element]

    if isinstance(found, dict):
        assert isinstance(expected, dict)
        assert found.items() >= expected.items()
    else:
        assert found == expected


def test_digits_are_kept_as_sent(dialect: Any, message: Build) -> None:
    """7.40 is not 7.4."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|NM|1||7.40||||||F")

    assert b'"value":7.40' in dialect.convert(raw, sender="").canonical


def test_repeats_become_components(message: Build, convert: Convert) -> None:
    """Codes that repeat are components of one observation."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|CE|1^a^L||A^x^L~B^y^L||||||F")

    found = convert(raw)["Observation"][0]

    codes = [one["valueCodeableConcept"]["coding"][0]["code"] for one in found["component"]]
    assert codes == ["A", "B"]


def test_document_is_an_attachment_with_its_hash(message: Build, convert: Convert) -> None:
    """ED keeps type, size and hash in the document that its result is derived from."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|ED|1||^text^plain^Base64^QUJD||||||F")

    found = convert(raw)

    result, binary, document = (found[k][0] for k in ("Observation", "Binary", "DocumentReference"))
    attachment = document["content"][0]["attachment"]
    assert result["derivedFrom"] == [{"reference": f"DocumentReference/{document['id']}"}]
    assert "extension" not in result
    assert (attachment["contentType"], attachment["size"]) == ("text/plain", 3)
    assert attachment["hash"]
    assert attachment["url"] == f"Binary/{binary['id']}"
    assert binary["data"] == "QUJD"
    assert found["DiagnosticReport"][0]["presentedForm"][0]["url"] == attachment["url"]


def test_document_that_cannot_be_read_is_an_error_and_no_document(
    message: Build, convert: Convert
) -> None:
    """Half a document is worse than none; the result says that it has one."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|ED|1||^text^plain^Base64^?||||||F")

    found = convert(raw)

    assert found["Observation"][0]["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert "DocumentReference" not in found


def test_range_and_several_flags_of_a_result(message: Build, convert: Convert) -> None:
    """OBX-7 has low and high with the result's unit, OBX-8 each of its flags."""
    raw = message("ORU^R01", "OBR|1||F|X", "OBX|1|NM|1||9|mg/dL|3.5 - 5.5|HH~A|||F")

    result = convert(raw)["Observation"][0]

    assert result["referenceRange"] == [
        {
            "low": {"value": 3.5, "unit": "mg/dL"},
            "high": {"value": 5.5, "unit": "mg/dL"},
            "text": "3.5 - 5.5",
        }
    ]
    assert [one["coding"][0]["code"] for one in result["interpretation"]] == ["HH", "A"]


def test_same_result_sent_again_is_the_same_observation(message: Build, convert: Convert) -> None:
    """A correction meets the stored result: order, code and sub id are the key."""
    first = message("ORU^R01", "OBR|1||F9|X", "OBX|1|NM|1^a^L||5||||||P")
    second = message("ORU^R01", "OBR|1||F9|X", "OBX|1|NM|1^a^L||6||||||C").replace(b"C1", b"C2")

    ids = [convert(raw)["Observation"][0]["id"] for raw in (first, second)]

    assert ids[0] == ids[1]


def test_code_with_a_suffix_is_the_code_that_its_system_knows(
    message: Build, convert: Convert
) -> None:
    """71020&IMP is CPT 71020 and an impression of it: two observations, one true code."""
    raw = message(
        "ORU^R01", "OBR|1||F|71020^Chest^C4", "OBX|1|TX|71020&GDT^Chest^C4||clear||||||F",
        "OBX|2|TX|71020&IMP^Chest^C4||normal||||||F",
    )  # fmt: skip

    first, second = convert(raw)["Observation"]

    assert [one["code"]["coding"][0]["code"] for one in (first, second)] == ["71020", "71020"]
    assert second["code"]["text"] == "Chest (IMP)"
    assert first["id"] != second["id"]


def test_results_before_the_only_specimen_are_of_it(message: Build, convert: Convert) -> None:
    """In ORU the specimen stands behind the results; with two nobody can say which."""
    panel = ("OBR|1||F1|X", "OBX|1|NM|1||5||||||F", "SPM|1|^S1||BLD")
    one, two = message("ORU^R01", *panel), message("ORU^R01", *panel, "SPM|2|^S2||UR")

    assert convert(one)["Observation"][0]["specimen"]["reference"].startswith("Specimen/")
    assert "specimen" not in convert(two)["Observation"][0]


def test_what_stands_for_a_missing_result_says_why_it_is_missing(
    message: Build, convert: Convert
) -> None:
    """OBX-11 X beside a text: R4 rule obs-6 forbids a value, and the text is the reason."""
    result = convert(message("ORU^R01", "OBX|1|ST|1||haemolysed||||||X"))["Observation"][0]

    assert result["dataAbsentReason"]["text"] == "haemolysed"
    assert result["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    assert "valueString" not in result


def test_run_number_alone_is_no_name_of_a_result(message: Build, convert: Convert) -> None:
    """An analyser puts its run into OBX-21, without authority and without an order's number."""

    def run(specimen: str, number: str) -> str:
        result = "OBX|1|NM|GLU^^99A||5|mg/dL|||||F" + "|" * 10 + number
        raw = message("OUL^R22", f"SPM|1|{specimen}", "OBR|1|||GLU^^99A", result)
        return str(convert(raw)["Observation"][0]["id"])

    assert run("S1", "8") != run("S2", "8")
    assert run("S1", "8^^1.2.3.4^ISO") == run("S2", "8^^1.2.3.4^ISO")
