"""Bundles at the service itself: transactions whole, batches entry by entry, reads inside."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

Put = Callable[..., httpx.Response]


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **said: str) -> Any:
    """One entry of a Bundle."""
    body = {"resource": resource} if resource else {}
    return {**body, "request": {"method": method, "url": url, **said}}


def patient(name: str, **elements: Any) -> dict[str, Any]:
    """A Patient with an id."""
    return {"resourceType": "Patient", "id": name, **elements}


def send(
    api: ServedApi, kind: str, *entries: Any, role: str = "clinic", **headers: str
) -> httpx.Response:
    """A Bundle of this type."""
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return api[role].post("/fhir", json=bundle, headers=headers)


def results(answer: httpx.Response) -> list[Any]:
    """The entries of a response, which is a valid Bundle."""
    assert answer.status_code == 200, answer.text
    Bundle.model_validate(answer.json())
    listed: list[Any] = answer.json()["entry"]
    return listed


def statuses(answer: httpx.Response) -> list[str]:
    """Status of each entry."""
    return [one["response"]["status"] for one in results(answer)]


def test_transaction_answers_each_entry_in_order(api: ServedApi) -> None:
    """Location, version and time of each; one record for all."""
    answer = send(
        api,
        "transaction",
        entry("PUT", "Patient/t1", patient("t1")),
        entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}),
    )

    first, second = results(answer)
    assert answer.json()["type"] == "transaction-response"
    assert first["response"]["status"] == "201 Created"
    assert first["response"]["location"] == "Patient/t1/_history/1"
    assert first["response"]["etag"] == 'W/"1"'
    assert "lastModified" in first["response"]
    assert second["response"]["location"].startswith("Basic/")
    assert api["reader"].get(f"/records/{answer.headers['X-Record-Id']}").status_code == 200


def test_service_url_may_end_with_a_slash(api: ServedApi) -> None:
    """As fhir-kit-client writes it for transactions and batches."""
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry("GET", "metadata")]}

    assert api["clinic"].post("/fhir/", json=bundle).status_code == 200


def test_transaction_is_all_or_nothing(api: ServedApi) -> None:
    """One entry that cannot be applied leaves no trace of the others."""
    stale = send(
        api,
        "transaction",
        entry("PUT", "Patient/t2", patient("t2")),
        entry("PUT", "Patient/t3", patient("t3"), ifMatch='W/"9"'),
    )
    invalid = send(
        api,
        "transaction",
        entry("PUT", "Patient/t2", patient("t2")),
        entry("PUT", "Patient/t3", patient("t3", gender=7)),
    )

    refused(stale, 412, "version-conflict")
    assert invalid.status_code == 400
    assert api["reader"].get("/fhir/Patient/t2").status_code == 404


def test_bad_entry_of_a_batch_costs_its_neighbours_nothing(api: ServedApi) -> None:
    """Each its own status and outcome; the good ones stand, the bad one is in quarantine."""
    answer = send(
        api,
        "batch",
        entry("PUT", "Patient/b1", patient("b1")),
        entry("PUT", "Patient/b2", patient("b2", gender=7)),
        entry("PUT", "Patient/b3", patient("b3"), ifMatch='W/"9"'),
        entry("DELETE", "Patient/b1"),
        entry("POST", "Patient", {"resourceType": "Patient", "gender": "male"}),
        entry("PATCH", "Patient/b1"),
    )

    told = results(answer)
    assert answer.json()["type"] == "batch-response"
    assert statuses(answer) == [
        "201 Created",
        "400 Bad Request",
        "412 Precondition Failed",
        "204 No Content",
        "201 Created",
        "400 Bad Request",
    ]
    record = told[1]["response"]["extension"][0]["valueId"]
    assert told[1]["response"]["outcome"]["issue"][0]["expression"] == ["Patient.gender"]
    assert api["compliance"].get(f"/records/{record}").json()["status"] == "quarantined"
    assert api["reader"].get("/fhir/Patient/b1").status_code == 410
    assert api["reader"].get(f"/fhir/{told[4]['response']['location']}").status_code == 200


def test_clean_batch_is_one_record(api: ServedApi) -> None:
    """One commit, one leaf, as it came."""
    answer = send(
        api,
        "batch",
        entry("PUT", "Patient/c1", patient("c1")),
        entry("PUT", "Patient/c2", patient("c2")),
    )

    records = {one["response"]["extension"][0]["valueId"] for one in results(answer)}
    assert records == {answer.headers["X-Record-Id"]}


@pytest.mark.parametrize("extra", [{"total": 3}, {"nonsense": 1}])
def test_batch_that_is_wrong_around_its_entries_is_refused_whole(
    api: ServedApi, extra: dict[str, Any]
) -> None:
    """The sender does not mean what it says: nothing is stored but the refusal."""
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [entry("PUT", "Patient/w1", patient("w1"))],
        **extra,
    }

    answer = api["clinic"].post("/fhir", json=bundle)

    assert answer.status_code == 400
    assert api["reader"].get("/fhir/Patient/w1").status_code == 404


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_reads_inside_see_what_was_written(api: ServedApi, kind: str) -> None:
    """Read, search, history and vread, each as the same GET by itself; in the order of entries."""
    name = f"r-{kind}"
    answer = send(
        api,
        kind,
        entry("GET", f"Patient/{name}"),
        entry("PUT", f"Patient/{name}", patient(name)),
        entry("GET", f"Patient?_id={name}"),
        entry("GET", f"Patient/{name}/_history"),
        entry("GET", f"Patient/{name}/_history/1"),
        entry("GET", "Patient/absent"),
        entry("GET", "Patient?nonsense=1"),
        entry("GET", f"Patient/{name}/$everything"),
        entry("GET", "metadata"),
    )

    told = results(answer)
    assert [one["response"]["status"][:3] for one in told] == [
        *("200", "201", "200", "200", "200", "404", "400", "400", "200")
    ]
    assert told[0]["resource"]["id"] == name
    assert told[0]["response"]["etag"] == 'W/"1"'
    assert told[2]["resource"]["entry"][0]["resource"]["id"] == name
    assert told[5]["response"]["outcome"]["issue"][0]["code"] == "not-found"


def test_bundle_of_reads_leaves_no_record_and_needs_no_sender(api: ServedApi) -> None:
    """It said nothing; a reader may ask so."""
    answer = send(api, "batch", entry("GET", "Patient?_summary=count"), role="reader")

    assert statuses(answer) == ["200 OK"]
    assert "X-Record-Id" not in answer.headers


def test_roles_are_those_of_what_is_asked(api: ServedApi) -> None:
    """A reader writes nothing; a sender reads nothing, and nothing of its bundle is done."""
    write = entry("PUT", "Patient/role", patient("role"))

    by_reader = send(api, "batch", write, entry("GET", "Patient/role"), role="reader")
    by_sender = send(api, "transaction", write, entry("GET", "Patient/role"), role="sender")

    refused(by_reader, 403, "access-refused")
    refused(by_sender, 403, "access-refused")
    assert api["reader"].get("/fhir/Patient/role").status_code == 404


def test_representation_is_given_where_it_is_asked_for(api: ServedApi) -> None:
    """A Bundle's answer is lean until Prefer says otherwise."""
    lean = send(api, "transaction", entry("PUT", "Patient/f1", patient("f1")))
    full = send(
        api,
        "transaction",
        entry("PUT", "Patient/f2", patient("f2")),
        Prefer="return=representation",
    )

    assert "resource" not in results(lean)[0]
    assert results(full)[0]["resource"]["meta"]["versionId"] == "1"


def test_conditions_meet_inside_a_transaction(api: ServedApi) -> None:
    """A conditional create that meets one, and a delete that meets none."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "k1"}]}
    query = "identifier=urn:mrn|k1"
    create = entry("POST", "Patient", body, ifNoneExist=query)

    first = send(api, "transaction", create)
    second = send(api, "transaction", create, entry("DELETE", "Patient?identifier=urn:mrn|none"))

    assert statuses(first) == ["201 Created"]
    assert statuses(second) == ["200 OK", "204 No Content"]
    assert results(first)[0]["response"]["location"] == results(second)[0]["response"]["location"]


@pytest.mark.parametrize("kind", ["searchset-x", "history", "batch-response"])
def test_bundle_that_states_nothing_is_refused(api: ServedApi, kind: str) -> None:
    """Only what can be stored is taken."""
    answer = api["clinic"].post("/fhir", json={"resourceType": "Bundle", "type": kind})

    assert answer.status_code in {400, 422}


def test_empty_transaction_is_an_empty_answer(api: ServedApi) -> None:
    """Nothing to do is done."""
    answer = api["clinic"].post("/fhir", json={"resourceType": "Bundle", "type": "transaction"})

    assert answer.status_code == 200
    assert "entry" not in answer.json()


def test_reference_finds_what_its_transaction_creates(api: ServedApi) -> None:
    """By a condition, whatever the order; and one condition creates one resource."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "inside"}]}
    query = "identifier=urn:mrn|inside"
    seen = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient?{query}"},
    }

    answer = send(
        api,
        "transaction",
        entry("POST", "Observation", seen),
        entry("POST", "Patient", body, ifNoneExist=query),
        entry("POST", "Patient", body, ifNoneExist=query),
    )

    observation, *patients = [one["response"]["location"] for one in results(answer)]
    read = api["reader"].get(f"/fhir/{observation}").json()
    assert len(set(patients)) == 1
    assert patients[0].startswith(read["subject"]["reference"] + "/_history/")


def test_entries_that_turn_out_to_be_one_are_refused(api: ServedApi, put: Put) -> None:
    """A conditional update and an update of the same patient."""
    put("Patient", "twice", identifier=[{"system": "urn:mrn", "value": "twice"}])

    answer = send(
        api,
        "transaction",
        entry("PUT", "Patient?identifier=urn:mrn|twice", {"resourceType": "Patient"}),
        entry("PUT", "Patient/twice", patient("twice")),
    )

    refused(answer, 400, "request-repeated")
