"""FHIR writes through the real application: create, update, delete, conditions, preferences."""

import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

Put = Callable[..., httpx.Response]


def patient(**elements: Any) -> dict[str, Any]:
    """A Patient as a client sends it."""
    return {"resourceType": "Patient", **elements}


def test_create_answers_with_location_versions_and_the_stored_body(api: ServedApi) -> None:
    """201, where it is, which version, since when; the body as every later read gives it."""
    answer = api["clinic"].post("/fhir/Patient", json=patient(gender="female"))

    location = answer.headers["Location"]
    read = api["reader"].get(location.partition("/_history")[0])
    vread = api["reader"].get(location)
    assert answer.status_code == 201
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"].endswith("GMT")
    assert answer.headers["X-Record-Status"] == "stored"
    assert len(answer.headers["X-Record-Id"]) == 36
    assert answer.content == read.content == vread.content
    assert answer.json()["meta"]["versionId"] == "1"
    assert read.headers["Last-Modified"] == answer.headers["Last-Modified"]


def test_create_passes_over_an_id_in_the_body(api: ServedApi) -> None:
    """FHIR leaves the id of a create to the server; the same bytes again meet the same resource."""
    body = patient(id="mine", gender="other")

    first = api["clinic"].post("/fhir/Patient", json=body)
    again = api["clinic"].post("/fhir/Patient", json=body)

    assert first.status_code == 201
    assert first.json()["id"] != "mine"
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert again.headers["ETag"] == 'W/"1"'
    assert again.headers["X-Record-Id"] != first.headers["X-Record-Id"]


@pytest.mark.parametrize(
    ("prefer", "kind"),
    [
        ("return=minimal", None),
        ("return=representation", "Patient"),
        ("handling=strict, return=OperationOutcome", "OperationOutcome"),
        ("", "Patient"),
        ("return=whatever", "Patient"),
    ],
)
def test_prefer_says_what_the_answer_holds(api: ServedApi, prefer: str, kind: str | None) -> None:
    """Nothing, the resource, or an outcome; the resource when nothing is said."""
    body = patient(id=f"prefer{len(prefer)}")

    answer = api["clinic"].put(
        f"/fhir/Patient/{body['id']}", json=body, headers={"Prefer": prefer} if prefer else {}
    )

    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else None) == kind


def test_sender_who_may_not_read_gets_no_body(api: ServedApi) -> None:
    """The write is done; what it made is for those who may read."""
    answer = api["sender"].put(
        "/fhir/Patient/blind",
        json=patient(id="blind"),
        headers={"Prefer": "return=representation"},
    )

    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["ETag"] == 'W/"1"'


def test_shown_representation_is_an_access(api: ServedApi) -> None:
    """What leaves with the answer to a write is in the access log."""
    api["clinic"].put("/fhir/Patient/told", json=patient(id="told"))

    events = api["compliance"].get("/fhir/AuditEvent", params={"patient": "Patient/told"}).json()

    names = [entity["what"]["reference"] for entity in events["entry"][0]["resource"]["entity"]]
    assert "Patient/told/_history/1" in names


def test_update_of_another_version_is_412(api: ServedApi, put: Put) -> None:
    """If-Match names the version that is replaced; a missing resource has none."""
    put("Patient", "locked", gender="male")
    put("Patient", "locked", gender="female")
    body = patient(id="locked", gender="other")
    url = "/fhir/Patient/locked"

    stale = api["clinic"].put(url, json=body, headers={"If-Match": 'W/"1"'})
    fresh = api["clinic"].put(url, json=body, headers={"If-Match": 'W/"2"'})
    absent = api["clinic"].put(
        "/fhir/Patient/nowhere", json=patient(id="nowhere"), headers={"If-Match": 'W/"1"'}
    )

    assert "another than ifMatch names" in refused(stale, 412, "version-conflict")
    assert (fresh.status_code, fresh.headers["ETag"]) == (200, 'W/"3"')
    refused(absent, 412, "version-conflict")


def test_if_none_match_star_creates_only(api: ServedApi) -> None:
    """An update that must not replace anything."""
    body = patient(id="once")
    headers = {"If-None-Match": "*"}

    first = api["clinic"].put("/fhir/Patient/once", json=body, headers=headers)
    second = api["clinic"].put("/fhir/Patient/once", json=body, headers=headers)

    assert first.status_code == 201
    refused(second, 412, "already-exists")


def test_delete_is_a_version_and_410_afterwards(api: ServedApi, put: Put) -> None:
    """Gone for a read, there for its history; a resource that never was deletes quietly."""
    put("Patient", "gone", gender="male")

    deleted = api["clinic"].delete("/fhir/Patient/gone")
    read = api["reader"].get("/fhir/Patient/gone")
    earlier = api["reader"].get("/fhir/Patient/gone/_history/1")
    never = api["clinic"].delete("/fhir/Patient/never-was")
    again = put("Patient", "gone", gender="other")

    assert (deleted.status_code, deleted.content, deleted.headers["ETag"]) == (204, b"", 'W/"2"')
    refused(read, 410, "deleted")
    assert earlier.json()["gender"] == "male"
    assert never.status_code == 204
    assert again.headers["ETag"] == 'W/"3"'


def mrn(value: str) -> list[dict[str, str]]:
    """An identifier."""
    return [{"system": "urn:mrn", "value": value}]


def test_conditional_create_meets_what_is_there(api: ServedApi) -> None:
    """None: created; one: that one is answered; several: refused."""
    headers = {"If-None-Exist": "identifier=urn:mrn|c1"}

    first = api["clinic"].post("/fhir/Patient", json=patient(identifier=mrn("c1")), headers=headers)
    second = api["clinic"].post(
        "/fhir/Patient", json=patient(identifier=mrn("c1"), gender="male"), headers=headers
    )
    api["clinic"].post("/fhir/Patient", json=patient(identifier=mrn("c1"), gender="other"))
    third = api["clinic"].post(
        "/fhir/Patient", json=patient(identifier=mrn("c1"), gender="male"), headers=headers
    )

    assert first.status_code == 201
    assert (second.status_code, second.content) == (200, first.content)
    assert "2 resources meet the condition" in refused(third, 412, "condition-ambiguous")


def test_conditional_update_finds_creates_and_refuses(api: ServedApi) -> None:
    """One match is updated, none creates, several or another id are refused."""
    url = "/fhir/Patient?identifier=urn:mrn|u1"

    created = api["clinic"].put(url, json=patient(identifier=mrn("u1"), gender="male"))
    updated = api["clinic"].put(url, json=patient(identifier=mrn("u1"), gender="female"))
    other = api["clinic"].put(url, json=patient(id="other", identifier=mrn("u1")))
    own = api["clinic"].put(
        url, json=patient(id=created.json()["id"], identifier=mrn("u1"), gender="other")
    )

    assert created.status_code == 201
    assert (updated.status_code, updated.headers["ETag"]) == (200, 'W/"2"')
    assert updated.json()["id"] == created.json()["id"]
    refused(other, 400, "condition-id")
    assert own.headers["ETag"] == 'W/"3"'


def test_conditional_delete_takes_one_or_none(api: ServedApi) -> None:
    """What the query finds is deleted; that it finds nothing is no error."""
    made = api["clinic"].post("/fhir/Patient", json=patient(identifier=mrn("d1")))

    first = api["clinic"].delete("/fhir/Patient?identifier=urn:mrn|d1")
    second = api["clinic"].delete("/fhir/Patient?identifier=urn:mrn|d1")

    assert (first.status_code, second.status_code) == (204, 204)
    assert api["reader"].get(f"/fhir/Patient/{made.json()['id']}").status_code == 410


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("query", ["", "?", "?_format=json", "?_count=1"])
def test_condition_that_selects_nothing_is_refused(api: ServedApi, method: str, query: str) -> None:
    """A condition without parameters would meet every patient there is."""
    body = patient() if method == "PUT" else None

    answer = api["clinic"].request(method, f"/fhir/Patient{query}", json=body)

    assert answer.status_code == 400
    refused(answer, 400, "condition-empty")


@pytest.mark.parametrize(
    ("url", "body", "status", "code"),
    [
        ("/fhir/Patient/a", {"resourceType": "Patient", "id": "b"}, 400, "url-differs"),
        ("/fhir/Patient/a", {"resourceType": "Basic", "id": "a"}, 400, "url-differs"),
        ("/fhir/Patient/a", {"resourceType": "Patient"}, 400, "url-differs"),
        ("/fhir/Pateint/a", {"resourceType": "Pateint", "id": "a"}, 404, "type-unknown"),
        ("/fhir/Resource/a", {"resourceType": "Resource", "id": "a"}, 404, "type-unknown"),
        (f"/fhir/Patient/{'x' * 65}", {"resourceType": "Patient", "id": "x" * 65}, 400, None),
        ("/fhir/Patient/a_b", {"resourceType": "Patient", "id": "a_b"}, 400, None),
        ("/fhir/Patient/a", {"resourceType": "Patient", "id": "a", "gender": 7}, 400, None),
    ],
)
def test_update_that_cannot_be_is_refused(
    api: ServedApi, url: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    """URL and body say the same, the type exists, the id is one, the body is R4."""
    answer = api["clinic"].put(url, json=body)

    assert answer.status_code == status
    OperationOutcome.model_validate(answer.json())
    if code:
        refused(answer, status, code)


def test_problems_are_told_with_their_paths(api: ServedApi) -> None:
    """An issue a problem, each with its expression, and the record in quarantine."""
    body = patient(gender=7, birthDate="tomorrow")

    answer = api["clinic"].post("/fhir/Patient", json=body)

    outcome = OperationOutcome.model_validate(answer.json())
    assert answer.status_code == 400
    assert [issue.expression for issue in outcome.issue] == [
        ["Patient.gender"],
        ["Patient.birthDate"],
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"resourceType":"Patient","gender":NaN}',
        b'{"resourceType":"Patient","gender":"male","gender":"female"}',
        b'{"resourceType":"Patient","extension":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'\xff{"resourceType":"Patient"}',
        b'{"resourceType":"Patient"} trailing',
        b"[]",
    ],
    ids=["empty", "cut", "nan", "twice", "nested", "latin", "trailing", "list"],
)
def test_body_that_is_no_clean_json_is_400_with_an_outcome(api: ServedApi, body: bytes) -> None:
    """Said with a place, kept in quarantine, and no traceback."""
    headers = {"Content-Type": "application/fhir+json"}

    create = api["clinic"].post("/fhir/Patient", content=body, headers=headers)
    bundle = api["clinic"].post("/fhir", content=body, headers=headers)

    for answer in (create, bundle):
        assert answer.status_code == 400, answer.text
        OperationOutcome.model_validate(answer.json())


def test_a_bundle_at_its_own_type_is_a_resource(api: ServedApi) -> None:
    """`POST /fhir/Bundle` stores the Bundle and does nothing of what it says."""
    inner = {
        "resource": patient(id="inside"),
        "request": {"method": "PUT", "url": "Patient/inside"},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [inner]}

    answer = api["clinic"].post("/fhir/Bundle", json=bundle)

    assert answer.status_code == 201
    assert answer.json()["resourceType"] == "Bundle"
    assert api["reader"].get("/fhir/Patient/inside").status_code == 404


def test_lost_answer_is_repeated_without_a_new_version(api: ServedApi) -> None:
    """A gzip body, sent twice, is one resource."""
    body = b'{"resourceType":"Patient","birthDate":"1980-01-01"}'
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}

    answers = [
        api["clinic"].post("/fhir/Patient", content=gzip.compress(body), headers=headers)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].content == answers[1].content


def test_resend_of_a_create_does_not_undo_a_change(api: ServedApi, put: Put) -> None:
    """Somebody updated the resource in between; after a deletion it is created anew."""
    body = {"resourceType": "Patient", "birthDate": "1981-01-01"}
    name = api["clinic"].post("/fhir/Patient", json=body).json()["id"]
    put("Patient", name, active=True)

    again = api["clinic"].post("/fhir/Patient", json=body)
    api["clinic"].delete(f"/fhir/Patient/{name}")
    anew = api["clinic"].post("/fhir/Patient", json=body)

    assert (again.status_code, again.json()["active"]) == (200, True)
    assert (anew.status_code, anew.headers["etag"]) == (201, 'W/"4"')


def test_refused_resource_is_found_in_quarantine_by_its_answer(api: ServedApi) -> None:
    """The sender can name to the operator what it sent."""
    answer = api["clinic"].post("/fhir/Patient", json={"resourceType": "Patient", "gender": "x"})

    refused(answer, 400, "code-unknown")
    assert answer.headers["x-record-status"] == "quarantined"
    kept = api["clinic"].get(f"/records/{answer.headers['x-record-id']}").json()
    assert kept["reasons"][0]["where"] == "Patient.gender"
