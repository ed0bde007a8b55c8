"""Bearer tokens and roles (RFC 6750): who asks, and whether they may."""

import base64
import binascii
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.policy.access import Caller, Role, allow
from bridge.keys.tokens import Tokens

__all__ = ["Authenticated", "holding"]

MAX_TOKEN_CHARACTERS = 4096
"""Longer than any bearer token in use; hashing it costs nothing."""
PURPOSE_HEADER = "x-purpose-of-use"
"""Code of v3-PurposeOfUse, for the access entry; treatment when absent."""


async def authenticate(request: Request) -> Caller:
    """The holder of the request's bearer token, with the purpose of use that the request states.

    Raises:
        BridgeError: `token-missing` or `token-unknown`; the door answers 401.
    """
    token = _presented(request.headers.get("authorization", ""))
    if not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise BridgeError(
            "token-missing",
            Fault.SENDER,
            what="the request carries no bearer token",
            where="Authorization header",
            do="send `Authorization: Bearer TOKEN`; the admin's is in the node's admin.token file",
        )
    tokens: Tokens = request.app.state.node.tokens
    caller = tokens.get(sha256(token.encode()))
    if caller is None:
        raise BridgeError(
            "token-unknown",
            Fault.SENDER,
            what="the bearer token is not known here",
            where="Authorization header",
            do="use a token of this node, or ask its operator for one",
        )
    purpose = request.headers.get(PURPOSE_HEADER)
    return replace(caller, purpose=purpose) if purpose else caller


def _presented(header: str) -> str:
    """The token of an Authorization header: as Bearer, or as the password of Basic (RFC 7617).

    Clients of HL7 over HTTP, HAPI's among them, know Basic alone. The user name says nothing here.
    """
    scheme, _, said = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return said.strip()
        case "basic":
            try:
                pair = base64.b64decode(said.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
            return pair.partition(":")[2]
        case _:
            return ""


Authenticated = Annotated[Caller, Depends(authenticate)]


def holding(*roles: Role) -> Callable[[Caller], Coroutine[None, None, Caller]]:
    """A dependency that lets only holders of one of the roles in; admin always may.

    Raises:
        BridgeError: `access-refused`; the door answers 403.
    """
    allowed = frozenset({*roles, Role.ADMIN})

    async def checked(caller: Authenticated) -> Caller:
        allow(caller, allowed)
        return caller

    return checked
