"""What attackers send to the doors of a real node, while an honest sender beside them works."""

import gzip
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.hl7v2.mllp import Frame, Framer, frame
from tests.scenarios.engine import Engine, MllpDoor, letters
from tests.scenarios.node import Node, node_folder, until

MIB = 1024 * 1024
GOOD = "BESIDE"
SLOWEST_S = 10.0
"""Of one answer to the sender beside, on a busy machine while 64 MiB are refused."""
SENDER_TOKEN = "t" * 43
TOKENS = f"""
[[token]]
name = "lab"
sha256 = "{hashlib.sha256(SENDER_TOKEN.encode()).hexdigest()}"
roles = ["sender"]
"""
HL7 = {"Content-Type": "application/hl7-v2"}
FHIR = {"Content-Type": "application/fhir+json"}
ADT = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1\r"
PATIENT = b'{"resourceType":"Patient","name":[{"family":"Hemlock"}],'


@pytest.fixture(scope="module")
def attacked() -> Iterator[Node]:
    """A node that also knows a client which may only send."""
    with node_folder() as folder:
        tokens = folder / "tokens.toml"
        tokens.write_text(TOKENS)
        made = Node(folder / "node", {"FHIR_ANCHOR__ACCESS__TOKENS_FILE": str(tokens)})
        try:
            made.start()
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module", autouse=True)
def beside(attacked: Node) -> Iterator[None]:
    """A sender that goes on all the while; afterwards all of its messages are final and prove."""
    feed = list(letters(GOOD, 2000))
    engine = Engine(feed, MllpDoor(attacked.mllp), window=1, gap_s=0.02, within_s=200)
    engine.start()
    yield
    engine.stop()
    assert engine.acknowledged
    assert (engine.refusals, engine.breaks) == (0, 0)
    assert engine.slowest_s < SLOWEST_S
    rows = [row for row in attacked.wait_final() if row["sender"].startswith(GOOD)]
    assert len(rows) == len(engine.acknowledged)
    assert "clean" in attacked.audit()
    logs = attacked.logs()
    assert '"restarted"' not in logs["up.err"], "no attack ends a process"
    for name, text in logs.items():
        assert "Traceback" not in text, f"{name}: {text[-3000:]}"
        assert "Hemlock" not in text, name


@pytest.fixture
def http(attacked: Node) -> Iterator[httpx.Client]:
    """HTTP as admin."""
    with attacked.client() as client:
        yield client


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"\x00\xff\xfe rubbish", {}, 200, id="rubbish"),
        pytest.param(b"", {}, 200, id="empty"),
        pytest.param(b"PID|1||1\r", {}, 200, id="no-msh"),
        pytest.param(b"MSH", {}, 200, id="msh-of-three-bytes"),
        pytest.param(b"MSH|^~\\&|" + b"A" * (16 * MIB), {}, 413, id="over-16-mib"),
        pytest.param(
            gzip.compress(b"MSH|^~\\&|" + bytes(64 * MIB), 9),
            {"Content-Encoding": "gzip"},
            413,
            id="gzip-bomb",
        ),
        pytest.param(b"MSH|^~\\&|", {"Content-Encoding": "gzip"}, 400, id="no-gzip"),
    ],
)
def test_bad_message_over_http_has_its_answer(
    http: httpx.Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    """An acknowledgement that is none of AA, or JSON that says what is wrong and what to do."""
    said = http.post("/hl7v2", content=body, headers={**HL7, **headers})

    assert said.status_code == status, said.text
    assert "Traceback" not in said.text
    if status == 200:
        assert "MSA|AA" not in said.text
        assert "\rERR|" in said.text
        kept = http.get(f"/records/{said.headers['x-record-id']}").json()
        assert kept["status"] == "quarantined"
        assert kept["reasons"]
    else:
        assert {"error", "what", "where", "do"} <= set(said.json()), said.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(PATIENT + b'"multipleBirthInteger":NaN}', 400, id="nan"),
        pytest.param(PATIENT + b'"gender":"male","gender":"female"}', 400, id="duplicate-keys"),
        pytest.param(PATIENT + b'"extension":' + b"[" * 100_000, 400, id="nesting-bomb"),
        pytest.param(PATIENT + b'"language":"\\ud800"}', 400, id="lone-surrogate"),
        pytest.param(PATIENT + b'"language":"\xff"}', 400, id="no-utf-8"),
        pytest.param(b"", 400, id="empty"),
        pytest.param(b'{"resourceType":"Patient"', 400, id="cut-short"),
        pytest.param(b'{"resourceType":"Dragon"}', 400, id="no-such-type"),
        pytest.param(PATIENT + b'"gender":"x"' + b" " * (64 * MIB) + b"}", 413, id="over-64-mib"),
        pytest.param(
            b'{"resourceType":"Bundle","type":"transaction","entry":['
            + b",".join([b'{"request":{"method":"POST","url":"X"}}'] * 60_000)
            + b"]}",
            413,
            id="very-many-entries",
        ),
    ],
)
def test_bad_resource_has_an_outcome(http: httpx.Client, body: bytes, status: int) -> None:
    """An OperationOutcome with the place; never a traceback, never content."""
    said = http.post("/fhir", content=body, headers=FHIR)

    assert said.status_code == status, said.text[:2000]
    assert "Traceback" not in said.text
    assert "Hemlock" not in said.text
    outcome = said.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["diagnostics"]


@pytest.mark.parametrize("path", ["/hl7v2", "/fhir"])
@pytest.mark.parametrize("token", ["wrong", "t" * 5000], ids=["wrong", "long"])
def test_wrong_token_is_401(attacked: Node, path: str, token: str) -> None:
    """Nothing is kept of what a stranger sends."""
    said = httpx.post(
        attacked.http + path, content=b"MSH|", headers={"Authorization": f"Bearer {token}", **HL7}
    )

    assert said.status_code == 401
    assert said.headers["www-authenticate"].startswith("Bearer")
    assert "Traceback" not in said.text


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/Patient/1", "/fhir/AuditEvent"])
def test_role_that_may_only_send_reads_nothing(attacked: Node, path: str) -> None:
    """403 with what is missing."""
    with attacked.client(SENDER_TOKEN) as client:
        said = client.get(path)

    assert said.status_code == 403
    assert said.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="http"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="tls"),
        pytest.param(b"\x00" * 200_000, id="nul-for-ever"),
        pytest.param(b"\x0bMSH|^~\\&|A|B", id="half-a-frame"),
        pytest.param(b"", id="port-scan"),
        pytest.param(b"\x0b" * 100_000, id="starts-without-end"),
    ],
)
def test_stranger_at_the_mllp_door_is_let_go(attacked: Node, stream: bytes) -> None:
    """What is no message gets no acceptance and holds nothing."""
    with socket.create_connection(attacked.mllp, timeout=10) as stranger:
        try:
            stranger.sendall(stream)
            stranger.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: stranger.recv(65536), b""))
        except OSError:  # reset, or no longer connected: it was let go
            said = b""

    assert b"MSA|AA" not in said
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        pytest.param(b"rubbish", b"AE", id="rubbish"),
        pytest.param(ADT + b"Z" * 16 * MIB, b"AE", id="over-16-mib"),
        pytest.param(ADT + b"NTE|\r" * 100_000, b"AA", id="very-many-segments"),
        pytest.param(ADT + b"PID|1||" + b"1~" * 100_000, b"AA", id="very-many-repetitions"),
        pytest.param(b"MSHAAAAA", b"AE", id="delimiters-are-letters"),
    ],
)
def test_odd_message_over_mllp_is_answered(attacked: Node, payload: bytes, code: bytes) -> None:
    """Refused with reasons, or stored when it is only large; the connection lives on."""
    framer, answers = Framer(), list[bytes]()
    good = next(iter(letters("AFTER", 1))).raw
    with socket.create_connection(attacked.mllp, timeout=30) as client:
        client.sendall(frame(payload) + frame(good))
        while len(answers) < 2:
            data = client.recv(65536)
            assert data, "it closed instead of answering"
            answers += [event.payload for event in framer.feed(data) if isinstance(event, Frame)]

    assert b"\rMSA|" + code in answers[0], answers[0][:500]
    assert code == b"AA" or b"\rERR|" in answers[0]
    assert b"MSA|AA|AFTER.0" in answers[1]


def test_many_connections_at_once_leave_room(attacked: Node) -> None:
    """More than the bound are turned away; the sender beside is not."""
    crowd = [socket.create_connection(attacked.mllp, timeout=10) for _ in range(300)]
    for one in crowd:
        one.close()

    with attacked.client() as client:
        until(
            lambda: client.get("/healthz").status_code == 200,
            within_s=10,
            otherwise="the node is not well after a crowd",
        )


def test_folder_is_for_its_owner_alone(attacked: Node) -> None:
    """Keys and token have mode 600."""
    for name in ("admin.token", "log.key", "devchain/devchain.key"):
        file: Path = attacked.folder / name
        assert file.stat().st_mode & 0o077 == 0, name
