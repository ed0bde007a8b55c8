"""The command: exit codes, plain lines, JSON, and never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli import verify as command
from tests.fakes import sealed
from tests.fakes.endpoint import FakeEndpoint, honest

APP = typer.Typer()
APP.command()(command.verify)
WORLD = sealed.World()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A receipt, its document and a trust file."""
    (tmp_path / "receipt.json").write_bytes(sealed.dumped(WORLD.record_receipt()))
    (tmp_path / "bundle.json").write_bytes(sealed.DOCUMENT)
    (tmp_path / "trust.json").write_bytes(sealed.trust_text())
    return tmp_path


def _run(folder: Path, *arguments: str) -> tuple[int, str]:
    paths = [str(folder / text) if "." in text and "/" not in text else text for text in arguments]
    result = CliRunner().invoke(APP, paths)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    """An endpoint that answers for every URL."""
    reader = honest(WORLD)
    monkeypatch.setattr(command, "readers_of", lambda urls: [reader] * len(urls))
    return reader


def test_unchanged_document_exits_0(files: Path, node: FakeEndpoint) -> None:
    """All checks pass: level 4, the time of the anchor, exit 0."""
    code, output = _run(
        files, "receipt.json", "bundle.json", "--rpc", "http://node", "--trust", "trust.json"
    )

    assert node.name == "node-a"
    assert code == 0
    assert output.splitlines()[-1] == (
        f"unchanged, level 4 of 4, existed no later than {sealed.TIME}"
        " - final on a system that others than the log's operator run"
    )


def test_json_has_the_published_members(files: Path) -> None:
    """Scripts read verdict, level, existed_by and checks."""
    code, output = _run(files, "receipt.json", "bundle.json", "--trust", "trust.json", "--json")

    report = json.loads(output)
    assert (code, report["verdict"], report["level"]) == (0, "unchanged", 2)
    assert report["existed_by"] is None
    assert set(report["checks"][0]) == {"id", "name", "ok", "detail"}


def test_changed_document_exits_1_and_names_the_check(files: Path) -> None:
    """One changed byte is told from an unusable file."""
    (files / "bundle.json").write_bytes(sealed.DOCUMENT + b" ")
    (files / "bundle.json").write_bytes(sealed.DOCUMENT.replace(b"Bundle", b"Bundlf"))

    code, output = _run(files, "receipt.json", "bundle.json", "--trust", "trust.json")

    assert code == 1
    assert "[NO]  3 claims: the document is not what was sealed" in output
    assert output.splitlines()[-1] == "changed, level 0 of 4 - a check said no"


def test_lying_endpoint_leaves_no_verdict(files: Path, node: FakeEndpoint) -> None:
    """An endpoint that shows another block is named, and the exit code says cannot say."""
    node.block = None
    node.serves = "eip155:5"
    code, output = _run(
        files, "receipt.json", "bundle.json", "--rpc", "http://node", "--trust", "trust.json"
    )

    assert code == 0
    assert "node-a serves another chain, eip155:5" in output
    assert "unchanged, level 2 of 4" in output


def test_no_trust_exits_3_and_says_so(files: Path) -> None:
    """Without a trust file nothing can be said, and the last line says how to get further."""
    code, output = _run(files, "receipt.json", "bundle.json")

    assert code == 3
    assert "No trust file was given (--trust FILE)" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("absent.json",), "the file cannot be read", id="absent-receipt"),
        pytest.param((".",), "the file cannot be read", id="folder"),
        pytest.param(("receipt.json", "absent.json"), "DOCUMENT", id="absent-document"),
        pytest.param(
            ("receipt.json", "--trust", "bundle.json"), "the key is not one of", id="not-a-trust"
        ),
        pytest.param(("receipt.json", "--rpc", "ftp://x"), "not an http or https URL", id="ftp"),
        pytest.param(("receipt.json", "--rpc", "http://["), "not an http or https", id="bad-url"),
        pytest.param(
            ("receipt.json", *(f"--rpc=http://n{place}" for place in range(17))),
            "at most 16 are asked",
            id="many-endpoints",
        ),
    ],
)
def test_unusable_input_exits_2_in_one_line(
    files: Path, arguments: tuple[str, ...], words: str
) -> None:
    """What cannot be used is said in one line with what to do."""
    code, output = _run(files, *arguments)

    assert code == 2
    assert words in output
    assert len(output.splitlines()) == 1


def test_truncated_receipt_exits_2(files: Path) -> None:
    """A cut file is unusable input, with the byte where it broke."""
    (files / "receipt.json").write_bytes(sealed.dumped(WORLD.record_receipt())[:500])

    code, output = _run(files, "receipt.json", "bundle.json", "--trust", "trust.json")

    assert code == 2
    assert "the text is not JSON or is cut" in output


def test_terminal_escapes_in_a_receipt_are_not_printed(files: Path) -> None:
    """A receipt is a stranger's text and must not steer the terminal."""
    receipt = WORLD.record_receipt()
    receipt["leaf"]["\x1b[2J"] = 1
    (files / "receipt.json").write_bytes(json.dumps(receipt).encode())

    _, output = _run(files, "receipt.json")

    assert "\x1b" not in output
    assert "receipt.leaf.?[2J" in output


def test_verifier_needs_core_alone() -> None:
    """No database, no web3, no server framework is imported."""
    code = (
        "import sys, bridge.cli.verify; "
        "print([m for m in ('sqlalchemy','psycopg','web3','fastapi','pydantic','celery','httpx',"
        "'bridge.settings','bridge.store','bridge.chain') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
