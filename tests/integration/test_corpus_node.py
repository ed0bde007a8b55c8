"""Published samples through the doors of a real node: accepted, served as written, proved."""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.hl7v2.batch import split
from bridge.core.proof.report import Verdict
from bridge.core.record.bundle import Json
from bridge.core.record.canon import parse
from tests.scenarios.engine import Letter, MllpDoor
from tests.scenarios.node import NIGHTLY, Node

KINDS = {"ADT_A01", "ADT_A03", "ADT_A04", "ADT_A08", "ORU_R01"}
PIPELINED = 32
EVERY = 1 if NIGHTLY else 12
"""Of the US Core examples, the receipts of messages, and the resources of a large transaction."""
LARGEST_BYTES = 64 * 1024 * 1024 if NIGHTLY else 280_000
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T.+)?)?)?").fullmatch
OUTCOME = re.compile(rb"\rMSA\|(A[AER])\|([^|\r]*)")


def _messages(shared: Path) -> list[bytes]:
    """Every distinct message of the kinds that are mapped whole."""
    corpus = shared / "corpus"
    with (corpus / "INDEX.csv").open() as index:
        rows = [row for row in csv.DictReader(index) if KINDS & set(row["types"].split(";"))]
    found: dict[bytes, None] = {}
    for row in rows:
        for part in split((corpus / row["repo"] / row["path"]).read_bytes()).messages:
            found[_original_mode(part)] = None
    return list(found)


def _original_mode(raw: bytes) -> bytes:
    """Without MSH-15 and MSH-16: each message then has exactly one answer."""
    head, end, rest = raw.partition(b"\r")
    fields = head.split(head[3:4])
    fields[14:16] = [b""] * len(fields[14:16])
    return head[3:4].join(fields) + end + rest


def test_every_adt_and_oru_is_accepted_or_refused_with_reasons(node: Node, shared: Path) -> None:
    """Over MLLP each message is AA, or is in quarantine under a code and a place."""
    feed = _messages(shared)

    answers: list[bytes] = []
    with closing(MllpDoor(node.mllp)) as door:
        for first in range(0, len(feed), PIPELINED):
            group = feed[first : first + PIPELINED]
            letters = [Letter(control="", patient="", step=0, raw=raw) for raw in group]
            answers += door.send(letters)

    assert len(answers) == len(feed) > 500
    refused = [answer for answer in answers if b"\rMSA|AA|" not in answer]
    assert len(refused) < len(feed) / 20
    assert all(OUTCOME.search(answer) and b"\rERR|" in answer for answer in refused)
    rows = node.wait_final(within_s=90)
    for row in rows[::EVERY]:
        assert node.verify(*node.proof(row["record"])).verdict is Verdict.UNCHANGED, row


def test_synthea_transactions_are_served_as_written(node: Node, shared: Path) -> None:
    """Each patient's history: every digit and every time zone comes back, and the record proves."""
    folder = shared / "fhir-samples" / "synthea-r4-transactions"
    files = [file for file in folder.glob("*.json") if file.stat().st_size < LARGEST_BYTES]
    assert len(files) > 3

    records = []
    with node.client() as client:
        for file in sorted(files):
            sent: Any = parse(file.read_bytes())
            said = _post(client, "/fhir", file.read_bytes(), 200)
            records.append(said.headers["x-record-id"])
            answered = said.json()["entry"]
            assert len(answered) == len(sent["entry"])
            for before, after in list(zip(sent["entry"], answered, strict=True))[::EVERY]:
                _served(client, before["resource"], after["response"]["location"])

    _prove(node, records)


def test_us_core_examples_are_served_as_written(node: Node, shared: Path) -> None:
    """Each example, created by its type."""
    files = sorted((shared / "fhir-samples" / "us-core-9-examples").glob("*.json"))[::EVERY]
    assert len(files) > 10

    records = []
    with node.client() as client:
        for file in files:
            resource: Any = parse(file.read_bytes())
            said = _post(client, f"/fhir/{resource['resourceType']}", file.read_bytes(), 201)
            records.append(said.headers["x-record-id"])
            _served(client, resource, said.headers["location"])

    _prove(node, records)


def _post(client: httpx.Client, path: str, body: bytes, status: int) -> httpx.Response:
    said = client.post(path, content=body, headers={"Content-Type": "application/fhir+json"})
    assert said.status_code == status, said.text[:2000]
    return said


def _served(client: httpx.Client, before: Json, location: str) -> None:
    """The version at this location has every number and date of what was sent, digit by digit."""
    path = location if "://" in location else f"/fhir/{location.removeprefix('/fhir/')}"
    said = client.get(path)
    assert said.status_code == 200, said.text
    wanted, got = dict(_literals(before, "")), dict(_literals(parse(said.content), ""))
    assert {path: got.get(path) for path in wanted} == wanted, location


def _literals(value: Json, path: str) -> Iterator[tuple[str, bytes]]:
    """Numbers and dates by their path; `meta` is the server's."""
    match value:
        case dict():
            for name, part in value.items():
                if (path, name) != ("", "meta"):
                    yield from _literals(part, f"{path}.{name}")
        case list():
            for number, part in enumerate(value):
                yield from _literals(part, f"{path}[{number}]")
        case str() if DATE(value):
            yield path, value.encode()
        case msgspec.Raw():
            yield path, bytes(value)
        case _:
            return


def _prove(node: Node, records: list[str]) -> None:
    node.wait_final(within_s=90)
    for record in records:
        assert node.verify(*node.proof(record)).verdict is Verdict.UNCHANGED, record


@pytest.fixture(scope="module", autouse=True)
def _whole(node: Node) -> Iterator[None]:
    """After everything: the log and the database are what they must be."""
    yield
    assert "clean" in node.audit()
    assert "clean" in node.fsck()
