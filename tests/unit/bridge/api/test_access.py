"""Callers by their tokens, without an application."""

import asyncio
import base64
from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request

from bridge.api.access import authenticate, holding
from bridge.core.errors import BridgeError
from bridge.core.ids import sha256
from bridge.core.policy.access import Caller, Role
from bridge.keys.tokens import Tokens, read_tokens

ADMIN = "the-token-of-the-admin"


def basic(pair: str) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


def request_of(tokens: Tokens, **headers: str) -> Request:
    """A request at an application that knows these tokens."""
    app = FastAPI()
    app.state.node = SimpleNamespace(tokens=tokens)
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "app": app, "headers": raw})


def caller_of(tokens: Tokens, **headers: str) -> Caller:
    """Who asks."""
    return asyncio.run(authenticate(request_of(tokens, **headers)))


def test_bearer_is_known_by_its_hash_and_states_its_purpose() -> None:
    """Scheme in any case; treatment is the purpose when none is said."""
    tokens = read_tokens(None, ADMIN)

    plain = caller_of(tokens, authorization=f"bearer {ADMIN}")
    stated = caller_of(tokens, authorization=f"Bearer {ADMIN}", x_purpose_of_use="HOPERAT")

    assert (plain.subject, plain.purpose) == ("admin", "TREAT")
    assert stated.purpose == "HOPERAT"


@pytest.mark.parametrize("pair", [f"lab:{ADMIN}", f":{ADMIN}"])
def test_token_may_be_the_password_of_basic(pair: str) -> None:
    """Clients of HL7 over HTTP know no other scheme; the user name says nothing."""
    caller = caller_of(read_tokens(None, ADMIN), authorization=basic(pair))

    assert caller.subject == "admin"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token-missing"),
        ("Bearer", "token-missing"),
        ("Bearer   ", "token-missing"),
        (f"Basic {ADMIN}", "token-missing"),
        ("Basic", "token-missing"),
        (basic("no colon"), "token-missing"),
        (basic("name:"), "token-missing"),
        (basic(f"{ADMIN}:wrong"), "token-unknown"),
        (f"Digest {ADMIN}", "token-missing"),
        ("Bearer " + "x" * 5000, "token-missing"),
        ("Bearer wrong", "token-unknown"),
    ],
)
def test_request_without_a_known_token_is_refused(header: str, code: str) -> None:
    """Also an empty token, whatever its hash stands for."""
    tokens = {**read_tokens(None, ADMIN), sha256(b""): Caller(subject="x", roles=frozenset())}

    with pytest.raises(BridgeError) as refused:
        caller_of(tokens, authorization=header)

    assert refused.value.code == code


def test_door_lets_in_its_roles_and_the_admin() -> None:
    """Nobody else."""
    door = holding(Role.SENDER)
    admin = Caller(subject="a", roles=frozenset({Role.ADMIN}))
    reader = Caller(subject="r", roles=frozenset({Role.READER}))

    assert asyncio.run(door(admin)) == admin
    with pytest.raises(BridgeError, match="this needs one of the roles admin, sender"):
        asyncio.run(door(reader))
