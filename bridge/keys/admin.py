"""The admin token of a node: a file of its owner, made on first use."""

import secrets
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.durable import create_file

__all__ = ["admin_token"]

SHORTEST_TOKEN = 16
"""Ours have 43 characters; a person may put one of their own there."""


def admin_token(file: Path) -> str:
    """The admin token of this node, readable by its owner alone (mode 600).

    Safe to call from several processes at once, and to be killed in: the file appears with its
    token in it or not at all, for an empty file would be a token that anybody can guess.

    Raises:
        BridgeError: `admin-token` when the file cannot be read, or holds no token.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        create_file(file, f"{secrets.token_urlsafe(32)}\n".encode())
    try:
        token = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if len(token) < SHORTEST_TOKEN:
        raise BridgeError(
            "admin-token",
            Fault.OPERATOR,
            what=f"no token of at least {SHORTEST_TOKEN} characters can be read",
            where=str(file),
            do="make the file readable for this process, or remove it and a new one is made",
        )
    return token
