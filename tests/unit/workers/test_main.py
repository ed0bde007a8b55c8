"""What a person meets who mistypes: one line that says what to do, and an exit code that fits."""

import sys
from pathlib import Path

import pytest

from bridge.core.ids import sha256
from bridge.core.policy.access import Role
from bridge.keys.tokens import read_tokens
from workers import main as console


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fhir-anchor", *arguments])
    with pytest.raises(SystemExit) as left:
        console.main()
    return int(left.value.code or 0)


@pytest.fixture
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests says nothing here."""
    monkeypatch.delenv("FHIR_ANCHOR__DATA", raising=False)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("nope",), id="unknown-command"),
        pytest.param(("convert",), id="missing-argument"),
        pytest.param(("convert", "--bogus", "x.hl7"), id="unknown-option"),
        pytest.param(("up", "--http", "foo"), id="no-port"),
        pytest.param(("config", "show", "--config", "/nonexistent"), id="no-settings-file"),
        pytest.param(("audit", "--trust", "/nonexistent"), id="audit-without-trust"),
        pytest.param(("audit", "--url", "http://x:abc"), id="no-port-number"),
        pytest.param(("receipt", "a", "--url", "notaurl"), id="no-url"),
        pytest.param(("receipt", "a", "--wait", "soon"), id="no-such-stage"),
        pytest.param(("receipt", "a", "--token-file", "/nonexistent"), id="no-token-file"),
        pytest.param(("ingest", "/nonexistent", "--token-file", "/dev/null"), id="no-input"),
        pytest.param(("convert", "x.hl7", "--sender", "nobody"), id="no-such-sender"),
        pytest.param(("token", "lab", "--role", "reader"), id="no-tokens-file"),
        pytest.param(("token", "lab", "--role", "king"), id="no-such-role"),
    ],
)
def test_usage_error_is_one_line_and_exit_2(
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing on standard output, one line on standard error, exit 2."""
    code = _run(monkeypatch, *arguments)

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith("fhir-anchor: ")
    assert said.err.count("\n") == 1


def test_unknown_setting_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the key, the nearest right one, and exits 2."""
    file = tmp_path / "node.toml"
    file.write_text("[mlp]\nport = 1\n")

    code = _run(monkeypatch, "config", "show", "--config", str(file))

    assert code == 2
    assert "write mllp.port if that is meant" in capsys.readouterr().err


def test_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the data folder should be is said, with its path, without a traceback."""
    file = tmp_path / "file"
    file.touch()

    code = _run(monkeypatch, "up", "--data", str(file / "node"))

    assert code == 1
    assert capsys.readouterr().err == (
        f"fhir-anchor: Not a directory ({file / 'node' / 'logs'}) "
        "- check the path and its permissions\n"
    )


@pytest.mark.usefixtures("no_settings_of_ours")
def test_fsck_of_an_empty_folder_makes_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped folder gets no new database and no new log key; exit 2, for nothing was found."""
    code = _run(monkeypatch, "fsck", "--data", str(tmp_path / "typo"))

    assert code == 2
    assert "no node lives here" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


def test_command_group_alone_shows_its_help_and_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`fhir-anchor db` is answered with what it can do."""
    code = _run(monkeypatch, "db")

    said = capsys.readouterr()
    assert (code, said.err) == (2, "")
    assert "upgrade" in said.out


def test_version_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For whoever reports a defect."""
    code = _run(monkeypatch, "--version")

    assert code == 0
    assert capsys.readouterr().out.startswith("fhir-anchor 0.")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("STORE__URL", "mysql://x/y", "store.url"),
        ("STORE__URL", "postgresql://user:secret@host:port/x", "write postgresql://USER@HOST"),
        ("QUEUE__URL", "kafka://x", "queue.url"),
    ],
)
def test_address_of_another_kind_is_a_usage_error(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    word: str,
) -> None:
    """Said before anything is opened, without the secret that stands in it."""
    monkeypatch.setenv(f"FHIR_ANCHOR__{name}", value)

    code = _run(monkeypatch, "db", "upgrade", "--data", str(tmp_path / "node"))

    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert word in said
    assert "secret" not in said


def test_a_client_gets_its_token_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It alone on standard output; what it may do is in the file, by its hash."""
    file = tmp_path / "tokens.toml"
    monkeypatch.setenv("FHIR_ANCHOR__ACCESS__TOKENS_FILE", str(file))

    code = _run(monkeypatch, "token", "lab", "--role", "sender", "--role", "reader")

    token = capsys.readouterr().out.strip()
    tokens = read_tokens(file, "the-token-of-the-admin")
    assert code == 0
    assert tokens[sha256(token.encode())].roles == {Role.SENDER, Role.READER}
