"""Expected facts as FHIRPath lines."""

import pytest

from bridge.cli.expectations import failures, parse_expectations
from bridge.core.errors import BridgeError
from bridge.core.record import canon

BUNDLE = canon.parse(
    b'{"entry":[{"resource":{"resourceType":"Patient","id":"p","active":true,'
    b'"name":[{"use":"official","family":"O\'Hara.Doe"},{"use":"old","family":"Roe"}]}},'
    b'{"resource":{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"},'
    b'"valueQuantity":{"value":7.40,"unit":"mg (x)"}}}]}'
)


def failed(text: str) -> list[str]:
    """What was found instead, a line that does not hold each."""
    assert isinstance(BUNDLE, dict)
    return [found for _, found in failures(parse_expectations("x.facts", text), BUNDLE)]


@pytest.mark.parametrize(
    "line",
    [
        "Patient.name.where(use = 'old').family = 'Roe'",
        "Patient.name[0].family = 'O\\'Hara.Doe'",
        "Patient.name.family contains 'Roe'",
        "Patient.name.first().use = 'official'",
        "Patient.name.count() = 2",
        "Patient.active = true",
        "Patient.active",
        "Patient.photo.empty()",
        "Patient.name.exists()",
        "Patient.gender != 'male'",
        "Patient.name.where(use='old').family='Roe'",
        "Patient.gender!='a=b'",
        "Observation.value.value = 7.40",
        "Observation.valueQuantity.unit = 'mg (x)'",
        "Observation.subject.resolve().name.use contains 'old'",
        "Observation.where(subject.reference = 'Patient/p').count() = 1",
    ],
)
def test_line_holds(line: str) -> None:
    """Paths, where, functions, choice elements, numbers by their digits."""
    assert failed(line) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Patient.name.family = 'Roe'", "O'Hara.Doe, Roe"),
        ("Patient.gender = 'male'", "nothing"),
        ("Observation.value.value = 7.4", "7.40"),
        ("Patient.active = false", "true"),
        ("Encounter.exists()", "false"),
        ("Patient.name.where(use = 'old') = 'Roe'", '{"use": "old", "family": "Roe"}'),
    ],
    ids=["two", "none", "other-digits", "other-boolean", "no-resource", "an-object"],
)
def test_line_that_does_not_hold_says_what_there_is(line: str, found: str) -> None:
    """A collection equals a value only where it has one item."""
    assert failed(line) == [found]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("name = 'x'", "the path starts with no resource type"),
        ("Patient.name.ofType(x) = 'x'", r"ofType\(\) is not known here"),
        ("Patient.name = x", "the value is no literal"),
        ("Patient.name.where(use) = 'x'", "where takes one comparison"),
        ("Patient.name.where(use != 'x') = 'x'", "where takes one comparison"),
        ("Patient.name[x].use = 'x'", r"name\[x\] is no element of a list"),
        ("Patient." + "x" * 3000, "the line is too long"),
    ],
    ids=["no-type", "function", "literal", "where", "where-not", "index", "long"],
)
def test_wrong_line_is_refused_with_its_number(line: str, text: str) -> None:
    """File and line, and what to write."""
    with pytest.raises(BridgeError, match=rf"{text} \(x.facts, line 2\) - "):
        parse_expectations("x.facts", f"# a comment\n{line}\n")
