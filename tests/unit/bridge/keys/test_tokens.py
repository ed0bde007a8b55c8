"""The tokens file: read at the start, and added to by a command."""

import stat
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.policy.access import Role
from bridge.keys.tokens import add_token, read_tokens

ADMIN = "the-token-of-the-admin"
ROW = '[[token]]\nname = "lab"\nsha256 = "{}"\nroles = ["sender", "reader"]\n'


def test_rows_of_the_file_stand_beside_the_admin(tmp_path: Path) -> None:
    """Each token by its hash, with its roles."""
    file = tmp_path / "tokens.toml"
    file.write_text(ROW.format(sha256(b"secret").hex()))

    tokens = read_tokens(file, ADMIN)

    assert tokens[sha256(b"secret")].roles == {Role.SENDER, Role.READER}
    assert tokens[sha256(ADMIN.encode())].roles == {Role.ADMIN}


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        ROW.format("abc"),
        ROW.format("0" * 64).replace("sender", "sendr"),
        ROW.format("0" * 64).replace("name", "nmae"),
        ROW.format("0" * 64).replace('"sender", "reader"', ""),
        ROW.format("0" * 64).replace('"lab"', '""'),
    ],
)
def test_row_that_is_wrong_stops_the_start(tmp_path: Path, text: str) -> None:
    """A token that lets in nobody, or somebody else, is found before the door opens."""
    file = tmp_path / "tokens.toml"
    file.write_text(text)

    with pytest.raises(BridgeError, match="the tokens file cannot be used") as refused:
        read_tokens(file, ADMIN)

    assert refused.value.code == "tokens-file"


def test_missing_file_stops_the_start(tmp_path: Path) -> None:
    """A path that leads nowhere would lock every client out."""
    with pytest.raises(BridgeError, match=r"give each \[\[token\]\] a name, the sha256"):
        read_tokens(tmp_path / "none.toml", ADMIN)


def test_a_new_client_is_let_in_by_the_token_that_was_said(tmp_path: Path) -> None:
    """Its row stands behind what was there, a person's words too; the token itself does not."""
    file = tmp_path / "tokens.toml"
    file.write_text("# the laboratory\n" + ROW.format(sha256(b"secret").hex()))

    token = add_token(file, 'Ward 3 "East"', [Role.READER])

    tokens = read_tokens(file, ADMIN)
    assert tokens[sha256(b"secret")].subject == "lab"
    assert tokens[sha256(token.encode())].subject == 'Ward 3 "East"'
    assert tokens[sha256(token.encode())].roles == {Role.READER}
    assert file.read_text().startswith("# the laboratory\n")
    assert token not in file.read_text()


def test_the_first_client_makes_the_file(tmp_path: Path) -> None:
    """Readable by its owner alone."""
    file = tmp_path / "tokens.toml"

    first, second = (add_token(file, name, [Role.SENDER]) for name in ("adt", "lab"))

    assert {first, second}.isdisjoint({ADMIN})
    assert len(read_tokens(file, ADMIN)) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("name", "roles"), [("", [Role.READER]), ("lab", []), ("x" * 201, [])])
def test_a_row_that_would_stop_the_start_is_not_written(
    tmp_path: Path, name: str, roles: list[Role]
) -> None:
    """The file is as it was."""
    file = tmp_path / "tokens.toml"
    file.write_text(ROW.format(sha256(b"secret").hex()))
    before = file.read_text()

    with pytest.raises(BridgeError, match="cannot be used"):
        add_token(file, name, roles)

    assert file.read_text() == before


def test_a_file_that_cannot_be_used_is_not_added_to(tmp_path: Path) -> None:
    """Nor is what a person mistyped overwritten."""
    file = tmp_path / "tokens.toml"
    file.write_text("nonsense")

    with pytest.raises(BridgeError, match="cannot be used"):
        add_token(file, "lab", [Role.SENDER])

    assert file.read_text() == "nonsense"
