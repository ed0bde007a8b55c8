"""References lead somewhere, or are refused."""

import pytest

from adapters.fhir.problems import Problems, Reference
from adapters.fhir.references import check_contained, check_form, target_of
from bridge.core.record.bundle import JsonObject

ONLY_PATIENT = frozenset({"Patient"})


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Patient/a", ("Patient", "a")),
        ("http://x.example/fhir/Patient/a", ("Patient", "a")),
        ("Patient/a/_history/1", ("Patient", "a")),
        ("http://x.example/Papers/a", ("", "")),
        ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", ("", "")),
        ("Patient?identifier=1", ("", "")),
    ],
)
def test_target_is_read_from_a_literal(text: str, target: tuple[str, str]) -> None:
    """A literal names type and id; other forms name nothing by themselves."""
    assert target_of(text) == target


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ({"reference": "Patient/a"}, []),
        ({"reference": "Group/a"}, ["reference-type"]),
        ({"reference": "http://x.example/Group/a"}, ["reference-type"]),
        ({"reference": "Group?identifier=1"}, ["reference-type"]),
        ({"reference": "http://x.example/elsewhere"}, []),
        ({"reference": "a"}, ["reference-form"]),
        ({"reference": "Patient/a b"}, ["reference-form"]),
        ({"display": "x", "type": "Group"}, ["reference-type"]),
        ({"identifier": {"value": "1"}, "type": "Patient"}, []),
    ],
)
def test_reference_is_judged_by_form_and_type(value: JsonObject, codes: list[str]) -> None:
    """A reference names a type that may stand there, in one of the forms of FHIR."""
    problems = Problems()

    check_form(Reference(at=(None, "x"), value=value, targets=ONLY_PATIENT), problems)

    assert [p.code for p in problems.found] == codes


@pytest.mark.parametrize(
    ("contained", "codes"),
    [
        ({"resourceType": "Patient", "id": "p"}, []),
        ({"resourceType": "Patient", "id": "p", "contained": [{}]}, ["dom-2"]),
        ({"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}}, ["dom-4"]),
        ({"resourceType": "Patient", "id": "p", "meta": {"security": [{}]}}, ["dom-5"]),
        ({"resourceType": "Patient"}, ["contained-id", "ref-1"]),
        ({"resourceType": "Group", "id": "p"}, ["reference-type"]),
    ],
)
def test_contained_resource_has_its_rules(contained: JsonObject, codes: list[str]) -> None:
    """A contained resource has an id, no life of its own, and somebody who refers to it."""
    problems = Problems()
    reference = Reference(at=(None, "x"), value={"reference": "#p"}, targets=ONLY_PATIENT)

    check_contained({"contained": [contained]}, None, [reference], problems)

    assert [p.code for p in problems.found] == codes
