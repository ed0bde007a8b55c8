"""What strangers write into paths, queries and resources: a clear answer, and nothing beyond it."""

import json
from typing import Any

import pytest

from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

ONE, TWO = (f"urn:uuid:11111111-1111-4111-8111-11111111111{n}" for n in (1, 2))


@pytest.mark.parametrize(
    "name", ["a%00b", "%ff", "a%20b", "a_b", "..%2f..%2fetc", "a" * 65, "%25", "a'--", "%E2%80%AE"]
)
@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Patient/{}",
        "/fhir/Patient/{}/_history",
        "/fhir/Patient/{}/_history/1",
        "/fhir/Patient/{}/_history/1/$receipt",
        "/fhir/Patient/{}/$everything",
        "/records/{}",
        "/records/{}/receipt",
        "/records/{}/source",
    ],
)
def test_name_that_nothing_can_have_is_not_found(api: ServedApi, path: str, name: str) -> None:
    """Whatever it is escaped to look like."""
    assert api["reader"].get(path.format(name)).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "family=%25",
        "family=_",
        "family:contains=%25",
        "family=%5C",
        "family='%20OR%201=1--",
        "identifier=%25",
        "identifier=urn:w|%25",
        "name:exact=%25",
    ],
)
def test_wildcards_of_the_database_are_letters(api: ServedApi, query: str) -> None:
    """A search for a per cent sign finds those who have one."""
    body = {
        "resourceType": "Patient",
        "id": "wild",
        "name": [{"family": "Wildcard"}],
        "identifier": [{"system": "urn:w", "value": "w1"}],
    }
    api["clinic"].put("/fhir/Patient/wild", json=body)

    answer = api["reader"].get(f"/fhir/Patient?{query}")

    assert answer.status_code == 200
    assert "entry" not in answer.json()


@pytest.mark.parametrize(
    "query", ["family=%00", "%00=a", "identifier=" + "a" * 5000, "_id=" + "a" * 65]
)
def test_query_that_cannot_be_is_refused(api: ServedApi, query: str) -> None:
    """NUL, and more than an index holds."""
    assert api["reader"].get(f"/fhir/Patient?{query}").status_code == 400


def linked(mine: str, other: str) -> dict[str, Any]:
    """A patient who is linked to the other entry."""
    link = [{"type": "seealso", "other": {"reference": other}}]
    return {
        "fullUrl": mine,
        "resource": {"resourceType": "Patient", "link": link},
        "request": {"method": "POST", "url": "Patient"},
    }


def test_loop_of_references_is_stored_and_walked_once(api: ServedApi) -> None:
    """Two patients who are linked to each other; $everything comes to an end."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [linked(ONE, TWO), linked(TWO, ONE)],
    }

    answer = api["clinic"].post("/fhir", json=bundle)

    assert answer.status_code == 200, answer.text
    name = answer.json()["entry"][0]["response"]["location"].split("/")[1]
    everything = api["reader"].get(f"/fhir/Patient/{name}/$everything")
    assert everything.status_code == 200
    assert len(everything.json()["entry"]) <= 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param({"resourceType": "Patient", "id": "a" * 65}, 400, "value-form", id="id-of-65"),
        pytest.param(
            {"resourceType": "Bundle", "type": "collection", "entry": [{}] * 50_001},
            413,
            "bundle-size",
            id="empty-entries",
        ),
        pytest.param(
            {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": {"resourceType": "Basic"}}] * 50_001,
            },
            413,
            "bundle-size",
            id="too-many-entries",
        ),
    ],
)
def test_resource_beyond_a_bound_is_refused_by_name(
    api: ServedApi, body: dict[str, Any], status: int, code: str
) -> None:
    """The sender learns which bound it was."""
    headers = {"Content-Type": "application/fhir+json"}

    refused(api["clinic"].post("/fhir", content=json.dumps(body), headers=headers), status, code)


def test_nesting_of_ten_thousand_is_refused(api: ServedApi) -> None:
    """Before a parser of ours goes down into it."""
    body = (
        '{"resourceType":"Patient","extension":' + '[{"extension":' * 10_000 + "1" + "}]" * 10_000
    )
    headers = {"Content-Type": "application/fhir+json"}

    refused(api["clinic"].post("/fhir", content=body + "}", headers=headers), 400, "json-depth")


@pytest.mark.parametrize("verb", ["retry", "dismiss"])
def test_nothing_is_done_to_a_record_of_no_name(api: ServedApi, verb: str) -> None:
    """404, as for one that is not here."""
    answer = api["compliance"].post(f"/records/a%00b/{verb}", json={"reason": "none"})

    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["a%00b", "%ff", "a" * 65, "a_b"])
def test_nothing_is_written_under_a_name_that_cannot_be(api: ServedApi, name: str) -> None:
    """Refused, kept nowhere in the tables."""
    body = {"resourceType": "Patient", "id": "a"}

    assert api["clinic"].put(f"/fhir/Patient/{name}", json=body).status_code == 400
    assert api["clinic"].delete(f"/fhir/Patient/{name}").status_code == 400
