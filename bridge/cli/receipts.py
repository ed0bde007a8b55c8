"""Many receipts from a running node into a folder, with progress: of records, a period, a patient.

What they prove is fetched with them where it is asked for, and always for a patient.

A file that is there is not fetched again, so a run that was cut off is simply started again; but a
receipt without anchors is, and gets what the log has been anchored by since.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from rich.console import Console
from rich.progress import track

from bridge.cli.node import Node
from bridge.cli.receipt import wait_for
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.receipt import Receipt, encode_receipt, parse_receipt
from bridge.core.proof.upgrade import upgraded
from bridge.durable import replace_file

__all__ = ["Wanted", "fetch_receipts"]

PAGE = "1000"
_ID = re.compile(r"(?!\.)[A-Za-z0-9.\-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which receipts; all that is given is fetched."""

    records: Sequence[str] = ()
    patient: str = ""
    since: str = ""
    until: str = ""
    documents: bool = False
    """The bundle of each record and the message as it was received, too."""
    wait: str | None = None
    """Stage that each record is waited for; a patient's versions are taken as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file of the folder and where it comes from."""

    name: str
    path: str
    record: str = ""
    """Whose receipt it is."""


def fetch_receipts(node: Node, wanted: Wanted, folder: Path) -> int:
    """Write every receipt, with what it proves where that is wanted; how many were missing.

    A record that is not yet under a checkpoint is counted and named on standard error.

    Raises:
        BridgeError: what the node says to anything else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [*_of_records(node, wanted), *(_of_patient(node, wanted.patient))]
    progress = Console(file=sys.stderr)
    late = 0
    for file in track(files, "receipts", console=progress, disable=not progress.is_terminal):
        if wanted.wait is not None and file.record:
            wait_for(node, file.record, wanted.wait)
        late += _fetch(node, file, folder)
    return late


def _fetch(node: Node, file: _File, folder: Path) -> int:
    target = folder / file.name
    old = _unanchored(target)
    if target.exists() and old is None:
        return 0
    try:
        data = node.get(file.path).content
    except BridgeError as error:
        if error.code != "record-not-sequenced":
            raise
        sys.stderr.write(f"{file.name}: not under a checkpoint yet\n")
        return 1
    if old is not None:
        data = encode_receipt(upgraded(old, parse_receipt(data)))
    replace_file(target, data, mode=0o644)
    return 0


def _unanchored(target: Path) -> Receipt | None:
    """A receipt that is there already and waits for its anchors."""
    if not target.exists() or not target.name.endswith(".receipt.json"):
        return None
    try:
        receipt = parse_receipt(target.read_bytes())
    except BridgeError:
        return None  # not ours to replace
    return None if receipt.anchors else receipt


def _of_records(node: Node, wanted: Wanted) -> Iterator[_File]:
    for record in wanted.records:
        yield from _record_files(record, wanted)
    if not wanted.since and not wanted.until:
        return
    period = {"from": wanted.since, "to": wanted.until}
    for row in node.records(count=PAGE, **period):
        yield from _record_files(row["record"], wanted)


def _record_files(record: str, wanted: Wanted) -> Iterator[_File]:
    name = _id(record)
    yield _File(name=f"{name}.receipt.json", path=f"/records/{name}/receipt", record=name)
    if wanted.documents:
        yield _File(name=f"{name}.bundle.json", path=f"/records/{name}/bundle")
        yield _File(name=f"{name}.source", path=f"/records/{name}/source")


def _id(text: str) -> str:
    """An id as a part of file names and paths: it leads nowhere else."""
    if not _ID.fullmatch(text):
        raise BridgeError(
            "id-form",
            Fault.SENDER,
            what="an id has 1 to 64 letters, digits, hyphens and points",
            where=f"{text[:64]!r}",
            do="take it from X-Record-Id, GET /records or the resource",
        )
    return text


def _of_patient(node: Node, patient: str) -> Iterator[_File]:
    """Every version that `$everything` serves, each with its receipt."""
    query: dict[str, str] | None = {} if patient else None
    while query is not None:
        answer = node.get(f"/fhir/Patient/{_id(patient)}/$everything", **query).json()
        for entry in answer.get("entry", ()):
            body = entry["resource"]
            kind, name = _id(body["resourceType"]), _id(body["id"])
            version = _id(body["meta"]["versionId"])
            path = f"/fhir/{kind}/{name}/_history/{version}"
            name = f"{kind}-{name}-{version}"
            yield _File(name=f"{name}.json", path=path)
            yield _File(name=f"{name}.receipt.json", path=f"{path}/$receipt")
        following = [link["url"] for link in answer["link"] if link["relation"] == "next"]
        # Its parameters alone: the token goes to the node that the caller named, nowhere else.
        query = dict(parse_qsl(urlsplit(following[0]).query)) if following else None
