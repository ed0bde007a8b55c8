"""`fhir-anchor demo`: the story of the product on embedded parts, with real figures."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.hl7v2.mllp import Frame, Framer, frame
from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault
from bridge.settings import load
from bridge.store.backlog import count_resources
from bridge.store.database import Database
from bridge.store.rewrite import rewrite_history
from workers.demo_feed import fhir_bundle, messages
from workers.places import TRUST_FILE
from workers.up import Running, running

__all__ = ["Story", "run"]

FINAL_WITHIN_S = 60.0
"""Projection, a checkpoint, an anchor and its evidence take about ten seconds on two cores."""


@dataclass(slots=True)
class Story:
    """What happened, in figures; the object of `demo --json`."""

    messages: int = 0
    records: int = 0
    resources: int = 0
    checkpoint_size: int = 0
    root: str = ""
    chain_id: int = 0
    contract: str = ""
    tx: str = ""
    verified: bool = False
    tamper_detected: bool = False
    rewrite_detected: bool = False
    seconds: float = 0.0


Say = Callable[[str], None]


def run(data: Path | None, *, as_json: bool) -> None:
    """Tell the story in a fresh folder, which is kept when it was named.

    Raises:
        BridgeError: `demo-folder` when the named folder is in use; `demo-failed` when a step did
            not end as it must.
    """
    say: Say = (lambda _: None) if as_json else _print
    started = time.monotonic()
    with _folder(data) as folder:
        story = _tell(folder, say)
        story.seconds = round(time.monotonic() - started, 1)
        if as_json:
            _print(json.dumps(asdict(story)))
        else:
            _where_next(folder if data else None, story, say)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is None:
        with tempfile.TemporaryDirectory(prefix="fhir-anchor-demo-") as made:
            yield Path(made)
        return
    if data.exists() and any(data.iterdir()):
        raise BridgeError(
            "demo-folder",
            Fault.OPERATOR,
            what="the folder is not empty",
            where=str(data),
            do="name a fresh folder; a demo ends with a rewritten history",
        )
    data.mkdir(parents=True, exist_ok=True)
    yield data.resolve()


def _tell(folder: Path, say: Say) -> Story:
    overrides: dict[str, object] = {
        "data": folder,
        "http.port": 0,
        "mllp.port": 0,
        "log.origin": "demo.fhir-anchor.invalid/log",
        "log.max_age_s": 1.0,
        "anchor.every_s": 1.0,
        "anchor.watch_s": 1.0,
    }
    say("Starting PostgreSQL, a local chain, the API, the MLLP door, a Celery worker and its beat.")
    with running(load(environment={}, overrides=overrides)) as place:
        say(f"  serving at {place.http} and mllp://{place.mllp}, chain at {place.chain}")
        story = Story()
        database = Database(place.store, pool_size=1)
        with Node(place.http, None, folder) as node, closing(database):
            record = _feed(place, node, story, say)
            _wait_until_final(node)
            story.resources = count_resources(database)
            _anchored(node, record, story, say)
            _prove(folder, place, node, record, story, say)
            rewrite_history(database, record)
            _audit(folder, place, story, say)
    return story


def _feed(place: Running, node: Node, story: Story, say: Say) -> str:
    """Most messages by MLLP, the last stay by HTTP, one FHIR transaction; the first record's id."""
    feed = list(messages())
    by_mllp, by_http = feed[:-4], feed[-4:]
    acks = _send_mllp(place.mllp, by_mllp)
    refused = [ack for ack in acks if b"MSA|AA|" not in ack]
    _must(not refused, f"{len(refused)} of {len(by_mllp)} MLLP messages were not accepted")
    for message in by_http:
        node.post("/hl7v2", message, "application/hl7-v2")
    node.post("/fhir", fhir_bundle(), "application/fhir+json")
    story.messages = len(feed) + 1
    say(
        f"A hospital sent {len(by_mllp)} HL7v2 messages over MLLP, {len(by_http)} over HTTP and a "
        "FHIR transaction; each was acknowledged after it was durable."
    )
    found = node.get("/records", count="1000").json()["records"]
    story.records = len(found)
    return str(found[-1]["record"])


def _wait_until_final(node: Node) -> None:
    limit = time.monotonic() + FINAL_WITHIN_S
    while True:
        rows = node.get("/records", count="1000").json()["records"]
        waiting = [row for row in rows if row["status"] != "final" or row["projected"] is None]
        if not waiting:
            return
        _must(time.monotonic() < limit, f"{len(waiting)} records are not final yet")
        time.sleep(0.2)


def _anchored(node: Node, record: str, story: Story, say: Say) -> None:
    origin, size, root = node.get("/log/checkpoint").text.splitlines()[:3]
    anchor = node.get(f"/records/{record}").json()["anchors"][-1]
    story.checkpoint_size, story.root = int(size), root
    story.chain_id = int(anchor["chain"].removeprefix("eip155:"))
    story.contract, story.tx = anchor["contract"], anchor["tx"]
    say(
        f"{story.records} records became {story.resources} FHIR resources. The log {origin} has "
        f"{story.checkpoint_size} leaves under root {story.root}"
    )
    say(
        f"  anchored on chain {story.chain_id} by transaction {story.tx} at contract "
        f"{story.contract} (a chain of this machine: no evidence to anybody else)"
    )


def _prove(folder: Path, place: Running, node: Node, record: str, story: Story, say: Say) -> None:
    receipt, document = folder / "record.receipt.json", folder / "record.bundle.json"
    receipt.write_bytes(node.get(f"/records/{record}/receipt").content)
    document.write_bytes(node.get(f"/records/{record}/bundle").content)
    code, report = _verify(folder, place, receipt, document)
    story.verified = code == 0 and report["verdict"] == "unchanged"
    _must(story.verified, f"the record did not verify: {report}")
    say(
        f"Another process, with only receipt, document and the chain's URL, says: "
        f"{report['verdict']}, level {report['level']}, existed by {report['existed_by']}."
    )
    changed = folder / "changed.bundle.json"
    changed.write_bytes(document.read_bytes().replace(b"Lindqvist", b"Lindquist", 1))
    code, report = _verify(folder, place, receipt, changed)
    failed = [check for check in report["checks"] if check["ok"] is False]
    story.tamper_detected = code == 1 and report["verdict"] == "changed"
    _must(story.tamper_detected, f"a changed byte was not noticed: {report}")
    say(
        f"One byte of the document is changed: {report['verdict']}. Check {failed[0]['id']}, "
        f"{failed[0]['name']}: {failed[0]['detail']}"
    )


def _audit(folder: Path, place: Running, story: Story, say: Say) -> None:
    where = ("--url", place.http, "--rpc", place.chain, "--data", str(folder))
    done = _command("audit", *where)
    story.rewrite_detected = done.returncode == 1
    _must(story.rewrite_detected, f"the rewritten history was not noticed: {done.stdout}")
    say("The operator rewrites that record, its leaf and its tile in the database. The auditor:")
    for line in done.stdout.splitlines()[:3]:
        say(f"  {line}")


def _where_next(folder: Path | None, story: Story, say: Say) -> None:
    say(f"Done in {story.seconds} s. Next:")
    say("  make up                      a node that stays, at http://127.0.0.1:8080/docs")
    say("  fhir-anchor ingest FOLDER    send your own messages to it")
    if folder:
        say(
            f"  fhir-anchor verify {folder}/record.receipt.json {folder}/record.bundle.json "
            f"--trust {folder}/{TRUST_FILE}"
        )
    else:
        say("  fhir-anchor demo --data DIR  keeps receipt, document and trust file to verify again")


def _verify(
    folder: Path, place: Running, receipt: Path, document: Path
) -> tuple[int, dict[str, Any]]:
    trust = ("--trust", str(folder / TRUST_FILE))
    done = _command("verify", str(receipt), str(document), "--rpc", place.chain, *trust, "--json")
    _must(bool(done.stdout), f"verify said nothing: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def _command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "workers.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def _send_mllp(address: str, feed: list[bytes]) -> list[bytes]:
    """All messages on one connection, pipelined; one acknowledgement each."""
    host, _, port = address.rpartition(":")
    framer, acks = Framer(), list[bytes]()
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"".join(frame(message) for message in feed))
        while len(acks) < len(feed):
            data = connection.recv(65536)
            _must(bool(data), "the MLLP door closed the connection early")
            acks += [event.payload for event in framer.feed(data) if isinstance(event, Frame)]
    return acks


def _must(held: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion
    if not held:
        raise BridgeError(
            "demo-failed",
            Fault.US,
            what=otherwise,
            where="demo",
            do="run it again with --data DIR and read DIR/logs",
        )


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
