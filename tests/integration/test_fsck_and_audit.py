"""What `fsck` and `audit` say of a node after each thing that an operator may do to it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bridge.chain.opentimestamps import OpenTimestamps
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.flows.check import fetch_from
from bridge.flows.stamp import stamp
from bridge.ports.chain import Fees, Payload
from bridge.store.schema import metadata
from bridge.store.stamps import PostgresStamps
from bridge.telemetry import Metrics
from tests.integration.chained import Log, Network, on_devchain
from tests.stamping import Calendar, calendars, serving
from workers.health import Watchman
from workers.main import app
from workers.places import TRUST_FILE

__all__ = ["calendars", "on_devchain"]

UNSEEN = {
    "version": "for workers that race",
    "round": "which one won, the chain says",
    "planned": "our own clock",
    "sent": "our own clock",
    "reason": "a note for people",
    "gas_used": "what it cost",
    "cost_wei": "what it cost",
}
"""Columns of an attempt that nothing proves, as `tests/faults/test_every_column.py` says."""


@pytest.fixture
def log(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Log:
    """A log whose contract is deployed."""
    made = Log(on_devchain, tmp_path, database_url, monkeypatch)
    made.contract("deploy")
    return made


@pytest.fixture
def posting(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Log:
    """A log whose heads stand in calldata."""
    return Log(on_devchain, tmp_path, database_url, monkeypatch, form="calldata")


def _said(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words], catch_exceptions=False)
    return done.exit_code, done.output


def _fsck() -> tuple[int, str]:
    return _said("fsck")


def _audit(log: Log) -> tuple[int, str]:
    """The command, by the trust file of the node, over HTTP and the chain."""
    node = log.services()
    read = fetch_from(node.book)

    def answer(_method: str, path: str, _body: bytes) -> tuple[int, bytes]:
        (found,) = read([path.removeprefix("/log/")])
        return (200, found) if found is not None else (404, b"")

    try:
        with serving(answer) as url:
            return _said("audit", "--url", url, "--rpc", log.network.url)
    finally:
        node.database.close()


def _run(log: Log, statement: str, **values: object) -> Any:
    node = log.services()
    try:
        with node.database.unit():
            found = node.database.connection.execute(text(statement), values)
            return found.all() if found.returns_rows else None
    finally:
        node.database.close()


def _assert_clean(log: Log, heads: int) -> None:
    """Neither accuses, and the auditor compared so many heads."""
    code, said = _fsck()
    assert (code, said.startswith("clean: ")) == (0, True), said
    code, said = _audit(log)
    assert (code, f", {heads} anchored heads compared\n" in said) == (0, True), said


def test_calldata_alone_is_clean_and_the_auditor_says_that_it_compared_nothing(
    posting: Log,
) -> None:
    """No list of heads exists there: `clean` must not sound as if the chain had been asked."""
    posting.sealed()
    posting.sealed()

    _assert_clean(posting, heads=0)
    _, said = _audit(posting)
    assert "your trust file pins no contract of this log" in said


def test_every_column_of_a_calldata_anchor_is_checked(posting: Log) -> None:
    """Changed one by one, as the contract's are in `tests/faults`."""
    posting.sealed()
    posting.sealed()
    (row,) = _run(posting, "SELECT * FROM anchor_attempt ORDER BY id DESC LIMIT 1")
    columns = row._mapping

    silent = {
        name
        for name, value in columns.items()
        if value is not None and not _named(posting, row.id, name, value)
    }

    assert silent == {name for name in UNSEEN if columns[name] is not None}


@pytest.mark.parametrize("form", ["log", "posting"])
def test_every_part_of_stored_evidence_is_checked(
    form: str, request: pytest.FixtureRequest
) -> None:
    """Receipts carry it word for word: what would make them fail, fsck finds first."""
    log: Log = request.getfixturevalue(form)
    log.sealed()
    ((number, evidence),) = _run(log, "SELECT id, evidence FROM anchor_attempt")
    parts = json.loads(evidence)

    silent = {
        name
        for name, value in parts.items()
        if not _lie_is_named(log, number, json.dumps(parts | {name: _other_part(value)}).encode())
    }
    _put(log, number, "evidence", evidence)

    assert silent == {"finality"}, "a word of the chain's row, which a verifier's trust file has"
    assert _fsck()[0] == 0


def _lie_is_named(log: Log, number: int, evidence: bytes) -> bool:
    _put(log, number, "evidence", evidence)
    return _fsck()[0] == 1


def _other_part(value: Any) -> Any:
    """Still well formed: another last digit, proof or word."""
    if value == "instant":
        return "finalized"
    if isinstance(value, list):
        return [_other_part(value[0]), *value[1:]]
    if isinstance(value, str):
        at = -2 if value.endswith("Z") else -1
        return value[:at] + ("0" if value[at] != "0" else "1") + value[at:][1:]
    return value + 1


def _named(log: Log, number: int, name: str, value: Any) -> bool:
    try:
        _put(log, number, name, _other(value))
    except BridgeError:
        return True  # the table itself refuses it
    code, _ = _fsck()
    _put(log, number, name, value)
    return code == 1


def _put(log: Log, number: int, name: str, value: object) -> None:
    _run(
        log,
        f'UPDATE anchor_attempt SET "{name}" = :value WHERE id = :id',  # noqa: S608
        value=value,
        id=number,
    )


def _other(value: Any) -> object:
    """Another value of the same type."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    return value - timedelta(days=1) if hasattr(value, "year") else value + 1_009


def test_keys_and_contracts_that_changed_accuse_nobody(log: Log) -> None:
    """Rotated, told, retired, succeeded: clean each time, and all receipts by the last trust."""
    papers = []

    def step() -> None:
        record, raw = log.sealed()
        papers.append((log.receipt(record), raw))
        _assert_clean(log, heads=len(papers))

    step()
    log.rotate("rotate")
    step()
    log.contract("change-key")
    step()
    log.rotate("retire")
    step()
    log.contract("succeed")
    _assert_clean(log, heads=len(papers))
    step()
    trust = parse_trust((log.folder / TRUST_FILE).read_bytes())
    assert [one.until is None for one in trust.logs] == [True, False], "the retired key stays"
    for receipt, raw in papers:
        assert verify(receipt, raw, trust=trust).verdict is Verdict.UNCHANGED


def test_auditor_names_a_thiefs_head_and_fsck_does_not(log: Log) -> None:
    """It stands on the chain and in no log of ours: the operator changed nothing that is stored."""
    log.sealed()
    thief = log.services().chain
    junk = Payload(
        prev_root=thief.view().head.root, size=TreeSize(10**6), root=Digest(b"\x66" * 32)
    )
    fees = Fees(max_fee_wei=10**10, tip_wei=1)
    thief.send(thief.sign(junk, nonce=thief.view().nonce, gas=90_000, fees=fees).raw)

    assert _fsck()[0] == 0
    code, said = _audit(log)
    assert (code, "log-behind: " in said) == (1, True), said


def test_promise_of_a_stamp_that_is_open_kept_or_never_kept_accuses_nobody(
    posting: Log, calendars: tuple[Calendar, Calendar]
) -> None:
    """And a state that the proof does not have is named, both ways."""
    posting.sealed()
    _stamp(posting, calendars)
    assert _fsck()[0] == 0
    _run(posting, "UPDATE stamp SET state = 'complete'")
    assert _fsck()[0] == 1
    _run(posting, "UPDATE stamp SET state = 'pending'")
    calendars[0].failing = calendars[1].failing = True
    _stamp(posting, calendars)
    assert _fsck()[0] == 0, "a calendar that is gone leaves the promise open for ever"

    calendars[0].failing = False
    calendars[0].mine()
    _stamp(posting, calendars)

    assert _run(posting, "SELECT state FROM stamp") == [("complete",)]
    assert _fsck()[0] == 0
    _run(posting, "UPDATE stamp SET state = 'pending'")
    assert _fsck()[0] == 1


def _stamp(log: Log, calendars: tuple[Calendar, Calendar]) -> None:
    """A fresh process's turn: no calendar is let alone for having failed."""
    node = log.services()
    stamp(
        book=node.book,
        stamps=PostgresStamps(node.database),
        stamper=OpenTimestamps([one.url for one in calendars]),
        clock=node.clock,
        every=timedelta(hours=1),
    )
    node.database.close()


@pytest.mark.parametrize("form", ["log", "posting"])
def test_restored_older_copy_is_not_signed_upon_and_readiness_says_so(
    form: str, request: pytest.FixtureRequest
) -> None:
    """It agrees with itself, so fsck is clean; the sequencer, the auditor and readyz are not.

    However young the copy: no beat came between the last checkpoint and the restore.
    """
    log: Log = request.getfixturevalue(form)
    log.sealed()
    _copy(log, TABLES, "backup.")
    log.sealed()
    assert _readiness(log) == (True, "2 leaves under the newest checkpoint")

    _copy(log, TABLES, "", source="backup.")

    with pytest.raises(BridgeError, match="the independent head has 2 leaves") as refused:
        log.beat()
    assert refused.value.code == "log-behind"
    well, said = _readiness(log)
    assert not well
    assert "the independent head has 2 leaves, the stored log has 1" in said
    assert _fsck()[0] == 0
    if form == "log":
        code, said = _audit(log)
        assert (code, "log-behind: " in said) == (1, True), said


TABLES = tuple(table.name for table in metadata.sorted_tables)


def _copy(log: Log, tables: tuple[str, ...], to: str, *, source: str = "") -> None:
    """What a backup holds, and all of it back."""
    if to:
        _run(log, "DROP SCHEMA IF EXISTS backup CASCADE")
        _run(log, "CREATE SCHEMA backup")
        for name in tables:
            _run(log, f'CREATE TABLE {to}"{name}" AS SELECT * FROM "{name}"')  # noqa: S608
        return
    _run(log, f"TRUNCATE {', '.join(tables)}")
    for name in tables:
        _run(
            log,
            f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE SELECT * FROM {source}"{name}"',  # noqa: S608
        )
    _run(log, "DROP SCHEMA backup CASCADE")


def _readiness(log: Log) -> tuple[bool, str]:
    """The part `log` of `/readyz`, and the beginning of its words."""
    node = log.services()
    try:
        found = Watchman(node, Metrics()).look()["log"]
    finally:
        node.database.close()
    return found.ok, found.detail.split(",")[0] if found.ok else found.detail
