"""A search asked of one resource that no store holds."""

from urllib.parse import parse_qsl

import pytest

from bridge.core.errors import BridgeError
from bridge.core.record.bundle import JsonObject
from bridge.core.search.matches import met
from bridge.core.search.parameters import parse_query

PATIENT: JsonObject = {
    "resourceType": "Patient",
    "id": "a",
    "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}],
    "name": [{"family": "Müller", "given": ["Åsa"]}],
    "birthDate": "1970-01-01",
    "managingOrganization": {"reference": "Organization/o"},
}


def _met(query: str, *resources: JsonObject) -> list[JsonObject]:
    (found,) = met([parse_query("Patient", parse_qsl(query))], resources)
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("identifier=urn:a|1", True),
        ("identifier=1", True),
        ("identifier=|1", False),
        ("identifier=|2", True),
        ("identifier=urn:a|", True),
        ("identifier=urn:b|1", False),
        ("identifier=urn:b|1,urn:a|1", True),
        ("identifier=urn:a|1&identifier=2", True),
        ("identifier=urn:a|1&family=other", False),
        ("identifier:not=urn:b|1", False),
        ("family=mul", True),
        ("family:contains=ULL", True),
        ("family:exact=Müller", True),
        ("family:exact=muller", False),
        ("organization=Organization/o", True),
        ("organization=o", True),
        ("organization=p", False),
        ("_id=a", True),
        ("_id=b", False),
        ("birthdate=1970", False),
        ("gender:missing=true", False),
        ("_count=1", False),
    ],
)
def test_condition_is_met_by_the_resource(query: str, *, expected: bool) -> None:
    """As the store would find it by tokens, texts and references; nothing else is met."""
    assert bool(_met(query, PATIENT)) is expected


def test_resource_of_another_type_is_never_met() -> None:
    """An id is one of its type."""
    assert not _met("_id=a", PATIENT | {"resourceType": "Group"})


def test_each_search_has_its_own_answer_in_order() -> None:
    """Of several resources, also where a search names no token."""
    other: JsonObject = PATIENT | {"id": "b", "identifier": [{"system": "urn:a", "value": "3"}]}
    queries = [parse_query("Patient", [pair]) for pair in (("identifier", "3"), ("family", "mul"))]

    assert met(queries, [PATIENT, other]) == [[other], [PATIENT, other]]


def test_thousands_of_conditions_look_at_their_own_resources_only() -> None:
    """Each resource is indexed once: a quadratic answer would take minutes here."""
    count = 4_000
    bodies: list[JsonObject] = [
        {"resourceType": "Patient", "id": str(n), "identifier": [{"value": f"n{n}"}]}
        for n in range(count)
    ]
    queries = [parse_query("Patient", [("identifier", f"n{n}")]) for n in range(count)]

    assert [[one["id"] for one in found] for found in met(queries, bodies)] == [
        [str(n)] for n in range(count)
    ]


def test_conditions_that_look_at_everything_are_bounded() -> None:
    """By name each condition is asked of each patient of the bundle."""
    bodies: list[JsonObject] = [{"resourceType": "Patient", "id": str(n)} for n in range(1_001)]
    queries = [parse_query("Patient", [("family", f"n{n}")]) for n in range(1_000)]

    with pytest.raises(BridgeError, match="ask too much of its own resources"):
        met(queries, bodies)
