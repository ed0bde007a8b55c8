"""Two feeds that call their resources alike: nothing of the one becomes a part of the other."""

from typing import Any

import httpx

from tests.integration.api.test_fhir_bundle import results
from tests.served_api import ServedApi

RESULT: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "status": "final",
    "code": {"text": "weight"},
    "subject": {"reference": "Patient/1"},
}


def _patient(family: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "1", "name": [{"family": family}], **elements}


def _state(
    api: ServedApi, role: str, *bodies: Any, base: str = "", kind: str = "collection"
) -> httpx.Response:
    """A bundle that states these, under the URLs of a server where one is named."""
    entries = [
        {"resource": body}
        | ({"fullUrl": f"{base}/{body['resourceType']}/{body['id']}"} if base else {})
        for body in bodies
    ]
    return api[role].post("/fhir", json={"resourceType": "Bundle", "type": kind, "entry": entries})


def _places(answer: httpx.Response) -> list[str]:
    return [one["response"]["location"].partition("/_history")[0] for one in results(answer)]


def _read(api: ServedApi, place: str) -> Any:
    return api["reader"].get(f"/fhir/{place}").json()


def test_patient_1_of_two_feeds_is_two_patients(api: ServedApi) -> None:
    """Each result is found under the patient of its own feed, and under no other."""
    ann, weight = _places(_state(api, "sender", _patient("Ann"), RESULT))
    bob, height = _places(_state(api, "lab", _patient("Bob"), RESULT))

    assert len({ann, bob, weight, height}) == 4
    assert [_read(api, one)["name"][0]["family"] for one in (ann, bob)] == ["Ann", "Bob"]
    for patient, result in ((ann, weight), (bob, height)):
        found = api["reader"].get("/fhir/Observation", params={"patient": patient}).json()
        assert [f"Observation/{one['resource']['id']}" for one in found["entry"]] == [result]
    assert "Patient/1" not in {ann, bob}


def test_feed_that_sends_again_updates_its_own(api: ServedApi) -> None:
    """A second statement is the second version of the same resource."""
    first = _places(_state(api, "sender", _patient("Cid"), base="https://a.example/fhir"))
    second = _places(_state(api, "sender", _patient("Cyd"), base="https://a.example/fhir"))

    assert first == second
    assert _read(api, first[0])["name"] == [{"family": "Cyd"}]
    assert _read(api, first[0])["meta"]["versionId"] == "2"


def test_engine_that_brings_two_servers_mixes_neither(api: ServedApi) -> None:
    """One token, one bundle, two addresses: a relative reference is of its entry's server."""
    entries = [
        {"fullUrl": f"https://{name}.example/{body['resourceType']}/1", "resource": body}
        for name in ("c", "d")
        for body in (_patient(name), RESULT)
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}

    places = _places(api["sender"].post("/fhir", json=bundle))

    subjects = [_read(api, places[n])["subject"]["reference"] for n in (1, 3)]
    assert subjects == [places[0], places[2]]
    assert len(set(places)) == 4


def test_result_of_today_meets_the_patient_of_yesterday(api: ServedApi) -> None:
    """A bundle that brings the result alone leads to what the feed stated of the patient."""
    base = "https://e.example/fhir"
    (patient,) = _places(_state(api, "sender", _patient("Eve"), base=base))

    (result,) = _places(_state(api, "sender", RESULT, base=base))

    assert _read(api, result)["subject"]["reference"] == patient


def test_resource_is_found_by_what_its_source_calls_it(api: ServedApi) -> None:
    """The URL at the source is in meta.source, which is searched."""
    base = "https://f.example/fhir"
    (patient,) = _places(_state(api, "sender", _patient("Fay"), base=base))

    found = api["reader"].get("/fhir/Patient", params={"_source": f"{base}/Patient/1"}).json()

    assert [f"Patient/{one['resource']['id']}" for one in found["entry"]] == [patient]


def test_transaction_writes_under_the_ids_that_its_client_owns(api: ServedApi) -> None:
    """PUT says where a resource goes: two clients that share an id share the resource."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": _patient("Gus"), "request": {"method": "PUT", "url": "Patient/1"}},
        ],
    }

    for role in ("sender", "lab"):
        assert _places(api[role].post("/fhir", json=bundle)) == ["Patient/1"]

    assert _read(api, "Patient/1")["meta"]["versionId"] == "1"
