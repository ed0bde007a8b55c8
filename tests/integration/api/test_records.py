"""`/records`, `/hl7v2`, `/verify` and the receipts, through the real application."""

import base64
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.parameters import Parameters
from sqlalchemy import text

from bridge.flows.project import project
from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

ER7 = {"Content-Type": "application/hl7-v2"}


def message(control: str, patient: str = "1234") -> bytes:
    """An ADT of one patient."""
    lines = (
        f"MSH|^~\\&|HIS|HOSP|EHR|REGION|20261122140000||ADT^A01^ADT_A01|{control}|P|2.5.1",
        "EVN|A01|20261122140000",
        f"PID|1||{patient}^^^HOSP^MR||DOE^JANE||19800101|F",
        "PV1|1|I|WARD^1^1",
    )
    return "\r".join(lines).encode() + b"\r"


def unreadable(control: str) -> bytes:
    """A message that does not say what it is: refused."""
    return message(control).replace(b"ADT^A01^ADT_A01", b"")


def send(api: ServedApi, raw: bytes, role: str = "sender") -> httpx.Response:
    """One message over HTTP."""
    answer = api[role].post("/hl7v2", content=raw, headers=ER7)
    assert answer.status_code == 200, answer.text
    return answer


def status(api: ServedApi, record: str, role: str = "compliance") -> dict[str, Any]:
    """Of a record."""
    answer = api[role].get(f"/records/{record}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def apply(api: ServedApi) -> None:
    """Let the projector run once."""
    node = api.services
    project(versions=node.versions, clock=node.clock, entropy=node.entropy)


def test_message_is_acknowledged_and_followed_from_stored_to_sequenced(api: ServedApi) -> None:
    """The ACK in the body, the record in a header, its stages at its own place."""
    answer = send(api, message("S1"))
    record = answer.headers["X-Record-Id"]

    stored = status(api, record)
    apply(api)
    api.sequence()
    sequenced = status(api, record)

    assert b"MSA|AA|S1" in answer.content
    assert answer.headers["X-Record-Status"] == "stored"
    assert (stored["status"], stored["projected"], stored["index"]) == ("stored", None, None)
    assert (sequenced["status"], sequenced["control_id"]) == ("sequenced", "S1")
    assert sequenced["projected"] is not None
    assert sequenced["checkpoint_size"] > sequenced["index"]


def test_every_acknowledgement_is_http_200(api: ServedApi) -> None:
    """Also a refusal: it is kept with its reasons."""
    answer = send(api, unreadable("BAD1"))

    found = status(api, answer.headers["X-Record-Id"])
    assert b"MSA|A" in answer.content
    assert answer.headers["X-Record-Status"] == "quarantined"
    assert (found["status"], found["state"]) == ("quarantined", "open")
    assert found["reasons"][0]["text"]


@pytest.mark.parametrize(
    ("role", "headers", "expected"),
    [
        ("nobody", ER7, 401),
        ("reader", ER7, 403),
        ("sender", {"Content-Type": "application/json"}, 415),
        ("sender", {**ER7, "Content-Encoding": "br"}, 415),
        ("sender", {**ER7, "Content-Encoding": "gzip"}, 400),
    ],
)
def test_transport_refusals_of_a_message(
    api: ServedApi, role: str, headers: dict[str, str], expected: int
) -> None:
    """4xx is for what is wrong with the request, not with the message."""
    answer = api[role].post("/hl7v2", content=message("T"), headers=headers)

    assert answer.status_code == expected
    assert {"error", "what", "where", "do"} == answer.json().keys()


def test_body_over_its_bound_is_413(api: ServedApi) -> None:
    """Read no further than the bound."""
    answer = api["sender"].post("/hl7v2", content=b"x" * (16 * 1024 * 1024 + 1), headers=ER7)

    assert (answer.status_code, answer.json()["error"]) == (413, "body-too-large")


def test_sender_follows_its_own_records_and_no_others(api: ServedApi) -> None:
    """By id and in the list; what another sent is not there."""
    mine = send(api, message("OWN1"), "sender").headers["X-Record-Id"]
    theirs = send(api, message("OWN2"), "lab").headers["X-Record-Id"]
    bad = send(api, unreadable("OWN3"), "lab")

    listed = api["sender"].get("/records?count=1000").json()["records"]
    refusals = api["sender"].get("/records?status=quarantined&state=any").json()["records"]

    ids = {row["record"] for row in listed}
    assert mine in ids
    assert theirs not in ids
    assert status(api, mine, "sender")["record"] == mine
    assert api["sender"].get(f"/records/{theirs}").status_code == 404
    assert bad.headers["X-Record-Id"] not in {row["record"] for row in refusals}
    assert api["sender"].get(f"/records/{bad.headers['X-Record-Id']}").status_code == 404
    assert api["lab"].get(f"/records/{bad.headers['X-Record-Id']}").status_code == 200


def test_records_are_found_by_what_is_known_of_them(api: ServedApi) -> None:
    """Control id, sender, time; page by page."""
    for n in range(3):
        send(api, message(f"F{n}", patient=f"f{n}"))

    one = api["compliance"].get("/records", params={"control_id": "F1"}).json()["records"]
    first = api["compliance"].get("/records?count=2").json()
    second = api["compliance"].get(f"/records?count=2&page={first['next']}").json()
    none = api["compliance"].get("/records?to=2001").json()
    since = api["compliance"].get("/records?from=2020-01-01&to=2199&control_id=F1").json()

    assert [row["control_id"] for row in one] == ["F1"]
    assert not {r["record"] for r in first["records"]} & {r["record"] for r in second["records"]}
    assert none == {"records": [], "next": None}
    assert since["records"] == one


@pytest.mark.parametrize(
    "query",
    [
        "controlid=1",
        "count=0",
        "from=yesterday",
        "status=final",
        "status=quarantined&state=shut",
        "state=open",
        "page=xx",
        "count=1&count=2",
    ],
)
def test_question_that_is_not_understood_is_400(api: ServedApi, query: str) -> None:
    """Nothing is passed over."""
    assert api["compliance"].get(f"/records?{query}").status_code == 400


def test_refused_message_is_dismissed_with_a_reason(api: ServedApi) -> None:
    """It leaves the list of open ones and says why; a second time it is closed already."""
    record = send(api, unreadable("D1")).headers["X-Record-Id"]
    url = f"/records/{record}/dismiss"

    by_sender = api["sender"].post(url, json={"reason": "no"})
    empty = api["compliance"].post(url, json={"reason": " "})
    done = api["compliance"].post(url, json={"reason": "a test of the interface engine"})
    again = api["compliance"].post(url, json={"reason": "once more"})
    unknown = api["compliance"].post("/records/none/dismiss", json={"reason": "x"})

    assert (by_sender.status_code, empty.status_code) == (403, 400)
    assert done.json()["state"] == "dismissed"
    assert done.json()["dismissed_because"] == "a test of the interface engine"
    assert (again.status_code, unknown.status_code) == (409, 404)
    open_ones = api["compliance"].get("/records?status=quarantined").json()["records"]
    assert record not in {row["record"] for row in open_ones}


def test_refused_message_is_retried_after_the_rules_were_mended(api: ServedApi) -> None:
    """The kept bytes become a record; the refusal names it; who did it is in the access log."""
    raw = message("R1", patient="retry")
    answer = send(api, unreadable("R1"))
    record = answer.headers["X-Record-Id"]
    still = api["compliance"].post(f"/records/{record}/retry")
    database = api.services.database
    with database.unit():  # what a mended mapping does: the same bytes are read otherwise
        query = text("UPDATE quarantine SET source = :raw WHERE id = :id")
        database.connection.execute(query, {"raw": raw, "id": record})

    done = api["compliance"].post(f"/records/{record}/retry")
    again = api["compliance"].post(f"/records/{record}/retry")

    made = done.json()["retried_as"]
    assert (still.status_code, still.json()["state"], still.json()["times"]) == (200, "open", 2)
    assert done.json()["state"] == "retried"
    assert status(api, made)["control_id"] == "R1"
    assert again.status_code == 409
    assert api["compliance"].post("/records/none/retry").status_code == 404
    assert api["compliance"].post(f"/records/{made}/retry").json()["error"] == "retry-nothing"


def test_stalled_record_says_so_and_runs_again(api: ServedApi) -> None:
    """The record that stopped its lane, and those behind it, name it; retry sets the lane going."""
    first = send(api, message("L1", patient="lane")).headers["X-Record-Id"]
    second = send(api, message("L2", patient="lane")).headers["X-Record-Id"]
    database = api.services.database
    with database.unit():
        query = text("SELECT bundle FROM record WHERE id = :id")
        whole = bytes(database.connection.execute(query, {"id": first}).scalar_one())
    _store_bundle(api, first, b'{"entry":[{"resource":{"resourceType":"Patient"}}]}')
    apply(api)
    behind, halted = status(api, second), status(api, first)
    listed = api["compliance"].get("/records?status=halted").json()["records"]
    _store_bundle(api, first, whole)

    wrong = api["compliance"].post(f"/records/{second}/retry")
    done = api["compliance"].post(f"/records/{first}/retry")
    apply(api)

    assert halted["halted"]["code"] == "entry-without-identity"
    assert behind["halted"]["record"] == first
    assert [row["record"] for row in listed] == [first]
    assert (wrong.status_code, wrong.json()["error"]) == (409, "retry-nothing")
    assert (done.status_code, done.json()["halted"]) == (200, None)
    assert status(api, second)["projected"] is not None
    assert api["sender"].get("/records?status=halted").status_code == 400


def _store_bundle(api: ServedApi, record: str, bundle: bytes) -> None:
    database = api.services.database
    with database.unit():
        query = text("UPDATE record SET bundle = :bundle WHERE id = :id")
        database.connection.execute(query, {"bundle": bundle, "id": record})


def test_source_and_bundle_are_exact_and_for_those_who_may_read(api: ServedApi) -> None:
    """The bytes as received, the bytes as hashed; a sender gets neither."""
    raw = message("B1")
    record = send(api, raw).headers["X-Record-Id"]

    source = api["reader"].get(f"/records/{record}/source")
    bundle = api["reader"].get(f"/records/{record}/bundle")

    assert source.content == raw
    assert source.headers["content-type"] == "application/octet-stream"
    assert bundle.json()["resourceType"] == "Bundle"
    for part in ("source", "bundle", "receipt"):
        assert api["sender"].get(f"/records/{record}/{part}").status_code == 403
        assert api["nobody"].get(f"/records/{record}/{part}").status_code == 401
        assert api["reader"].get(f"/records/none/{part}").status_code == 404


def test_receipt_comes_with_a_checkpoint_and_verifies_at_every_door(api: ServedApi) -> None:
    """409 before it, then the same receipt; /verify and $verify agree, also on a changed byte."""
    record = send(api, message("V1", patient="verify")).headers["X-Record-Id"]
    early = api["reader"].get(f"/records/{record}/receipt")
    apply(api)
    api.sequence()
    receipt = api["reader"].get(f"/records/{record}/receipt").content
    document = api["reader"].get(f"/records/{record}/bundle").content
    changed = document.replace(b"JANE", b"JOAN")

    good = api["nobody"].post("/verify", files={"receipt": receipt, "document": document})
    bad = api["nobody"].post("/verify", files={"receipt": receipt, "document": changed})
    operation = api["sender"].post("/fhir/$verify", json=_parameters(receipt, document))
    altered = api["sender"].post("/fhir/$verify", json=_parameters(receipt, changed))

    assert (early.status_code, early.headers["Retry-After"]) == (409, "5")
    assert good.json()["verdict"] in {"unchanged", "cannot-say"}
    assert bad.json()["verdict"] == "changed"
    Parameters.model_validate(operation.json())
    assert _verdict(operation) == good.json()["verdict"]
    assert _verdict(altered) == "changed"


def test_version_receipt_goes_with_the_body_of_that_version(api: ServedApi) -> None:
    """The document of `$receipt` is the vread, byte for byte."""
    api["clinic"].put("/fhir/Patient/proved", json={"resourceType": "Patient", "id": "proved"})
    api.sequence()
    url = "/fhir/Patient/proved/_history/1"

    receipt = api["reader"].get(f"{url}/$receipt").content
    document = api["reader"].get(url).content
    report = api["nobody"].post("/verify", files={"receipt": receipt, "document": document})

    assert report.json()["verdict"] in {"unchanged", "cannot-say"}
    assert not [check for check in report.json()["checks"] if check["ok"] is False]
    refused(api["reader"].get("/fhir/Patient/proved/_history/7/$receipt"), 404, "record-unknown")
    refused(api["reader"].get("/fhir/Patient/proved/_history/x/$receipt"), 404, "not-found")


def _parameters(receipt: bytes, document: bytes) -> dict[str, Any]:
    parts = {"receipt": receipt, "document": document}
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "valueBase64Binary": base64.b64encode(data).decode()}
            for name, data in parts.items()
        ],
    }


def _verdict(answer: httpx.Response) -> str:
    verdict: str = answer.json()["parameter"][0]["valueCode"]
    return verdict


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"resourceType": "Parameters"}, "verify-receipt"),
        (
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "receipt", "valueBase64Binary": "??"}],
            },
            "verify-base64",
        ),
    ],
)
def test_verify_without_a_receipt_says_what_is_missing(
    api: ServedApi, body: dict[str, Any], code: str
) -> None:
    """Parts by name."""
    refused(api["sender"].post("/fhir/$verify", json=body), 400, code)


@pytest.mark.parametrize(
    "request_of",
    [
        {"content": b"", "headers": {"Content-Type": "application/json"}},
        {"data": {"receipt": "text"}},
        {"files": {"document": b"x"}},
        {"files": [("receipt", b"a"), ("document", b"b"), ("more", b"c")]},
        {
            "content": b"--x\r\nbroken",
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["json", "text", "no-receipt", "three", "broken", "no-boundary"],
)
def test_verify_form_that_is_none_is_400(api: ServedApi, request_of: dict[str, Any]) -> None:
    """Nobody logged in, so everything is bounded and nothing is a traceback."""
    answer = api["nobody"].post("/verify", **request_of)

    assert (answer.status_code, answer.json()["error"]) == (400, "verify-form")


@pytest.mark.parametrize(
    ("url", "body", "errors"),
    [
        ("/fhir/Patient/$validate", {"resourceType": "Patient", "gender": "male"}, 0),
        ("/fhir/$validate", {"resourceType": "Patient", "gender": 7}, 1),
        ("/fhir/Patient/$validate", {"resourceType": "Basic", "code": {"text": "x"}}, 1),
        (
            "/fhir/Patient/$validate",
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "resource", "resource": {"resourceType": "Patient", "gender": "nope"}}
                ],
            },
            1,
        ),
    ],
)
def test_validate_tells_and_keeps_nothing(
    api: ServedApi, url: str, body: dict[str, Any], errors: int
) -> None:
    """200 for every verdict, as an OperationOutcome."""
    answer = api["reader"].post(url, json=body)

    outcome = OperationOutcome.model_validate(answer.json())
    assert answer.status_code == 200
    assert sum(issue.severity == "error" for issue in outcome.issue) == errors


def test_validate_of_broken_json_is_a_finding(api: ServedApi) -> None:
    """A place in the bytes, no quarantine."""
    before = api["compliance"].get("/records?status=quarantined&state=any").json()["records"]
    headers = {"Content-Type": "application/fhir+json"}

    answer = api["reader"].post("/fhir/$validate", content=b'{"a":', headers=headers)

    after = api["compliance"].get("/records?status=quarantined&state=any").json()["records"]
    assert answer.status_code == 200
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "json-syntax"
    assert len(after) == len(before)


def test_unknown_and_absent_tokens_are_401(api: ServedApi) -> None:
    """With the challenge of RFC 6750; an empty token is none."""
    for value in ("", "Bearer", "Bearer ", "Bearer  ", "Basic abc", "Bearer wrong", "Bearer \xe9"):
        headers = [(b"Authorization", value.encode("latin-1"))] if value else []
        answer = api["nobody"].get("/fhir/Patient/x", headers=httpx.Headers(headers))

        assert answer.status_code == 401, value
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["issue"][0]["code"] == "login"


def test_purpose_of_use_is_noted_and_checked(api: ServedApi) -> None:
    """A code of v3-PurposeOfUse, or the request is refused."""
    api["clinic"].put("/fhir/Patient/why", json={"resourceType": "Patient", "id": "why"})
    noted = api["reader"].get("/fhir/Patient/why", headers={"X-Purpose-Of-Use": "HOPERAT"})
    wrong = api["reader"].get("/fhir/Patient/why", headers={"X-Purpose-Of-Use": "because"})

    events = api["compliance"].get("/fhir/AuditEvent?patient=why").json()["entry"]
    codes = [e["resource"]["purposeOfEvent"][0]["coding"][0]["code"] for e in events]
    assert (noted.status_code, wrong.status_code) == (200, 400)
    assert "HOPERAT" in codes


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_state_of_the_node_needs_a_token(api: ServedApi, path: str) -> None:
    """A stranger learns that the process lives, not how much waits in it."""
    assert api["nobody"].get(path).status_code == 401
    assert api["sender"].get(path).status_code == 200


@pytest.mark.parametrize("path", ["/fhir/Patient", "/records", "/fhir/AuditEvent"])
def test_monitoring_sees_nothing_else(api: ServedApi, path: str) -> None:
    """Its token lies about in more places than any other."""
    assert api["monitor"].get(path).status_code == 403


def test_health_is_public_and_metrics_are_by_route(api: ServedApi) -> None:
    """Liveness needs no token; no path, id or query is in a label."""
    api["reader"].get("/fhir/Patient/secret-id?_format=json")

    alive = api["nobody"].get("/healthz")
    ready = api["monitor"].get("/readyz").json()
    metrics = api["monitor"].get("/metrics").text

    assert alive.json() == {"status": "ok"}
    assert ready["ready"] is True
    assert {"database", "queue", "chain", "log"} < ready.keys()
    assert 'route="/fhir/{kind}/{name}",status="404"' in metrics
    assert "fhir_anchor_unsequenced_leaves" in metrics
    assert "secret-id" not in metrics


def test_no_answer_or_log_line_holds_what_was_sent(
    api: ServedApi, capfd: pytest.CaptureFixture[str]
) -> None:
    """Refusals name places, never values; nothing is written where logs go."""
    body = {"resourceType": "Patient", "gender": "Geheimnis", "birthDate": "Geheimnis"}

    answers = [
        api["clinic"].post("/fhir/Patient", json=body),
        api["reader"].get("/fhir/Patient?birthdate=Geheimnis"),
        api["reader"].get("/fhir/Patient/Geheimnis"),
        api["reader"].get("/records/Geheimnis"),
    ]

    assert all("Geheimnis" not in answer.text for answer in answers)
    captured = capfd.readouterr()
    assert "Geheimnis" not in captured.out + captured.err
