"""`convert`: bundles on standard output, refusals on standard error, exit 1 at the end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from bridge.cli.convert import Converters, convert
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant
from bridge.core.record.bundle import Apply, CanonicalBundle, Finding, Severity
from bridge.ports.dialect import Envelope, Verdict

UNREADABLE = (
    "the file cannot be read: No such file or directory - check the path and its permissions"
)


@dataclass(slots=True)
class EchoDialect:
    """Says what it was given; refuses what contains `bad`."""

    name: str

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """The first word as control id."""
        return Envelope(sender=sender, message_type="T", control_id=raw.split()[0].decode())

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """An object of the text."""
        del charset
        if b"bad" in raw:
            raise BridgeError("bad", Fault.SENDER, what="it is bad", where="byte 0", do="mend it")
        value = {"by": self.name, "of": sender, "x": [{"n": 7}], "s": 'a"{,\\'}
        text = json.dumps(value, separators=(",", ":"))
        return CanonicalBundle(
            canonical=text.encode(), source=Digest(bytes(32)), mapping=Digest(bytes(32)),
            apply=Apply.MERGE, message_type="T", control_id="1", lanes=("l",),
        )  # fmt: skip

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """Not asked here."""
        del raw, verdict, at
        return b""


@dataclass(frozen=True, slots=True)
class Lines:
    """Every line a message."""

    messages: Sequence[bytes]
    findings: Sequence[Finding] = ()


def lines_of(data: bytes) -> Lines:
    """Each line is a message; a line `lost` is reported."""
    odd = Finding(code="c", severity=Severity.WARNING, where="BTS-1", text="one is lost")
    return Lines(data.splitlines(), (odd,) if b"lost" in data else ())


PARTS = Converters(
    hl7v2=EchoDialect("hl7v2"),
    fhir=EchoDialect("fhir"),
    split=lines_of,
    residue=lambda raw, sender: [f"{raw.decode()}-1", sender],
    documents=lambda raw, _sender: [(f"{raw.decode()}.pdf", raw)],
)


def run(
    files: list[Path],
    *,
    residue: bool = False,
    pretty: bool = False,
    documents: Path | None = None,
) -> int:
    """The exit code."""
    try:
        convert(files, PARTS, sender="lab", residue=residue, pretty=pretty, documents=documents)
    except typer.Exit as stop:
        return stop.exit_code
    return 0


def test_each_message_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch file gives a bundle a message; a JSON file goes to the FHIR dialect."""
    (tmp_path / "a.hl7").write_bytes(b"one\ntwo")
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf \n{}")

    code = run([tmp_path / "a.hl7", tmp_path / "b.json"])

    made = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [(one["by"], one["of"]) for one in made] == [
        ("hl7v2", "lab"), ("hl7v2", "lab"), ("fhir", "lab"),
    ]  # fmt: skip


def test_refused_message_leaves_its_neighbours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says file, message, what, where and what to do; the exit code is 1."""
    batch = tmp_path / "a.hl7"
    batch.write_bytes(b"one\nbad\nthree")

    code = run([tmp_path / "none.hl7", batch])

    out, err = capsys.readouterr()
    assert code == 1
    assert len(out.splitlines()) == 2
    assert err.splitlines() == [
        f"{tmp_path}/none.hl7: {UNREADABLE}",
        f"{batch}#2: it is bad (byte 0) - mend it",
    ]


def test_nothing_but_missing_files_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that was mistyped is not a message that was refused."""
    assert run([tmp_path / "none.hl7"]) == 2
    assert capsys.readouterr().out == ""


def test_pretty_changes_white_space_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets and commas inside of texts stay where they are."""
    (tmp_path / "a.hl7").write_bytes(b"one")

    run([tmp_path / "a.hl7"], pretty=True)

    out = capsys.readouterr().out
    assert json.loads(out)["s"] == 'a"{,\\'
    assert '\n  "x": [\n    {\n      "n": 7\n    }\n  ],\n' in out


def test_residue_is_a_line_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which message, and the positions that nothing consumed."""
    (tmp_path / "a.hl7").write_bytes(b"one")

    run([tmp_path / "a.hl7"], residue=True)

    assert json.loads(capsys.readouterr().err) == {
        "input": f"{tmp_path}/a.hl7",
        "sender": "lab",
        "type": "T",
        "control_id": "one",
        "unconsumed": ["one-1", "lab"],
    }


def test_findings_of_the_file_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A count that does not agree does not stop the conversion."""
    (tmp_path / "a.hl7").write_bytes(b"lost")

    code = run([tmp_path / "a.hl7"])

    assert code == 0
    assert capsys.readouterr().err == f"{tmp_path}/a.hl7: one is lost (BTS-1)\n"


def test_documents_are_put_into_a_folder(tmp_path: Path) -> None:
    """Each message's, under the names that the dialect gives them; the folder is made."""
    (tmp_path / "a.hl7").write_bytes(b"one\ntwo")

    run([tmp_path / "a.hl7"], documents=tmp_path / "made" / "here")

    found = {one.name: one.read_bytes() for one in (tmp_path / "made" / "here").iterdir()}
    assert found == {"one.pdf": b"one", "two.pdf": b"two"}


def test_folder_that_is_a_file_takes_no_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bundle is written, and one line says what to do."""
    (tmp_path / "a.hl7").write_bytes(b"one")

    assert run([tmp_path / "a.hl7"], documents=tmp_path / "a.hl7") == 1

    assert "name a folder that can be written" in capsys.readouterr().err
