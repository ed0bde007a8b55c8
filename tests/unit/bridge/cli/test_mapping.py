"""`map check|explain|coverage|diff|test` against rules that are small enough to see."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer

from bridge.cli import mapping
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.record.bundle import Apply, CanonicalBundle, Finding


@dataclass(frozen=True, slots=True)
class Line:
    """A lineage."""

    row: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A file is a message."""

    messages: Sequence[bytes]
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class WordRules:
    """The bundle is a Patient whose family is the first word, in upper case for sender `loud`."""

    summary: str = "base: 1 maps"
    loud: bool = False
    unread: Sequence[str] = field(default=("PID-1", "OBX[2]-3", "OBX[3]-3"))

    def convert(self, raw: bytes) -> CanonicalBundle:
        """One Patient and its Observation."""
        if raw.startswith(b"bad"):
            raise BridgeError("bad", Fault.SENDER, what="it is bad", where="byte 0", do="mend it")
        word = raw.decode().split()[0]
        patient = {"resourceType": "Patient", "id": f"i{self.loud}", "identifier": [{"value": "7"}],
                   "name": [{"family": word.upper() if self.loud else word}]}  # fmt: skip
        result = {"resourceType": "Observation", "id": "o",
                  "subject": {"reference": f"Patient/i{self.loud}"}}  # fmt: skip
        text = json.dumps({"entry": [{"resource": patient}, {"resource": result}]})
        return CanonicalBundle(
            canonical=text.encode(), source=Digest(bytes(32)), mapping=Digest(bytes(32)),
            apply=Apply.MERGE, message_type="T", control_id="1", lanes=("l",),
        )  # fmt: skip

    def explain(self, raw: bytes, question: str) -> Sequence[Line]:
        """The question as target."""
        del raw
        return [Line("PID-5 (x.toml, line 3)", "PID-5", question)]

    def residue(self, raw: bytes) -> Sequence[str]:
        """The same for every message."""
        self.convert(raw)
        return self.unread


def rules(name: str) -> mapping.Rules:
    """`loud`, or anything but `wrong.toml`."""
    if name == "wrong.toml":
        raise BridgeError("row-as", Fault.OPERATOR, what="there is no datatype function CX.Ident",
                          where="wrong.toml, line 9", do="use CX.Identifier")  # fmt: skip
    return WordRules(summary=f"{name}: 1 maps", loud=name == "loud")


MAPPINGS = mapping.Mappings(names=("loud",), rules=rules, split=lambda data: Whole([data]),
                           check_all=lambda: None)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two messages."""
    (tmp_path / "a.hl7").write_bytes(b"doe x")
    (tmp_path / "b.hl7").write_bytes(b"ROE x")
    return tmp_path


def test_check_says_each_overlay_and_fails_on_a_wrong_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """File, line and nearest right name; the others are checked all the same."""
    with pytest.raises(typer.Exit) as stop:
        mapping.check(MAPPINGS, [Path("wrong.toml"), Path("loud")])

    assert stop.value.exit_code == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok  base: 1 maps",
        "NO  there is no datatype function CX.Ident (wrong.toml, line 9) - use CX.Identifier",
        "ok  loud: 1 maps",
    ]


def test_check_without_files_takes_the_nodes_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The shipped rules and every sender."""
    mapping.check(MAPPINGS, ())

    assert capsys.readouterr().out.splitlines() == ["ok  base: 1 maps", "ok  loud: 1 maps"]


def test_explain_gives_source_target_and_row(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two lines a row."""
    mapping.explain(MAPPINGS, folder / "a.hl7", "Patient.name", sender="")

    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["PID-5", "->", "Patient.name"]
    assert second.strip() == "row PID-5 (x.toml, line 3)"


def test_coverage_counts_messages_and_not_repetitions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """OBX[2]-3 and OBX[3]-3 are one position in one message; what is refused is told."""
    (folder / "c.hl7").write_bytes(b"bad")

    mapping.coverage(MAPPINGS, [folder], sender="")

    out, err = capsys.readouterr()
    assert out.splitlines() == ["     2 of 2  OBX-3", "     2 of 2  PID-1"]
    assert err == f"{folder}/c.hl7: it is bad (byte 0) - mend it\n"


def test_diff_says_each_fact_that_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids and references to them are no facts; a message without change is not named."""
    with pytest.raises(typer.Exit):
        mapping.diff(MAPPINGS, "base", "loud", folder=folder)

    assert capsys.readouterr().out.splitlines() == [
        f"{folder}/a.hl7",
        "- Patient(7).name[0].family = doe",
        "+ Patient(7).name[0].family = DOE",
    ]


def test_diff_of_equal_rules_is_silent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 and no output."""
    mapping.diff(MAPPINGS, "base", "base", folder=folder)

    assert capsys.readouterr().out == ""


def test_facts_beside_a_message_hold_or_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a file, a line a fact that does not hold, exit 1."""
    (folder / "a.facts").write_text("Patient.name.family = 'doe'\nPatient.name.use = 'usual'\n")
    (folder / "b.facts").write_text("Patient.name.family = 'ROE'\n")

    with pytest.raises(typer.Exit) as stop:
        mapping.test(MAPPINGS, folder, sender="")

    assert stop.value.exit_code == 1
    assert capsys.readouterr().out.splitlines() == [
        f"NO  {folder}/a.facts: 2 facts",
        "      line 2: Patient.name.use = 'usual' - found nothing",
        f"ok  {folder}/b.facts: 1 facts",
    ]


@pytest.mark.parametrize(
    ("file", "text"),
    [("", "there is no .facts file"), ("z.facts", "no message stands beside the facts")],
    ids=["no-facts", "no-message"],
)
def test_folder_that_cannot_be_tested_is_refused(folder: Path, file: str, text: str) -> None:
    """What is missing, and where to put it."""
    if file:
        (folder / file).write_text("Patient.exists()\n")

    with pytest.raises(BridgeError, match=text):
        mapping.test(MAPPINGS, folder, sender="")
