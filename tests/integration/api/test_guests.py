"""What clients that others wrote send, word for word: each was seen to fail here once."""

import httpx
import pytest

from tests.integration.api.outcomes import refused
from tests.served_api import TOKENS, ServedApi

MESSAGE = (
    b"MSH|^~\\&|GUEST|FAC|US|X|20240102030405||ADT^A01^ADT_A01|{id}|P|2.7\r"
    b"EVN||20240102030405\rPID|1||77^^^GUEST^MR||Doe^Ann\r"
)


def test_hl7_over_http_of_hapi_brings_its_token_as_a_password(api: ServedApi) -> None:
    """Basic is the one scheme that HAPI's HL7-over-HTTP client writes."""
    headers = {"Content-Type": "application/hl7-v2; charset=UTF-8"}
    raw = MESSAGE.replace(b"{id}", b"HOH1")

    answer = api["nobody"].post(
        "/hl7v2", content=raw, headers=headers, auth=httpx.BasicAuth("hapi", TOKENS["sender"])
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"].lower() == "application/hl7-v2; charset=utf-8"
    assert b"\rMSA|AA|HOH1\rERR|||0^Message accepted^HL70357|I|" in answer.content


@pytest.mark.parametrize("role", ["reader", "monitor"])
def test_password_opens_no_more_than_its_token(api: ServedApi, role: str) -> None:
    """The roles are the token's."""
    headers = {"Content-Type": "text/plain"}

    answer = api["nobody"].post(
        "/hl7v2", content=MESSAGE, headers=headers, auth=httpx.BasicAuth("sender", TOKENS[role])
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("http://node.test/fhir/Patient?", id="hapi"),
        pytest.param("Patient?", id="relative"),
        pytest.param("?", id="mark"),
        pytest.param("", id="as-fhir-says"),
    ],
)
def test_condition_of_a_create_may_be_a_whole_url(api: ServedApi, before: str) -> None:
    """HAPI writes the search as it would ask it, in the header and in bundles."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:g|,$", "value": "1"}]}
    condition = f"{before}identifier=urn:g%5C%7C%5C%2C%5C%24|1"
    first = api["clinic"].post("/fhir/Patient", json=body, headers={"If-None-Exist": condition})

    again = api["clinic"].post(
        "/fhir/Patient", json=body | {"active": True}, headers={"If-None-Exist": condition}
    )

    assert (first.status_code in {200, 201}, again.status_code) == (True, 200)
    assert again.json()["id"] == first.json()["id"]


def test_condition_of_another_type_is_refused(api: ServedApi) -> None:
    """It would select what is not created."""
    headers = {"If-None-Exist": "http://node.test/fhir/Group?identifier=urn:g|1"}

    answer = api["clinic"].post("/fhir/Patient", json={"resourceType": "Patient"}, headers=headers)

    assert answer.status_code == 400


def test_search_by_get_may_name_itself(api: ServedApi) -> None:
    """`GET Patient/_search?` was DSTU2's, and HAPI still offers it."""
    answer = api["reader"].get("/fhir/Patient/_search?family=Nobody&_total=estimated")

    assert answer.status_code == 200
    assert answer.json()["total"] == 0
    assert answer.json()["link"][0]["url"].endswith("/fhir/Patient?family=Nobody&_total=estimated")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/fhir+json; fhirVersion=4.0"}, 200),
        ({"Content-Type": "application/fhir+json; fhirVersion=3.0"}, 415),
        ({"Content-Type": "application/fhir+json;fhirVersion=5.0"}, 415),
        ({"Content-Type": "application/fhir+json", "Content-Encoding": "deflate"}, 415),
        ({"Content-Type": "application/fhir+json", "Accept": "application/json;q=0"}, 406),
        ({"Content-Type": "application/fhir+json", "Accept": "text/html, */*;q=0.8"}, 200),
    ],
)
def test_what_is_spoken_here_is_r4_as_json(
    api: ServedApi, headers: dict[str, str], status: int
) -> None:
    """A resource of another version is never read as one of R4."""
    answer = api["clinic"].post(
        "/fhir/Patient/$validate", content=b'{"resourceType":"Patient"}', headers=headers
    )

    assert answer.status_code == status
    assert answer.headers.get("accept-encoding") == (
        "gzip" if "Content-Encoding" in headers else None
    )


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize("gender", ["female", "wrong"])
def test_url_of_an_entry_may_begin_with_a_slash(api: ServedApi, kind: str, gender: str) -> None:
    """As fhir-kit-client's own examples write it; a bad neighbour changes nothing of that."""
    name = f"slash-{kind}-{gender}"
    bodies = [
        {"resourceType": "Patient", "id": f"{name}-1"},
        {"resourceType": "Patient", "id": f"{name}-2", "gender": gender},
    ]
    entries: list[dict[str, object]] = [
        {"resource": body, "request": {"method": "PUT", "url": f"/Patient/{body['id']}"}}
        for body in bodies
    ]
    entries.append({"request": {"method": "GET", "url": f"/Patient/{name}-2"}})
    expected = {
        "female": ["201", "201", "200"],
        "wrong": [] if kind == "transaction" else ["201", "400", "404"],
    }

    answer = api["clinic"].post(
        "/fhir", json={"resourceType": "Bundle", "type": kind, "entry": entries}
    )

    told = [one["response"]["status"][:3] for one in answer.json().get("entry", ())]
    assert told == expected[gender]


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        ("application/pdf", 200, "application/pdf; x=1"),
        ("image/png, application/*;q=0.5", 200, "application/pdf; x=1"),
        ("application/pdf;q=0, text/plain", 406, "application/fhir+json"),
        ("text/html", 406, "application/fhir+json"),
        ("*/*", 200, "application/fhir+json"),
        ("application/pdf, */*;q=0.1", 200, "application/fhir+json"),
        ("application/fhir+json", 200, "application/fhir+json"),
        ("application/fhir+xml", 406, "application/fhir+json"),
    ],
)
def test_document_is_read_as_what_it_is(
    api: ServedApi, accept: str, status: int, kind: str
) -> None:
    """A viewer that accepts PDF gets the PDF, never inside a page; all others the resource."""
    body = {
        "resourceType": "Binary",
        "id": "pdf",
        "contentType": "application/pdf; x=1",
        "data": "JVBERg==",
    }
    api["clinic"].put("/fhir/Binary/pdf", json=body)

    answer = api["reader"].get("/fhir/Binary/pdf", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    if kind != "application/fhir+json":
        assert answer.content == b"%PDF"
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("method", "url"), [("POST", "/fhir/Binary"), ("PUT", "/fhir/Binary/scan")]
)
def test_document_is_written_as_what_it_is(api: ServedApi, method: str, url: str) -> None:
    """HAPI's client sends the content of a Binary, with its type and context in the headers."""
    headers = {"Content-Type": "application/pdf", "X-Security-Context": "Patient/p1"}

    answer = api["clinic"].request(method, url, content=b"%PDF-\x00\xff", headers=headers)

    place = answer.headers["Location"].partition("/_history")[0]
    read = api["reader"].get(place, headers={"Accept": "application/pdf"})
    assert answer.status_code == 201
    assert answer.json()["securityContext"] == {"reference": "Patient/p1"}
    assert (read.content, read.headers["content-type"]) == (b"%PDF-\x00\xff", "application/pdf")


def test_other_resources_are_not_written_as_documents(api: ServedApi) -> None:
    """Only a Binary has content of its own; FHIR XML is no document either."""
    for url, kind in (("/fhir/Patient", "text/plain"), ("/fhir/Binary", "application/fhir+xml")):
        answer = api["clinic"].post(url, content=b"x", headers={"Content-Type": kind})

        refused(answer, 415, "media-type")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_a_read_has_a_document(api: ServedApi, method: str) -> None:
    """A write answers in FHIR or not at all."""
    headers = {"Accept": "application/pdf", "Content-Type": "application/fhir+json"}

    answer = api["clinic"].request(method, "/fhir/Binary/other", headers=headers)

    assert answer.status_code == 406


def test_media_type_of_a_document_begins_no_header(api: ServedApi) -> None:
    """What a sender wrote into contentType stays in the resource."""
    body = {"resourceType": "Binary", "id": "split", "contentType": "text/plain\nX-Evil: 1"}
    written = api["clinic"].put("/fhir/Binary/split", json=body)

    answer = api["reader"].get("/fhir/Binary/split", headers={"Accept": "text/plain"})

    assert answer.status_code == (404 if written.status_code == 400 else 406)
    assert "x-evil" not in answer.headers
