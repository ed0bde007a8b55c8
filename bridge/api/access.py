"""Bearer tokens and roles (RFC 6750): who asks, and whether they may."""

import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256

__all__ = ["AuthenticatedClient", "Client", "Role", "Tokens", "admin_token", "allow", "read_tokens"]

MAX_TOKEN_CHARACTERS = 4096
"""Longer than any bearer token in use; hashing it costs nothing."""


class Role(Enum):
    """What a token is for; `admin` may do all."""

    SENDER = "sender"
    READER = "reader"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An authenticated caller."""

    name: str
    roles: frozenset[Role]

    def may(self, *roles: Role) -> bool:
        """True when one of the roles is held, or admin."""
        return bool(self.roles & {*roles, Role.ADMIN})


Tokens = Mapping[bytes, Client]
"""SHA-256 of a token -> its client. The token itself is never kept."""


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
    rows: tuple[_Row, ...] = ()
    if file is not None:
        try:
            rows = _File.model_validate(tomllib.loads(file.read_text("utf-8"))).token
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise BridgeError(
                "tokens-file",
                Fault.OPERATOR,
                what="the tokens file cannot be used",
                where=str(file),
                do="give each [[token]] a name, the sha256 of the token in hex, and roles",
            ) from error
    clients = {
        bytes.fromhex(row.sha256): Client(name=row.name, roles=frozenset(row.roles)) for row in rows
    }
    return {**clients, sha256(admin.encode()): Client(name="admin", roles=frozenset({Role.ADMIN}))}


def admin_token(file: Path) -> str:
    """The admin token of this node; made on first use, readable by its owner alone (mode 600)."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32) + "\n", "ascii")
    return file.read_text("ascii").strip()


def authenticate(request: Request) -> Client:
    """The client of the request's bearer token.

    Raises:
        BridgeError: `token-missing` or `token-unknown`; the door answers 401.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise BridgeError(
            "token-missing",
            Fault.SENDER,
            what="the request carries no bearer token",
            where="Authorization header",
            do="send `Authorization: Bearer TOKEN`; the admin's is in the node's admin.token file",
        )
    tokens: Tokens = request.app.state.node.tokens
    client = tokens.get(sha256(token.strip().encode()))
    if client is None:
        raise BridgeError(
            "token-unknown",
            Fault.SENDER,
            what="the bearer token is not known here",
            where="Authorization header",
            do="use a token of this node, or ask its operator for one",
        )
    return client


AuthenticatedClient = Annotated[Client, Depends(authenticate)]


def allow(*roles: Role) -> Callable[[Client], Client]:
    """A dependency that lets only holders of one of the roles in; admin always may.

    Raises:
        BridgeError: `role-missing`; the door answers 403.
    """

    def checked(client: AuthenticatedClient) -> Client:
        if not client.may(*roles):
            raise BridgeError(
                "role-missing",
                Fault.SENDER,
                what="this token may not do that",
                where=f"role {' or '.join(role.value for role in roles)}",
                do="use a token that has the role",
            )
        return client

    return checked
