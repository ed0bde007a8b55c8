"""What the models leave open and R4 does not."""

import pytest

from adapters.fhir.bindings import CODES, CONCEPTS, TARGETS, form_of
from adapters.fhir.definitions import resource_shape
from bridge.core.record.bundle import JsonObject

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@pytest.mark.parametrize("path", [*CONCEPTS, *TARGETS])
def test_what_is_bound_exists(path: str) -> None:
    """A path that no model has would bind nothing."""
    name, _, element = path.partition(".")
    shape = resource_shape(name)

    assert shape is None or element in shape.elements


def test_codes_of_an_element_are_listed_once() -> None:
    """A word that stands twice is a slip of the pen."""
    for path, codes in CODES.items():
        assert len(codes.split()) == len(set(codes.split())), path


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({"coding": [{"system": CLINICAL, "code": "active"}]}, True),
        ({"coding": [{"code": "x"}, {"system": CLINICAL, "code": "active"}]}, True),
        ({"coding": [{"system": CLINICAL, "code": "sleeping"}]}, False),
        ({"coding": [{"code": "active"}]}, False),
        ({"text": "active"}, False),
        ({"extension": [{"url": "urn:absent", "valueCode": "unknown"}]}, True),
    ],
    ids=["coded", "translated", "other-code", "no-system", "text-only", "absent-with-reason"],
)  # fmt: skip
def test_required_concept_has_a_code_of_its_value_set(value: JsonObject, *, holds: bool) -> None:
    """One coding of the value set is enough; words are not."""
    assert CONCEPTS["Condition.clinicalStatus"].holds(value) is holds


@pytest.mark.parametrize(
    ("model", "element", "code", "fits"),
    [
        ("Attachment", "contentType", "text/plain; charset=utf-8", True),
        ("Attachment", "contentType", "application/hl7-v3+xml", True),
        ("Attachment", "contentType", "a document", False),
        ("Patient", "language", "de-AT", True),
        ("Patient", "language", "german!", False),
        ("Money", "currency", "EUR", True),
        ("Money", "currency", "euro", False),
    ],
)
def test_code_of_a_grammar_is_spelt_by_it(
    model: str, element: str, code: str, *, fits: bool
) -> None:
    """MIME types, languages and currencies are value sets that nobody can list."""
    form = form_of(model, element)

    assert form is not None
    assert (form.fits(code) is not None) is fits


def test_language_of_a_program_is_no_language_of_people() -> None:
    """`text/cql` is a language of an Expression."""
    assert form_of("Expression", "language") is None


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}, True),
        ({"text": "Romani"}, True),
        ({"coding": [{"system": "http://x.example", "code": "EN"}]}, False),
        ({"coding": [{"code": "en"}]}, False),
    ],
)
def test_language_is_of_bcp_47_or_words(value: JsonObject, holds: bool) -> None:  # noqa: FBT001
    """The binding is a maximum: no code of another system, but words will do."""
    assert CONCEPTS["PatientCommunication.language"].holds(value) is holds
