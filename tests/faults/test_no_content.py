"""Nothing of a patient stands in a log, a metric, a file beside the database, or the public log."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.scenarios.engine import Letter, MllpDoor, send_all
from tests.scenarios.node import Node, node_folder
from workers.demo_feed import PEOPLE, fhir_bundle, messages

TOKENS = (
    *(word for person in PEOPLE for word in (person.mrn, person.family, person.given, person.born)),
    *("Almeida", "Joana", "H-2231", "Mill Lane", "Pneumonia", "Penicillin", "haemolysed", "Strand"),
)
DATABASE = "cluster"
"""PostgreSQL's own folder: there the content belongs."""


@pytest.fixture(scope="module")
def fed(node: Node) -> Node:
    """A node that took the demo's feed by every door, refusals and questions included."""
    feed = list(messages())
    controls = [message.split(b"|")[9].decode() for message in feed]
    send_all(
        node.mllp,
        (
            Letter(control=control, patient="", step=0, raw=raw)
            for control, raw in zip(controls, feed, strict=True)
        ),
    )
    broken = feed[0].replace(b"ADT^A01^ADT_A01", b"ADT^Lindqvist").replace(b"|P|", b"|Lindqvist|")
    door = MllpDoor(node.mllp)
    door.send([Letter(control="", patient="", step=0, raw=broken)])
    door.close()
    with node.client() as client:
        client.post("/hl7v2", content=b"MSH|^~\\&|Lindqvist|700101\r")
        kind = {"Content-Type": "application/fhir+json"}
        client.post("/fhir", content=fhir_bundle(), headers=kind)
        wrong = fhir_bundle().replace(b'"female"', b'"Almeida"')
        client.post("/fhir", content=wrong, headers=kind)
        _ask(client)
    node.wait_final()
    return node


def _ask(client: httpx.Client) -> None:
    """Searches and a path that hold identifiers."""
    client.get("/fhir/Patient", params={"identifier": "700101"})
    client.get("/fhir/Patient", params={"family": "Lindqvist", "nonsense": "Okafor"})
    client.get("/fhir/Patient/Lindqvist")
    client.get("/records/Lindqvist")
    client.get("/Lindqvist")


def _found(text: bytes) -> set[str]:
    """Which of the feed's words stand there as words."""
    return {
        token
        for token in TOKENS
        if re.search(rb"(?<![0-9A-Za-z])%b(?![0-9A-Za-z])" % re.escape(token.encode()), text)
    }


def _files(folder: Path) -> Iterator[Path]:
    return (
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.relative_to(folder).parts[0] != DATABASE
    )


def test_no_log_and_no_file_beside_the_database_has_a_word_of_the_feed(fed: Node) -> None:
    """Logs of every process, the queue, the dev chain, the trust file; PostgreSQL's log too."""
    leaks = {file.name: _found(file.read_bytes()) for file in _files(fed.folder)}

    assert {name: words for name, words in leaks.items() if words} == {}
    assert {"api.log", "mllp.log", "worker.log", "server.log"} <= set(leaks)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/log/checkpoint"])
def test_no_public_answer_has_a_word_of_the_feed(fed: Node, path: str) -> None:
    """Counts, times and hashes."""
    said = httpx.get(fed.http + path, headers={"Authorization": f"Bearer {fed.token}"})

    assert said.status_code == 200
    assert _found(said.content) == set()


def test_no_leaf_of_the_public_log_has_a_word_of_the_feed(fed: Node) -> None:
    """Each entry is a kind and a commitment."""
    size = int(httpx.get(fed.http + "/log/checkpoint").text.split("\n")[1])

    entries = httpx.get(f"{fed.http}/log/tile/entries/000.p/{size}")

    assert size < 256
    assert entries.status_code == 200
    assert _found(entries.content) == set()


def test_a_log_would_not_hide_a_leak_from_this_test() -> None:
    """The search finds what it looks for."""
    with node_folder() as folder:
        (folder / "logs").mkdir()
        (folder / "logs" / "api.log").write_text('{"event":"Maja Lindqvist"}')

        leaks = {file.name: _found(file.read_bytes()) for file in _files(folder)}
        shutil.rmtree(folder / "logs")

    assert leaks == {"api.log": {"Maja", "Lindqvist"}}
