"""FHIR reads through the real application: read, vread, history, search, everything, AuditEvent."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

Put = Callable[..., httpx.Response]


@pytest.fixture(scope="module", autouse=True)
def ward(api: ServedApi) -> None:
    """Two patients, their practitioner, and five observations of the first."""
    entries: list[dict[str, Any]] = [
        {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Doctor"}]},
        *(
            {
                "resourceType": "Patient",
                "id": f"p{n}",
                "identifier": [{"system": "urn:mrn", "value": f"m{n}"}],
                "generalPractitioner": [{"reference": "Practitioner/dr"}],
            }
            for n in (1, 2)
        ),
        *(
            {
                "resourceType": "Observation",
                "id": f"o{n}",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": f"718-{n}"}]},
                "subject": {"reference": "Patient/p1"},
                "effectiveDateTime": f"2026-0{n + 1}-10",
                "valueQuantity": {"value": 7},
            }
            for n in range(5)
        ),
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
            for r in entries
        ],
    }
    answer = api["clinic"].post("/fhir", json=bundle)
    assert answer.status_code == 200, answer.text


def bundle_of(answer: httpx.Response) -> Any:
    """The answer as a Bundle that is valid R4."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.headers["cache-control"] == "no-store"
    Bundle.model_validate(answer.json())
    return answer.json()


def test_decimals_and_dates_are_served_as_they_were_written(api: ServedApi) -> None:
    """The body of a read is the stored bytes, also inside a searchset."""
    written = (
        b'{"resourceType":"Observation","id":"exact","status":"final","code":{"text":"x"},'
        b'"effectiveDateTime":"2026-01-01T00:00:00.000+00:00","valueQuantity":{"value":0.40}}'
    )
    headers = {"Content-Type": "application/fhir+json"}
    api["clinic"].put("/fhir/Observation/exact", content=written, headers=headers)

    read = api["reader"].get("/fhir/Observation/exact").content
    found = api["reader"].get("/fhir/Observation?_id=exact").content

    assert b'"value":0.40' in read
    assert b'"2026-01-01T00:00:00.000+00:00"' in read
    assert read in found


def test_conditional_read_says_that_nothing_changed(api: ServedApi) -> None:
    """If-None-Match before If-Modified-Since; 304 has no body and names the version."""
    url = "/fhir/Patient/p1"
    first = api["reader"].get(url)
    since = first.headers["Last-Modified"]

    answers = [
        api["reader"].get(url, headers=headers)
        for headers in (
            {"If-None-Match": 'W/"1"'},
            {"If-None-Match": 'W/"7", W/"1"'},
            {"If-Modified-Since": since},
            {"If-None-Match": 'W/"7"', "If-Modified-Since": since},
            {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
            {"If-Modified-Since": "some day"},
        )
    ]

    assert [answer.status_code for answer in answers] == [304, 304, 304, 200, 200, 200]
    assert answers[0].content == b""
    assert answers[0].headers["ETag"] == 'W/"1"'


def test_head_is_get_without_its_body(api: ServedApi) -> None:
    """Same status, same headers."""
    got = api["reader"].get("/fhir/Patient/p1")

    headed = api["reader"].head("/fhir/Patient/p1")
    absent = api["reader"].head("/fhir/Patient/none")

    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["ETag"] == got.headers["ETag"]
    assert (absent.status_code, absent.content) == (404, b"")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/fhir/Patient/p1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/fhir/Patient", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/fhir", "OPTIONS, POST"),
        ("/hl7v2", "OPTIONS, POST"),
    ],
)
def test_options_and_405_tell_the_methods(api: ServedApi, path: str, methods: str) -> None:
    """OPTIONS needs no token; a method that is not there is 405 with Allow."""
    options = api["nobody"].options(path)
    patched = api["admin"].request("TRACE", path)

    assert (options.status_code, options.headers["Allow"]) == (204, methods)
    assert (patched.status_code, patched.headers["Allow"]) == (405, methods)


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("/fhir/Pateint/p1", 404, "type-unknown"),
        ("/fhir/patient", 404, "type-unknown"),
        ("/fhir/Patient/absent", 404, "not-found"),
        (f"/fhir/Patient/{'x' * 70}", 404, "not-found"),
        ("/fhir/Patient/a%00b", 404, "not-found"),
        ("/fhir/Patient/p1/_history/9", 404, "not-found"),
        ("/fhir/Patient/p1/_history/abc", 404, "not-found"),
        ("/fhir/Patient/p1/_history/99999999999999999", 404, "not-found"),
        ("/fhir/Patient/absent/_history", 404, "not-found"),
        ("/fhir/Patient/absent/$everything", 404, "not-found"),
        ("/fhir/Patient?famly=x", 400, "search-unknown"),
        ("/fhir/Observation?date=xx2026", 400, "search-prefix"),
        ("/fhir/Observation?date=yesterday", 400, "search-value"),
        ("/fhir/Observation?subject.nothing=x", 400, "search-chained"),
        ("/fhir/Patient?_has:Observation:code:status=final", 400, "search-chained"),
        ("/fhir/Patient?_page=xx", 400, "page-token"),
        ("/fhir/Patient/p1?_elements=na%20me", 400, "search-value"),
        ("/fhir/Patient/p1?_summary=count", 400, "search-value"),
        ("/fhir/Patient/p1/$everything?start=soon", 400, "query-value"),
        ("/fhir/Patient/p1/_history?_count=none", 400, "query-value"),
        ("/fhir/Patient/p1/_history?_count=1&_count=2", 400, "query-repeated"),
        ("/fhir/Patient/p1/$everything?_since=soon", 400, "query-value"),
        ("/fhir/Patient/p1/$everything?_type=Pateint", 404, "type-unknown"),
        ("/fhir/Patient/p1?_format=xml", 406, "not-acceptable"),
        ("/fhir/nothing/at/all/here", 404, "not-found"),
    ],
)
def test_read_that_cannot_be_is_refused_with_its_reason(
    api: ServedApi, url: str, status: int, code: str
) -> None:
    """The right status, an OperationOutcome, and never what was asked for in its text."""
    refused(api["reader"].get(url), status, code)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+xml, application/json;q=0.5", 200),
        ("text/html,*/*;q=0.8", 200),
        ("application/fhir+json; fhirVersion=3.0", 406),
        ("application/fhir+xml", 406),
    ],
)
def test_accept_header_is_honoured(api: ServedApi, accept: str, status: int) -> None:
    """JSON of R4 is what there is."""
    answer = api["reader"].get("/fhir/Patient/p1", headers={"Accept": accept})

    assert answer.status_code == status


def test_unknown_parameter_names_the_nearest(api: ServedApi) -> None:
    """An ignored parameter would answer another question."""
    text = refused(api["reader"].get("/fhir/Patient?famly=Meier"), 400, "search-unknown")

    assert "use family" in text
    assert "Meier" not in text


def test_pages_follow_and_links_are_bound_to_the_caller(api: ServedApi) -> None:
    """Every match once; the next link of one caller is refused to another."""
    first = bundle_of(api["reader"].get("/fhir/Observation?patient=p1&_count=2&_total=accurate"))
    links = {link["relation"]: link["url"] for link in first["link"]}
    seen = [entry["resource"]["id"] for entry in first["entry"]]
    page = first
    while "next" in (links := {link["relation"]: link["url"] for link in page["link"]}):
        page = bundle_of(api["reader"].get(links["next"]))
        seen += [entry["resource"]["id"] for entry in page["entry"]]

    stolen = api["clinic"].get(next(x["url"] for x in first["link"] if x["relation"] == "next"))

    assert sorted(seen) == ["o0", "o1", "o2", "o3", "o4"]
    assert first["total"] == 5
    assert first["entry"][0]["fullUrl"] == "http://node.test/fhir/Observation/o0"
    refused(stolen, 400, "page-token")


def test_self_link_tells_what_was_understood(api: ServedApi) -> None:
    """All of it, and nothing that was passed over."""
    found = bundle_of(api["reader"].get("/fhir/Observation?patient=p1&_format=json&code=718-1"))

    (link,) = found["link"]
    assert parse_qs(urlsplit(link["url"]).query) == {"patient": ["p1"], "code": ["718-1"]}


def test_search_by_post_is_the_same_search(api: ServedApi) -> None:
    """Parameters of the body count like those of the URL."""
    posted = api["reader"].post("/fhir/Patient/_search", data={"identifier": "urn:mrn|m2"})
    got = api["reader"].get("/fhir/Patient", params={"identifier": "urn:mrn|m2"})
    wrong = api["reader"].post("/fhir/Patient/_search", json={"identifier": "m2"})

    assert posted.content == got.content
    assert bundle_of(posted)["entry"][0]["resource"]["id"] == "p2"
    refused(wrong, 415, "media-type")


def test_count_totals_and_includes(api: ServedApi) -> None:
    """`_summary=count` has no entries; includes say that they are."""
    count = bundle_of(api["reader"].get("/fhir/Observation?patient=p1&_summary=count"))
    query = (
        "/fhir/Patient?_id=p1&_include=Patient:general-practitioner&_revinclude=Observation:patient"
    )
    found = bundle_of(api["reader"].get(query))

    modes = {entry["resource"]["id"]: entry["search"]["mode"] for entry in found["entry"]}
    assert (count["total"], "entry" in count) == (5, False)
    assert modes == {"p1": "match", "dr": "include"} | {f"o{n}": "include" for n in range(5)}


def test_everything_by_type_and_since_and_page(api: ServedApi) -> None:
    """The compartment and what it refers to; the link of the next page is the caller's alone."""
    url = "/fhir/Patient/p1/$everything"
    whole = bundle_of(api["reader"].get(url))
    typed = bundle_of(api["reader"].get(url, params={"_type": "Observation,Patient"}))
    later = bundle_of(api["reader"].get(url, params={"_since": "2199-01-01T00:00:00+01:00"}))
    first = bundle_of(api["reader"].get(url, params={"_count": "3"}))
    link = next(x["url"] for x in first["link"] if x["relation"] == "next")
    second = bundle_of(api["reader"].get(link))

    assert len(whole["entry"]) == 7
    assert {e["resource"]["resourceType"] for e in typed["entry"]} == {"Observation", "Patient"}
    assert "entry" not in later
    assert len({e["fullUrl"] for e in first["entry"] + second["entry"]}) == 6
    refused(api["clinic"].get(link), 400, "page-token")


def test_history_has_every_version_and_the_deletion(api: ServedApi, put: Put) -> None:
    """Newest first; a deletion is an entry without resource; pages go on below a version."""
    put("Basic", "h", code={"text": "one"})
    put("Basic", "h", code={"text": "two"})
    api["clinic"].delete("/fhir/Basic/h")

    whole = bundle_of(api["reader"].get("/fhir/Basic/h/_history"))
    page = bundle_of(api["reader"].get("/fhir/Basic/h/_history?_count=2"))
    link = next(x["url"] for x in page["link"] if x["relation"] == "next")
    rest = bundle_of(api["reader"].get(link))

    assert [e["request"]["method"] for e in whole["entry"]] == ["DELETE", "PUT", "PUT"]
    assert [("resource" in e) for e in whole["entry"]] == [False, True, True]
    assert whole["total"] == 3
    assert [e["resource"]["code"]["text"] for e in rest["entry"]] == ["one"]


def test_capability_statement_is_valid_public_and_true(api: ServedApi) -> None:
    """What it says of a type is what the doors do."""
    answer = api["nobody"].get("/fhir/metadata")

    CapabilityStatement.model_validate(answer.json())
    (rest,) = answer.json()["rest"]
    patient = next(row for row in rest["resource"] if row["type"] == "Patient")
    names = [parameter["name"] for parameter in patient["searchParam"]]
    assert answer.status_code == 200
    assert answer.json()["implementation"]["url"] == "http://node.test/fhir"
    assert {"_id", "_lastUpdated", "identifier", "birthdate"} <= set(names)
    for name in names:
        query = {"date": "2020-01-01"}.get(
            next(p["type"] for p in patient["searchParam"] if p["name"] == name), "x"
        )
        assert api["reader"].get(f"/fhir/Patient?{name}={query}").status_code == 200, name


def test_access_log_is_for_oversight_and_reading_it_is_an_access(api: ServedApi) -> None:
    """By patient, newest first, page by page; a reader may not."""
    for _ in range(2):
        api["reader"].get("/fhir/Patient/p2")
    url = "/fhir/AuditEvent?patient=Patient/p2&_count=1"

    first = bundle_of(api["compliance"].get(url))
    link = next(x["url"] for x in first["link"] if x["relation"] == "next")
    second = bundle_of(api["compliance"].get(link))
    one = api["compliance"].get(second["entry"][0]["fullUrl"])
    events = bundle_of(api["compliance"].get("/fhir/AuditEvent?patient=p2&_count=9"))["entry"]

    newest = [event["resource"]["agent"][0]["who"]["identifier"]["value"] for event in events]
    assert second["entry"][0]["resource"]["id"] != first["entry"][0]["resource"]["id"]
    assert one.json() == second["entry"][0]["resource"]
    assert newest[0] == "compliance"
    refused(api["reader"].get(url), 403, "access-refused")
    refused(api["compliance"].get("/fhir/AuditEvent?action=R"), 400, "search-unknown")
    refused(api["compliance"].get("/fhir/AuditEvent?_summary=true"), 400, "search-unknown")
    refused(api["compliance"].get("/fhir/AuditEvent?patient=a|b"), 400, "search-value")


def test_lenient_client_is_told_what_was_passed_over(api: ServedApi) -> None:
    """The `self` link holds what was searched for; without that wish it is refused."""
    url = "/fhir/Patient?identifier=urn:mrn|m1&flavour=sweet"

    strict = api["reader"].get(url)
    lenient = api["reader"].get(url, headers={"Prefer": "handling=lenient"})

    refused(strict, 400, "search-unknown")
    assert lenient.json()["link"][0]["url"].endswith("/fhir/Patient?identifier=urn%3Amrn%7Cm1")
    assert len(bundle_of(lenient)["entry"]) == 1


def test_url_of_a_resource_here_is_that_resource(api: ServedApi) -> None:
    """A client may write the subject as it got it in a fullUrl."""
    own = api["reader"].get("/fhir/Patient?_id=p1").json()["entry"][0]["fullUrl"]

    found = api["reader"].get("/fhir/Observation", params={"subject": own, "_count": "1"})

    assert len(bundle_of(found)["entry"]) == 1


@pytest.mark.parametrize(
    ("body", "query", "total"),
    [
        (None, "?_type=Observation&_count=3", 3),
        ([{"name": "_type", "valueCode": "Observation"}], "", 5),
        ([{"name": "_type", "valueString": "Patient,Observation"}], "?_count=2", 2),
        (
            [{"name": "_count", "valueInteger": 1}, {"name": "_type", "valueCode": "Patient"}],
            "",
            1,
        ),
    ],
)
def test_everything_is_asked_by_post_too(
    api: ServedApi, body: list[dict[str, Any]] | None, query: str, total: int
) -> None:
    """FHIR lets every operation be invoked so; Parameters and URL say the same."""
    url = f"/fhir/Patient/p1/$everything{query}"
    parameters = {"resourceType": "Parameters", "parameter": body} if body else None

    answer = api["reader"].post(url, json=parameters)

    assert len(bundle_of(answer)["entry"]) == total


def test_everything_refuses_what_is_no_parameters(api: ServedApi) -> None:
    """A body that is not understood is not passed over."""
    answer = api["reader"].post("/fhir/Patient/p1/$everything", json={"resourceType": "Patient"})

    refused(answer, 400, "parameters-form")


def test_reference_by_the_url_of_this_server_is_a_reference_to_it(api: ServedApi) -> None:
    """Relative, absolute, with a version: one resource; the same id elsewhere is another one.

    https://hl7.org/fhir/R4/search.html#reference.
    """
    base, other = "http://node.test/fhir", "http://elsewhere.test/fhir"
    put(api, "Patient/here", {"name": [{"family": "Here"}]})
    told = {
        "relative": {"reference": "Patient/here"},
        "versioned": {"reference": "Patient/here/_history/1"},
        "absolute": {"reference": f"{base}/Patient/here"},
        "absolute-versioned": {"reference": f"{base}/Patient/here/_history/1"},
        "elsewhere": {"reference": f"{other}/Patient/here"},
        "by-number": {"identifier": {"system": "urn:mrn", "value": "H1"}, "type": "Patient"},
    }
    for name, subject in told.items():
        put(api, f"Observation/{name}", {"status": "final", "code": {"text": "x"},
                                         "subject": subject})  # fmt: skip
    mine = {"relative", "versioned", "absolute", "absolute-versioned"}

    def found(query: str) -> set[str]:
        return {
            one["resource"]["id"] for one in api["reader"].get(f"/fhir/{query}").json()["entry"]
        }

    assert found("Observation?patient=here") == mine
    assert found("Observation?subject=here") == mine
    assert found("Observation?subject=Patient/here/_history/1") == mine
    assert found(f"Observation?subject={base}/Patient/here") == mine
    assert found(f"Observation?subject={other}/Patient/here") == {"elsewhere"}
    assert found("Observation?subject:identifier=urn:mrn|H1") == {"by-number"}
    assert found("Observation?_id=absolute&_include=Observation:patient") == {"absolute", "here"}
    assert found("Observation?_id=elsewhere&_include=Observation:patient") == {"elsewhere"}
    assert found("Patient?_id=here&_revinclude=Observation:subject") == {"here", *mine}
    assert found("Patient/here/$everything") == {"here", *mine}
    api["reader"].get("/fhir/Observation/absolute")
    seen = api["compliance"].get(f"/fhir/AuditEvent?patient={base}/Patient/here&_count=1").json()
    assert "Observation/absolute" in json.dumps(seen)


def put(api: ServedApi, url: str, elements: dict[str, Any]) -> None:
    """A resource under its URL."""
    kind, _, name = url.partition("/")
    body = {"resourceType": kind, "id": name, **elements}
    assert api["clinic"].put(f"/fhir/{url}", json=body).status_code in {200, 201}
