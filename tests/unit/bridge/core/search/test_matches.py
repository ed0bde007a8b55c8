"""A search asked of one resource that no store holds."""

from urllib.parse import parse_qsl

import pytest

from bridge.core.record.bundle import JsonObject
from bridge.core.search.matches import matches
from bridge.core.search.parameters import parse_query

PATIENT: JsonObject = {
    "resourceType": "Patient",
    "id": "a",
    "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}],
    "name": [{"family": "Müller", "given": ["Åsa"]}],
    "birthDate": "1970-01-01",
    "managingOrganization": {"reference": "Organization/o"},
}


@pytest.mark.parametrize(
    ("query", "met"),
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
def test_condition_is_met_by_the_resource(query: str, *, met: bool) -> None:
    """As the store would find it by tokens, texts and references; nothing else is met."""
    assert matches(parse_query("Patient", parse_qsl(query)), PATIENT) is met


def test_resource_of_another_type_is_never_met() -> None:
    """An id is one of its type."""
    assert not matches(parse_query("Patient", [("_id", "a")]), PATIENT | {"resourceType": "Group"})
