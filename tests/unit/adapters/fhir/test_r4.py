"""A resource has the shape that R4 gives it, and every departure is named with its place."""

from pathlib import Path
from typing import cast

import pytest
from fhir.resources.R4B import get_fhir_model_class
from msgspec import Raw
from pydantic import ValidationError

from adapters.fhir.problems import Problems
from adapters.fhir.r4 import check_resource
from bridge.core.record import canon
from bridge.core.record.bundle import Json, JsonObject

OBSERVATION: JsonObject = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "weight"},
}


def _found(value: Json) -> list[tuple[str, str]]:
    problems = Problems()
    check_resource(value, None, problems)
    return [(problem.code, problem.where) for problem in problems.found]


ABSENT: JsonObject = {"url": "urn:absent", "valueCode": "unknown"}


@pytest.mark.parametrize(
    ("more", "code", "where"),
    [
        ({"weight": "x"}, "element-unknown", "Observation.weight"),
        ({"we ight <b>": "x"}, "element-unknown", "Observation"),
        ({"category": {"text": "x"}}, "not-a-list", "Observation.category"),
        ({"code": [{"text": "x"}]}, "not-an-object", "Observation.code"),
        ({"code": "x"}, "not-an-object", "Observation.code"),
        ({"status": "done"}, "code-unknown", "Observation.status"),
        ({"id": "x" * 65}, "value-form", "Observation.id"),
        ({"id": "a_b"}, "value-form", "Observation.id"),
        ({"effectiveDateTime": "2026-02-30"}, "value-form", "Observation.effectiveDateTime"),
        (
            {"effectiveDateTime": "2026-01-01T10:00:00"},
            "value-form",
            "Observation.effectiveDateTime",
        ),
        ({"issued": "2026-01-01"}, "value-form", "Observation.issued"),
        ({"valueInteger": Raw(b"1.5")}, "value-form", "Observation.valueInteger"),
        ({"valueBoolean": "true"}, "value-form", "Observation.valueBoolean"),
        (
            {"valueString": "x", "valueBoolean": True},
            "choice-repeated",
            "Observation.valueBoolean",
        ),
        (
            {"subject": {"reference": "Medicine/1"}},
            "reference-type",
            "Observation.subject.reference",
        ),
        ({"subject": {"reference": "Goal/1"}}, "reference-type", "Observation.subject.reference"),
        ({"subject": {"reference": "one two"}}, "reference-form", "Observation.subject.reference"),
        ({"subject": {"reference": "#p"}}, "ref-1", "Observation.subject.reference"),
        (
            {"contained": [{"resourceType": "Patient", "id": "p"}]},
            "dom-3",
            "Observation.contained",
        ),
        ({"note": [None]}, "not-an-object", "Observation.note[0]"),
        ({"bodySite": {"id": "x"}}, "ele-1", "Observation.bodySite"),
        (
            {"text": {"status": "generated", "div": "<div>x</div>"}},
            "value-form",
            "Observation.text.div",
        ),
    ],
)
def test_departure_is_named_with_its_place(more: JsonObject, code: str, where: str) -> None:
    """Each kind of mistake has a stable code and a FHIRPath-like place."""
    assert _found(OBSERVATION | more) == [(code, where)]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "final", "_status": {"id": "a"}},
        {"subject": {"reference": "https://other.example/fhir/Patient/1"}},
        {"subject": {"reference": "Patient/1/_history/2"}},
        {"subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": "p"}]},
        {"effectiveDateTime": "2026"},
        {"valueQuantity": {"value": Raw(b"1.0E-3"), "comparator": "<"}},
        {"valueString": "\u00e5 line\nbreak"},
        {"id": "a", "_id": {"extension": [{"url": "urn:a", "valueCode": "masked"}]}},
        {"extension": [{"url": "urn:a", "_valueCode": {"extension": [ABSENT]}}]},
        {"extension": [{"url": "urn:a", "valueString": "Haus", "_valueString": {"id": "de"}}]},
    ],
)
def test_what_r4_allows_is_accepted(more: JsonObject) -> None:
    """The check refuses nothing that is valid."""
    assert _found(OBSERVATION | more) == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "not-an-object"),
        ({"id": "a"}, "resource-type-missing"),
        ({"resourceType": "Patiant"}, "resource-type-unknown"),
        ({"resourceType": "SubscriptionTopic"}, "resource-type-unknown"),
        ({"resourceType": "HumanName"}, "resource-type-unknown"),
        ({"resourceType": "Resource"}, "resource-type-unknown"),
    ],
    ids=["list", "untyped", "misspelt", "only-r4b", "data-type", "abstract"],
)
def test_only_resource_types_of_r4_are_resources(value: Json, code: str) -> None:
    """What only R4B has is refused, as are data types and abstract types."""
    assert [found for found, _ in _found(value)] == [code]


def test_required_elements_may_be_said_to_be_absent() -> None:
    """An extension in place of a required primitive counts."""
    absent: JsonObject = {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}
    value: JsonObject = {"resourceType": "Observation", "_status": absent, "code": {"text": "x"}}

    assert _found(value) == []
    assert _found({"resourceType": "Observation"}) == [
        ("element-missing", "Observation.code"),
        ("element-missing", "Observation.status"),
    ]


def test_null_keeps_a_place_only_beside_an_extension() -> None:
    """Two arrays side by side may hold nulls, where the other one speaks."""
    name: JsonObject = {"given": ["A", None], "_given": [None, {"extension": [_flag()]}]}

    assert _found({"resourceType": "Patient", "name": [name]}) == []
    assert _found({"resourceType": "Patient", "name": [{"given": [None]}]}) == [
        ("value-form", "Patient.name[0].given[0]")
    ]


def _flag() -> JsonObject:
    return {"url": "urn:x", "valueBoolean": True}


def test_mistakes_are_told_up_to_a_bound() -> None:
    """A million mistakes must not make an answer of a million lines."""
    assert len(_found(OBSERVATION | {"note": [None] * 1000})) == 100


def test_what_is_accepted_passes_the_models_as_well(shared: Path) -> None:
    """The definitions are read from the models, so their own judgement must agree."""
    for path in sorted((shared / "fhir-samples/us-core-9-examples").glob("*.json")):
        raw = path.read_bytes()
        value = canon.parse(raw)
        try:
            kind = cast("str", cast("JsonObject", value)["resourceType"])
            get_fhir_model_class(kind).model_validate_json(raw)
        except ValidationError:
            assert _found(value), path.name
        else:
            assert not _found(value), path.name
