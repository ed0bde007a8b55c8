"""Searches that follow references: chains, what refers here, includes of includes, parts."""

from typing import Any

import pytest

from tests.integration.api.test_fhir_bundle import entry, results, send
from tests.served_api import ServedApi

ROLE = "PractitionerRole"
CODES = {"resourceType": "Observation", "status": "final"}
WARD: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "trust", "name": "Trust"},
    {
        "resourceType": "Organization",
        "id": "clinic",
        "name": "Clinic",
        "partOf": {"reference": "Organization/trust"},
    },
    {
        "resourceType": "Practitioner",
        "id": "who",
        "name": [{"family": "Strange"}],
        "identifier": [{"system": "urn:npi", "value": "77"}],
    },
    {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/who"},
        "organization": {"reference": "Organization/clinic"},
    },
    {
        "resourceType": "Patient",
        "id": "zoe",
        "name": [{"family": "Zimmer"}],
        "identifier": [{"system": "urn:mrn", "value": "z1"}],
        "managingOrganization": {"reference": "Organization/clinic"},
    },
    {"resourceType": "Patient", "id": "yan", "name": [{"family": "Yilmaz"}]},
    CODES
    | {
        "id": "zoe-weight",
        "code": {"coding": [{"system": "urn:c", "code": "weight"}]},
        "subject": {"reference": "Patient/zoe"},
        "effectiveDateTime": "2026-03-01",
        "valueQuantity": {"value": 52},
        "note": [{"text": "long"}],
    },
    CODES
    | {
        "id": "yan-height",
        "code": {"coding": [{"system": "urn:c", "code": "height"}]},
        "subject": {"reference": "Patient/yan"},
        "effectiveDateTime": "2026-05-01",
    },
]


@pytest.fixture(scope="module", autouse=True)
def _ward(api: ServedApi) -> None:
    """Two patients, their results, and who looks after them."""
    entries = [entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in WARD]
    results(send(api, "transaction", *entries))


def _found(api: ServedApi, url: str) -> set[str]:
    answer = api["reader"].get(f"/fhir/{url}")
    assert answer.status_code == 200, answer.text
    return {one["resource"]["id"] for one in answer.json().get("entry", [])}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("PractitionerRole?practitioner.identifier=urn:npi|77", {"role"}),
        ("PractitionerRole?practitioner.name=stran", {"role"}),
        ("PractitionerRole?practitioner.name=nobody", set()),
        ("Observation?patient.identifier=urn:mrn|z1", {"zoe-weight"}),
        ("Observation?subject:Patient.family=zimmer&code=weight", {"zoe-weight"}),
        ("Observation?subject:Patient.family=zimmer&code=height", set()),
        ("Observation?subject.name=yil", {"yan-height"}),
        ("Observation?patient.organization.name=clin", {"zoe-weight"}),
        ("Observation?patient.organization.partof.name=trust", {"zoe-weight"}),
        ("Patient?_has:Observation:patient:code=urn:c|weight", {"zoe"}),
        ("Patient?_has:Observation:subject:date=gt2026-04-01", {"yan"}),
        ("Organization?_has:Patient:organization:_has:Observation:patient:code=weight", {"clinic"}),
        ("Patient?_id=zoe&_include=*", {"zoe", "clinic"}),
        (
            "Patient?_id=zoe&_include=Patient:organization&_include:iterate=Organization:partof",
            {"zoe", "clinic", "trust"},
        ),
        (f"Practitioner?_id=who&_revinclude={ROLE}:practitioner", {"who", "role"}),
        (
            f"Practitioner?_id=who&_revinclude={ROLE}:practitioner&_include:iterate={ROLE}:*",
            {"who", "role", "clinic"},
        ),
    ],
)
def test_search_follows_references(api: ServedApi, url: str, expected: set[str]) -> None:
    """There, back, and on from what was found."""
    assert _found(api, url) == expected


def test_chain_answers_how_many(api: ServedApi) -> None:
    """A total counts what the chain finds."""
    url = "/fhir/Observation?patient.family=zimmer,yilmaz&_summary=count"

    assert api["reader"].get(url).json()["total"] == 2


def test_part_of_a_resource_says_so(api: ServedApi) -> None:
    """In a search and in a read."""
    searched = api["reader"].get("/fhir/Observation?_id=zoe-weight&_elements=value")
    read = api["reader"].get("/fhir/Observation/zoe-weight?_summary=true")

    part = searched.json()["entry"][0]["resource"]
    assert set(part) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}
    assert "note" not in read.json()
    for one in (part, read.json()):
        assert one["meta"]["tag"][-1]["code"] == "SUBSETTED"


def test_history_since_a_moment(api: ServedApi) -> None:
    """Versions of then or later; none is an empty history of a resource that is there."""
    url = "/fhir/Patient/zoe/_history"
    all_of_it = api["reader"].get(url, params={"_since": "2020-01-01T00:00:00Z"}).json()
    none = api["reader"].get(url, params={"_since": "2199-01-01T00:00:00Z"})

    assert [one["resource"]["id"] for one in all_of_it["entry"]] == ["zoe"]
    assert (none.status_code, none.json()["total"], "entry" in none.json()) == (200, 0, False)
    assert (
        api["reader"].get("/fhir/Patient/absent/_history?_since=2199-01-01T00:00:00Z").status_code
        == 404
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("start=2026-02-01&end=2026-03-31", {"zoe", "zoe-weight", "clinic"}),
        ("start=2026-03-02", {"zoe", "clinic"}),
        ("end=2026-02", {"zoe", "clinic"}),
    ],
)
def test_everything_of_a_time_of_care(api: ServedApi, asked: str, expected: set[str]) -> None:
    """What was done then, with whom it concerns and all that has no time."""
    assert _found(api, f"Patient/zoe/$everything?{asked}") == expected


def test_read_in_a_bundle_may_be_conditional(api: ServedApi) -> None:
    """What the client has already is not sent again."""
    known, other, long_ago = results(
        send(
            api,
            "batch",
            entry("GET", "Patient/zoe", ifNoneMatch='W/"1"'),
            entry("GET", "Patient/zoe", ifNoneMatch='W/"9"'),
            entry("GET", "Patient/zoe", ifModifiedSince="2020-01-01T00:00:00Z"),
        )
    )

    assert (known["response"]["status"][:3], "resource" in known) == ("304", False)
    assert [one["resource"]["id"] for one in (other, long_ago)] == ["zoe", "zoe"]
