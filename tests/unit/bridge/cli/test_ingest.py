"""`ingest`: files, folders and batches to a node, one JSON line an input."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import typer

from bridge.cli.ingest import ingest
from bridge.cli.node import Node
from bridge.core.errors import BridgeError
from tests.unit.bridge.cli.test_convert import lines_of


@dataclass(slots=True)
class Desk:
    """A node's HTTP side; refuses what contains `bad`, and knows a message that came before."""

    seen: list[tuple[str, bytes]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        body = request.read()
        known = (request.url.path, body) in self.seen
        self.seen.append((request.url.path, body))
        if b"bad" in body:
            return httpx.Response(400, json={"error": "bad", "what": "it is bad", "do": "mend it"})
        status = "duplicate" if known else "stored"
        headers = {"x-record-id": f"r{len(self.seen)}", "x-record-status": status}
        return httpx.Response(200, text="MSA|AA|1", headers=headers)


@pytest.fixture
def desk() -> Desk:
    """A fresh one."""
    return Desk()


@pytest.fixture
def node(desk: Desk, tmp_path: Path) -> Node:
    """A client whose wire ends at the desk."""
    token = tmp_path / "token"
    token.write_text("secret")
    made = Node("http://node.example", token, tmp_path)
    made._client = httpx.Client(transport=httpx.MockTransport(desk), base_url="http://node.example")
    return made


def test_batch_and_folder_are_sent_in_order(
    node: Node, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line an input; FHIR goes to /fhir; what came before is a duplicate and no failure."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.hl7").write_bytes(b"one\ntwo\none")
    (folder / "b.json").write_bytes(b"{}")
    (folder / "c.pdf").write_bytes(b"no")

    ingest([folder], node, lines_of)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(Path(line["input"]).name, line["status"]) for line in lines] == [
        ("a.hl7#1", "stored"), ("a.hl7#2", "stored"), ("a.hl7#3", "duplicate"),
        ("b.json", "stored"),
    ]  # fmt: skip
    assert [line["ack"] for line in lines] == ["MSA|AA|1"] * 3 + [""]
    assert [path for path, _ in desk.seen] == ["/hl7v2"] * 3 + ["/fhir"]


def test_refused_message_leaves_its_neighbours(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its line holds the node's own words, and the exit code is 1."""
    (tmp_path / "a.hl7").write_bytes(b"bad\ntwo")

    with pytest.raises(typer.Exit) as stop:
        ingest([tmp_path / "a.hl7"], node, lines_of)

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert stop.value.exit_code == 1
    assert (first["status"], first["ack"]) == ("refused", "it is bad (/hl7v2) - mend it")
    assert second["status"] == "stored"


def test_path_that_is_not_there_is_refused(node: Node, tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(BridgeError, match="there is no such file or folder"):
        ingest([tmp_path / "none"], node, lines_of)
