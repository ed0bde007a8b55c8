"""Many receipts at once, from a node on loopback HTTP."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.cli.node import Node
from bridge.cli.receipts import Wanted, fetch_receipts
from bridge.core.errors import BridgeError
from tests.fakes import sealed
from tests.stamping import serving

LATE = {"error": "record-not-sequenced", "what": "not yet", "do": "wait"}


class _World:
    """A node with two pages of records, one of them not sequenced, and a patient."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.receipts: dict[str, bytes] = {}

    def answer(self, _method: str, target: str, _body: bytes) -> tuple[int, bytes]:
        self.asked.append(target)
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path == "/records":
            rows = ["r2", "r3"] if "page" in query else ["r1"]
            page = None if "page" in query else "more"
            return 200, _json({"records": [{"record": row} for row in rows], "next": page})
        if path == "/fhir/Patient/p/$everything":
            kind = "Observation" if "_page" in query else "Patient"
            body = {"resourceType": kind, "id": "p", "meta": {"versionId": "2"}}
            link = {"relation": "next", "url": "http://evil.example/steal?_page=2"}
            links = [] if "_page" in query else [link]
            return 200, _json({"entry": [{"resource": body}], "link": links})
        if path in {"/records/r1", "/records/r2"}:
            return 200, _json({"status": "final"})
        if path == "/records/r3/receipt":
            return 409, _json(LATE)
        return 200, self.receipts.get(path, target.encode())


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _run(world: _World, wanted: Wanted, folder: Path) -> int:
    token = folder.parent / "token"
    token.write_text("t", "ascii")
    with serving(world.answer) as url, Node(url, token, folder) as node:
        return fetch_receipts(node, wanted, folder)


def test_period_is_fetched_page_by_page_and_late_records_are_counted(tmp_path: Path) -> None:
    """A record that is not under a checkpoint leaves no file."""
    folder = tmp_path / "out"

    late = _run(_World(), Wanted(since="2026-01-01T00:00:00Z"), folder)

    assert late == 1
    assert sorted(file.name for file in folder.iterdir()) == [
        "r1.receipt.json",
        "r2.receipt.json",
    ]


def test_documents_stand_beside_the_receipts_that_prove_them(tmp_path: Path) -> None:
    """The bundle, and the message as it was received."""
    folder = tmp_path / "out"

    _run(_World(), Wanted(records=["r1"], documents=True), folder)

    assert sorted(file.name for file in folder.iterdir()) == [
        "r1.bundle.json",
        "r1.receipt.json",
        "r1.source",
    ]
    assert (folder / "r1.source").read_bytes() == b"/records/r1/source"


def test_each_record_is_waited_for_before_its_receipt(tmp_path: Path) -> None:
    """The stage is asked of the record; a receipt fetched earlier would lack its anchor."""
    world = _World()

    _run(world, Wanted(records=["r1", "r2"], wait="final"), tmp_path / "out")

    assert world.asked == [
        "/records/r1",
        "/records/r1/receipt",
        "/records/r2",
        "/records/r2/receipt",
    ]


def test_patient_gives_each_version_with_its_receipt(tmp_path: Path) -> None:
    """The next page is asked of the same node, whatever host the link names."""
    folder = tmp_path / "out"

    _run(_World(), Wanted(patient="p"), folder)

    assert sorted(file.name for file in folder.iterdir()) == [
        "Observation-p-2.json",
        "Observation-p-2.receipt.json",
        "Patient-p-2.json",
        "Patient-p-2.receipt.json",
    ]


def test_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """What is there is not fetched again."""
    world, folder = _World(), tmp_path / "out"
    _run(world, Wanted(records=["r1", "r2"]), folder)
    before = len(world.asked)

    _run(world, Wanted(records=["r1", "r2", "r4"]), folder)

    assert world.asked[before:] == ["/records/r4/receipt"]


def test_record_id_is_no_path(tmp_path: Path) -> None:
    """A file is written where the caller said, nowhere else."""
    with pytest.raises(BridgeError, match="an id has 1 to 64 letters"):
        _run(_World(), Wanted(records=["../../etc/passwd"]), tmp_path / "out")


def test_receipt_without_anchors_gets_them_when_it_is_fetched_again(tmp_path: Path) -> None:
    """In place, and its fixed part stays; one that has some is left alone."""
    world, folder, log = _World(), tmp_path / "out", sealed.World()
    folder.mkdir()
    anchored = log.record_receipt()
    bare = sealed.dumped(anchored | {"anchors": [], "rebase": []})
    (folder / "r1.receipt.json").write_bytes(bare)
    world.receipts = {"/records/r1/receipt": sealed.dumped(anchored)}

    for _ in range(2):
        assert _run(world, Wanted(records=["r1"]), folder) == 0

    assert json.loads((folder / "r1.receipt.json").read_bytes()) == anchored
    assert world.asked == ["/records/r1/receipt"]
