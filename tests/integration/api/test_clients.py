"""Real clients over a real socket: fhirclient, and those that mean no good."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.fhirsearch import FHIRSearch
from fhirclient.models.humanname import HumanName
from fhirclient.models.identifier import Identifier
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException, FHIRServer, FHIRUnauthorizedException

from tests.served_api import TOKENS, ServedApi
from workers import http_patience
from workers.asgi import server_config


@pytest.fixture(scope="module")
def address(api: ServedApi) -> Iterator[tuple[str, int]]:
    """The application behind uvicorn, as the product runs it, on loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(api.app, api.services.settings.http))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield "127.0.0.1", int(listening.getsockname()[1])
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def smart(address: tuple[str, int]) -> Iterator[FHIRServer]:
    """Fhirclient with a bearer token that the operator handed out."""
    host, port = address
    settings = {"app_id": "test", "api_base": f"http://{host}:{port}/fhir"}
    server = FHIRClient(settings=settings).server
    server.session.headers["Authorization"] = f"Bearer {TOKENS['clinic']}"
    assert server.prepare()
    yield server
    server.session.close()


def someone(family: str, mrn: str) -> Patient:
    """A Patient of fhirclient."""
    patient = Patient()
    patient.name = [HumanName({"family": family})]
    patient.identifier = [Identifier({"system": "urn:smart", "value": mrn})]
    return patient


def test_fhirclient_creates_reads_updates_and_deletes(smart: FHIRServer) -> None:
    """The whole life of a resource, each answer parsed by the client's own models."""
    made = someone("Before", "1").create(smart)
    patient = Patient.read(made["id"], smart)
    patient.name[0].family = "After"

    updated = patient.update(smart)
    again = Patient.read(made["id"], smart)
    again.delete()

    assert updated["meta"]["versionId"] == "2"
    assert again.name[0].family == "After"
    with pytest.raises(Exception, match="410"):
        Patient.read(made["id"], smart)
    with pytest.raises(FHIRNotFoundException):
        Patient.read("never-was", smart)


def test_fhirclient_searches_through_all_pages(smart: FHIRServer) -> None:
    """The next links lead through every match once."""
    for n in range(7):
        someone("Paging", f"p{n}").create(smart)

    search = FHIRSearch(Patient, {"family": "Paging", "_count": "3"})
    found = list(search.perform_resources_iter(smart))

    assert len({patient.id for patient in found}) == 7
    assert {type(patient) for patient in found} == {Patient}


def test_fhirclient_reads_the_capability_statement(smart: FHIRServer) -> None:
    """No token service is promised, so the client needs none."""
    statement = smart.capabilityStatement

    assert statement.fhirVersion == "4.0.1"
    assert statement.rest[0].security.extension is None
    assert smart.auth.auth_type == "none"


def test_fhirclient_reads_what_was_stored_with_references(smart: FHIRServer) -> None:
    """A transaction written as JSON, its references resolved by the client."""
    patient = {"resourceType": "Patient", "id": "smart1", "name": [{"family": "Ref"}]}
    observation = {
        "resourceType": "Observation",
        "id": "smart2",
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": "Patient/smart1"},
        "valueQuantity": {"value": 0.5, "unit": "kg"},
    }
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in (patient, observation)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    base = smart.base_uri.rstrip("/")
    answer = smart.session.post(base, json=bundle)
    Bundle(answer.json())

    read = Observation.read("smart2", smart)

    assert read.subject.resolved(Patient).name[0].family == "Ref"
    assert read.valueQuantity.value == 0.5


def test_fhirclient_without_token_is_told_so(smart: FHIRServer) -> None:
    """401, which the client has its own exception for."""
    del smart.session.headers["Authorization"]

    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("x", smart)


def test_client_that_drips_its_head_is_let_go(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that never ends its request costs nothing for long."""
    monkeypatch.setattr(http_patience, "HEAD_S", 0.3)

    with socket.create_connection(address, timeout=5) as silent:
        began = time.monotonic()
        silent.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-")
        closed = silent.recv(100)
        took = time.monotonic() - began

    assert closed == b""
    assert took < 3


@pytest.mark.parametrize("reads", [False, True])
def test_client_that_reads_no_answer_is_let_go(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, *, reads: bool
) -> None:
    """It would hold memory for ever; one that only pauses gets all of it."""
    monkeypatch.setattr(http_patience, "STALL_S", 0.5)
    asked = b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    size = 0

    with socket.socket() as client:
        client.settimeout(20)
        client.connect(address)
        client.sendall(asked * 100 + last)
        try:
            time.sleep(0.1 if reads else 3)
            for data in iter(lambda: client.recv(200_000), b""):
                size += len(data)
        except ConnectionResetError:
            assert not reads

    url = f"http://{address[0]}:{address[1]}/fhir/metadata"
    whole = 101 * len(httpx.get(url, timeout=20).content)
    assert (size >= whole) is reads


def answer_of(client: socket.socket) -> bytes:
    """Head and body of one answer of `/healthz`."""
    data = b""
    while not data.endswith(b"}"):
        data += client.recv(1000)
    return data


def test_connection_is_kept_between_requests(address: tuple[str, int]) -> None:
    """Two requests on one connection, the second in two halves."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(request)
        first = answer_of(client)
        client.sendall(request[:10])
        time.sleep(0.05)
        client.sendall(request[10:])
        second = answer_of(client)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")
    assert b"server:" not in first.lower()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=["binary", "version", "long", "length"],
)
def test_bytes_that_are_no_http_are_400_and_closed(address: tuple[str, int], raw: bytes) -> None:
    """Nothing of it reaches a log."""
    with socket.create_connection(address, timeout=5) as stranger:
        stranger.sendall(raw)
        answer = stranger.recv(1000)

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))


def test_client_that_leaves_in_the_middle_of_its_body_costs_nothing(
    address: tuple[str, int], api: ServedApi
) -> None:
    """Nothing is stored of half a message, and the node goes on."""
    before = len(api["admin"].get("/records?count=1000").json()["records"])
    head = (
        f"POST /hl7v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKENS['sender']}\r\n"
        "Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\nMSH|^~"
    )
    with socket.create_connection(address, timeout=5) as leaver:
        leaver.sendall(head.encode())

    assert api["nobody"].get("/healthz").status_code == 200
    assert len(api["admin"].get("/records?count=1000").json()["records"]) == before


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", b""),
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
        (b"\x0bMSH|^~\\&|\x1c\r", b"400"),
        (b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"400"),
        (
            b"POST /verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
            b"400",
        ),
        (
            (
                b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; "
                b"boundary=b\r\nContent-Length: 99999999999\r\n\r\n"
            ),
            b"413",
        ),
        (
            (
                b"POST /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            ),
            b"400",
        ),
    ],
    ids=[
        "header-of-1-MB",
        "no-host",
        "mllp",
        "negative-length",
        "bad-chunk",
        "length-of-100-GB",
        "two-lengths",
    ],
)
def test_request_that_is_none_ends_its_connection_alone(
    address: tuple[str, int], request_: bytes, status: bytes
) -> None:
    """Refused or cut off; the next client is served."""
    with socket.create_connection(address, timeout=10) as stranger:
        try:
            stranger.sendall(request_)
            said = b"".join(iter(lambda: stranger.recv(1000), b""))
        except OSError:  # cut off while it sent
            said = b""
    with socket.create_connection(address, timeout=10) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        served = answer_of(other)

    assert said.startswith(b"HTTP/1.1 " + (status or b"400")) or (not status and not said)
    assert said.count(b"HTTP/1.1 ") <= 1
    assert served.startswith(b"HTTP/1.1 200")
