"""The tokens file: clients of a node by the SHA-256 of their token, each with a name and roles."""

import json
import secrets
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.policy.access import Caller, Role
from bridge.durable import replace_file

__all__ = ["Tokens", "add_token", "read_tokens"]

Tokens = Mapping[bytes, Caller]
"""SHA-256 of a token -> its holder. The token itself is never kept."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    roles: tuple[Role, ...] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    token: tuple[_Row, ...] = ()


def read_tokens(file: Path | None, admin: str) -> Tokens:
    """The clients of this node: the admin token, and the rows of the tokens file.

    Raises:
        BridgeError: `tokens-file` when the file cannot be read or a row is wrong.
    """
    rows = _rows(file, _text(file)) if file is not None else ()
    clients = {
        bytes.fromhex(row.sha256): Caller(subject=row.name, roles=frozenset(row.roles))
        for row in rows
    }
    root = Caller(subject="admin", roles=frozenset({Role.ADMIN}))
    return {**clients, sha256(admin.encode()): root}


def add_token(file: Path, name: str, roles: Collection[Role]) -> str:
    """A new token for a client, said once: its row goes to the end of the file, which may be new.

    Raises:
        BridgeError: `tokens-file` when the file cannot be read, or would not be read again.
        OSError: it cannot be written; it is as it was.
    """
    before, mode = (_text(file), file.stat().st_mode & 0o777) if file.exists() else ("", 0o600)
    token = secrets.token_urlsafe(32)
    row = (
        f"[[token]]\nname = {json.dumps(name)}\n"
        f'sha256 = "{sha256(token.encode()).hex()}"\n'
        f"roles = {json.dumps([role.value for role in roles])}\n"
    )
    after = f"{before.rstrip()}\n\n{row}" if before.strip() else row
    _rows(file, after)
    replace_file(file, after.encode(), mode=mode)
    return token


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(file) from error


def _rows(file: Path, text: str) -> tuple[_Row, ...]:
    try:
        return _File.model_validate(tomllib.loads(text)).token
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise _unusable(file) from error


def _unusable(file: Path) -> BridgeError:
    return BridgeError(
        "tokens-file",
        Fault.OPERATOR,
        what="the tokens file cannot be used",
        where=str(file),
        do="give each [[token]] a name, the sha256 of the token in hex, and roles",
    )
