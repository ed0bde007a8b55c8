"""`pull` over HTTP: fhirclient, SMART backend services, tokens that end, a node that takes it."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapters.fhir.dialect import FhirDialect
from bridge.cli.pull import State, pull_into
from bridge.cli.upstream import Backend, FhirServer
from bridge.core.errors import BridgeError
from bridge.keys.assertion import AssertionKey
from tests.fakes.memory_node import MemoryNode
from tests.fakes.sources import FixedClock

PATIENTS = [
    {
        "resourceType": "Patient",
        "id": f"p{n}",
        "meta": {"lastUpdated": f"2026-11-0{n}T00:00:00.000+00:00"},
        "gender": "unknown",
    }
    for n in range(1, 6)
]


class Server:
    """A small FHIR server with a token endpoint; two resources a page."""

    def __init__(self, public: rsa.RSAPublicKey) -> None:
        self.public = public
        self.tokens: set[str] = set()
        self.jtis: set[str] = set()
        self.status = 200
        self.redirect = ""

    def answer(self, path: str, query: dict[str, list[str]], token: str) -> tuple[int, Any]:
        """Status and JSON of a GET."""
        if path.endswith("smart-configuration"):
            return 200, {"token_endpoint": f"{self.url}/token"}
        if token not in self.tokens:
            return 401, {}
        if self.status != 200:
            return self.status, {}
        start = int(query.get("page", ["0"])[0])
        bundle: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [
                {"fullUrl": f"{self.url}/fhir/Patient/{one['id']}", "resource": one}
                for one in PATIENTS[start : start + 2]
            ],
        }
        if start + 2 < len(PATIENTS):
            link = f"{self.url}/fhir/Patient?page={start + 2}"
            bundle["link"] = [{"relation": "next", "url": link}]
        return 200, bundle

    def token(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        """Check the assertion as the specification says, then give a token."""
        signed, _, signature = form["client_assertion"][0].rpartition(".")
        claims = json.loads(decoded(signed.split(".")[1]))
        self.public.verify(decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA384())
        good = claims["aud"] == f"{self.url}/token" and claims["jti"] not in self.jtis
        if not good or form["grant_type"] != ["client_credentials"]:
            return 400, {"error": "invalid_client"}
        self.jtis.add(claims["jti"])
        self.tokens = {f"t{len(self.jtis)}"}
        return 200, {"access_token": f"t{len(self.jtis)}", "expires_in": 300}

    url = ""


def decoded(part: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture(scope="module")
def key() -> AssertionKey:
    """Of the client."""
    return AssertionKey(
        kid="k", key=rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    )


@pytest.fixture
def server(key: AssertionKey) -> Iterator[Server]:
    """On loopback."""
    public = key.key.public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    made = Server(public)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there = urlsplit(self.path)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if made.redirect:
                self.send_response(302)
                self.send_header("Location", made.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._say(*made.answer(there.path, parse_qs(there.query), token))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say(*made.token(parse_qs(body)))

        def _say(self, status: int, found: object) -> None:
            data = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    http = HTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    http.shutdown()
    thread.join()
    http.server_close()


Client = Callable[[], FhirServer]


@pytest.fixture
def client(server: Server, key: AssertionKey) -> Iterator[Client]:
    """A fresh client of that server; all of them are closed in the end."""
    numbers = iter(range(100))
    made = ExitStack()

    def make() -> FhirServer:
        backend = Backend(
            client="node",
            key=key,
            scope="system/*.rs",
            clock=FixedClock(),
            jti=lambda: str(next(numbers)),
        )
        return made.enter_context(FhirServer(f"{server.url}/fhir", backend))

    with made:
        yield make


def test_pages_come_signed_in_and_the_node_can_take_each(client: Client, tmp_path: Path) -> None:
    """One token serves all pages; each page is a bundle that the dialect accepts."""
    node = MemoryNode()
    upstream = client()

    pull_into(node, upstream, ["Patient"], State(tmp_path, upstream.base), count=2)

    assert len(node.posted) == 3
    for body in node.posted:
        FhirDialect().convert(body, sender="")


def test_pull_goes_on_over_processes(client: Client, tmp_path: Path) -> None:
    """A node that went away in mid-pull gets the rest later, and nothing twice."""
    node = MemoryNode()
    node.down_after = 1
    upstream = client()
    with pytest.raises(BridgeError, match="did not answer"):
        pull_into(node, upstream, ["Patient"], State(tmp_path, upstream.base), count=2)
    node.down_after = None

    again = client()
    pull_into(node, again, ["Patient"], State(tmp_path, again.base), count=2)

    ids = [e["resource"]["id"] for body in node.posted for e in json.loads(body)["entry"]]
    assert ids == ["p1", "p2", "p3", "p4", "p5"]


def test_token_that_was_withdrawn_is_a_refusal_that_says_so(client: Client, server: Server) -> None:
    """The next call asks for a new one."""
    upstream = client()
    upstream.get("Patient")
    server.tokens.clear()

    with pytest.raises(BridgeError, match=r"HTTP 401.*check client id, key and scope"):
        upstream.get("Patient")

    assert upstream.get("Patient")


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "upstream-gone"), (410, "upstream-gone"), (403, "upstream-refused")]
    + [(status, "upstream-unreachable") for status in (429, 500, 503)],
)
def test_each_failure_has_its_code(client: Client, server: Server, status: int, code: str) -> None:
    """What to do differs; the query is never quoted."""
    upstream = client()
    server.status = status

    with pytest.raises(BridgeError) as refused:
        upstream.get("Patient?name=secret")

    assert refused.value.code == code
    assert "secret" not in str(refused.value)


def test_redirect_is_not_followed(client: Client, server: Server) -> None:
    """A token is sent to the server that was named, and nowhere else."""
    upstream = client()
    upstream.get("Patient")
    server.redirect = "http://127.0.0.1:1/elsewhere"

    with pytest.raises(BridgeError, match="TooManyRedirects"):
        upstream.get("Patient")


def test_address_in_the_clear_is_refused() -> None:
    """Patients travel over TLS, or stay on this machine."""
    with pytest.raises(BridgeError, match="neither https nor http on this machine"):
        FhirServer("http://hospital.example/fhir")
