"""Rules of MessageHeader."""

from collections.abc import Callable
from typing import Any

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]


def test_acknowledgement_is_a_response(message: Build, convert: Convert) -> None:
    """MSA gives MessageHeader.response; a control id that is no FHIR id stands in words."""
    good = convert(message("ACK^A01", "MSA|AA|C77", patient=""))["MessageHeader"][0]
    bad = convert(message("ACK^A01", "MSA|AA|not an id", patient=""))["MessageHeader"][0]

    assert good["response"] == {"identifier": "C77", "code": "ok"}
    assert bad["response"]["code"] == "ok"
    assert bad["response"]["_identifier"]["extension"][0]["valueString"] == "not an id"


def test_acknowledgement_of_nothing_is_no_response(message: Build, convert: Convert) -> None:
    """Neither code nor control id: nothing is answered, and an error belongs to no answer."""
    raw = message("ACK^A01", "MSA|??|C77", "ERR||PID^1^3|204^Unknown key^HL70357|E", patient="")

    header = convert(raw)["MessageHeader"][0]

    assert "response" not in header
    assert "contained" not in header


def test_errors_are_issues_of_the_outcome(message: Build, convert: Convert) -> None:
    """Where, what and how bad, in the new form and in the old; the words of MSA-3 too."""
    raw = message(
        "ACK^A01",
        "MSA|AE|C77|patient unknown",
        "ERR||PID^1^3^1^1|204^Unknown key identifier^HL70357|E|||no such patient|Call the desk",
        "ERR|PV1^1^2^103&Table value not found",
        "ERR||MSH|900^Odd^L|W",
        patient="",
    )

    header = convert(raw)["MessageHeader"][0]

    assert header["response"]["details"] == {"reference": "#outcome"}
    (outcome,) = header["contained"]
    words, new, old, odd = outcome["issue"]
    assert words["diagnostics"] == "patient unknown"
    assert (new["code"], new["severity"]) == ("not-found", "error")
    assert new["location"] == ["PID[1]-3[1].1"]
    assert new["diagnostics"] == "Call the desk. no such patient"
    assert (old["code"], old["location"]) == ("code-invalid", ["PV1[1]-2"])
    assert old["details"]["coding"][0]["code"] == "103"
    assert (odd["code"], odd["severity"], odd["location"]) == ("processing", "warning", ["MSH"])


def test_good_answer_with_words_is_no_error(message: Build, convert: Convert) -> None:
    """MSA-3 of an AA informs."""
    header = convert(message("ACK^A01", "MSA|AA|C77|taken", patient=""))["MessageHeader"][0]

    assert header["contained"][0]["issue"][0]["severity"] == "information"
