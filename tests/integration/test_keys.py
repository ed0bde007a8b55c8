"""A log that changes its key: what was proved before stays proved, and the change is on the log."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bridge.core.ids import RecordId
from bridge.core.log.note import SignedNote, SigningKey, VerifierKey
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import LogKey, Trust
from bridge.core.proof.verify import verify
from bridge.flows.issue import EventRef, issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.settings import load
from tests.fakes.bundles import bundle, patient
from tests.fakes.dialect import LineDialect, line
from workers.commands.keys import commands
from workers.wiring import Services

ORIGIN = "log.example/rotating"


class _Node:
    """A node on a real database, whose every command is a fresh process's."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.environment = {
            "FHIR_ANCHOR__DATA": str(folder),
            "FHIR_ANCHOR__STORE__URL": url,
            "FHIR_ANCHOR__LOG__ORIGIN": ORIGIN,
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        node = self.services()
        self.begun = node.clock.now()
        node.prepare()
        node.database.close()

    def services(self) -> Services:
        """As a process finds them at its start."""
        return Services(load(environment=self.environment))

    def keys(self, command: str) -> list[str]:
        """The lines that the command prints."""
        done = CliRunner().invoke(commands, [command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    def seal(self, number: int) -> tuple[RecordId, bytes]:
        """One record under a checkpoint."""
        node, raw = self.services(), line(str(number), bundle=bundle(patient("a")))
        (got,) = receive(
            [Inbound(raw=raw, feed="f", number=number)],
            dialect=LineDialect(),
            intake=node.intake,
            clock=node.clock,
            entropy=node.entropy,
        )
        sequence(book=node.book, signer=node.signer, clock=node.clock, origin=ORIGIN)
        node.database.close()
        return got.record, raw

    def receipt(self, subject: RecordId | EventRef) -> bytes:
        """As it is issued now."""
        node = self.services()
        made = issue(subject, evidence=node.evidence, book=node.book)
        node.database.close()
        return made


def _trust(*keys: str) -> Trust:
    return Trust(logs=tuple(LogKey(origin=ORIGIN, key=VerifierKey.parse(key)) for key in keys))


@pytest.fixture
def node(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> _Node:
    """Nothing sealed yet."""
    return _Node(tmp_path, database_url, monkeypatch)


def test_receipts_verify_after_rotation_and_the_change_is_proved(node: _Node) -> None:
    """Before, between and after, by the keys that `keys show` gives; old receipts for ever."""
    (old,) = node.keys("show")
    first, first_raw = node.seal(1)
    early = node.receipt(first)
    (new,) = node.keys("rotate")
    second, second_raw = node.seal(2)
    retired = node.keys("retire")
    third, third_raw = node.seal(3)
    keys, head = (new, old), _size(node.receipt(second))

    assert (retired, node.keys("show")) == ([old], [new, f"{old} until {head}"])
    for receipt, raw in (
        (early, first_raw),
        (node.receipt(first), first_raw),
        (node.receipt(second), second_raw),
        (node.receipt(third), third_raw),
    ):
        assert verify(receipt, raw, trust=_trust(*keys)).verdict is Verdict.UNCHANGED
        assert verify(receipt, raw, trust=_own(node)).verdict is Verdict.UNCHANGED
    assert verify(early, first_raw, trust=_trust(old)).verdict is Verdict.UNCHANGED
    assert verify(node.receipt(second), second_raw, trust=_trust(old)).verdict is Verdict.UNCHANGED
    assert (
        verify(node.receipt(third), third_raw, trust=_trust(old)).verdict is not Verdict.UNCHANGED
    )
    said = [(one["action"], one["key"]) for one in _events(node)]
    assert sorted(said) == sorted([("added", old), ("added", new), ("retired", old)])


def test_thief_of_a_retired_key_signs_no_new_head(node: _Node) -> None:
    """He signs what the log itself signed since, and nobody with today's trust file takes it."""
    stolen = SigningKey.parse(node.services().key_file.read_text().splitlines()[-1])
    node.seal(11)
    before = node.services().signer
    node.keys("rotate")
    node.keys("retire")
    record, raw = node.seal(12)
    receipt = json.loads(node.receipt(record))
    head, _, note = receipt["tlog_proof"].partition("\n\n")
    text = note.partition("\n\n")[0].encode() + b"\n"
    forged = SignedNote(text=text, signatures=(stolen.sign(text),)).encode().decode()
    receipt["tlog_proof"] = f"{head}\n\n{forged}"

    report = verify(json.dumps(receipt).encode(), raw, trust=_own(node))

    assert report.verdict is Verdict.CHANGED
    assert "was retired when the log had" in next(c.detail for c in report.checks if c.id == 4)
    assert stolen.verifier.encode() not in before.verifier_keys[:1], "a process from before"


def _own(node: _Node) -> Trust:
    """What the node's trust file says of its log."""
    return Trust(logs=node.services().signer.log_keys)


def _size(receipt: bytes) -> int:
    return int(json.loads(receipt)["tlog_proof"].partition("\n\n")[2].split("\n")[1])


def _events(node: _Node) -> list[dict[str, str]]:
    """The key events of this node, each proved by its receipt; the database has seen others."""
    services = node.services()
    with services.database.unit():
        rows = services.database.connection.execute(
            text("SELECT id, body FROM log_event WHERE kind = 3 AND at >= :begun ORDER BY at"),
            {"begun": node.begun},
        ).all()
    services.database.close()
    for row in rows:
        report = verify(node.receipt(EventRef(id=row.id)), bytes(row.body), trust=_own(node))
        assert report.verdict is Verdict.UNCHANGED
    return [json.loads(bytes(row.body)) for row in rows]
