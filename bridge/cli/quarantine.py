"""`fhir-anchor quarantine`: what was refused, oldest first, once more or put away."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from bridge.cli.node import Node
from bridge.core.errors import BridgeError

__all__ = ["Which", "dismiss_refused", "retry_refused", "say_refused"]

PAGE = "200"


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Refusals by their ids; or else all open ones, of one code or sender where these are said."""

    records: Sequence[str] = ()
    code: str = ""
    sender: str = ""

    def holds(self, refusal: dict[str, Any]) -> bool:
        """Whether it is meant."""
        codes = {reason["code"] for reason in refusal["reasons"]}
        return self.code in {"", *codes} and self.sender in {"", refusal["sender"]}


def say_refused(node: Node, which: Which) -> None:
    """A JSON line a refusal."""
    for one in _refused(node, which):
        _say(one)


def retry_refused(node: Node, which: Which) -> None:
    """Have the node receive each again, in the order in which they came, and say what it became.

    Messages of one patient are applied in the order in which they are retried. Exit 1 when any is
    still refused. A run that was cut off is run again: what is closed is not retried twice.
    """
    still = 0
    for record in which.records or [one["record"] for one in _refused(node, which)]:
        try:
            found = node.post(f"/records/{record}/retry", b"", "application/json").json()
        except BridgeError as refusal:
            if refusal.code != "retry-closed" or which.records:
                raise
            continue  # somebody else was faster
        still += found["status"] == "quarantined" and found["state"] == "open"
        _say(found)
    if still:
        raise typer.Exit(1)


def dismiss_refused(node: Node, records: Sequence[str], reason: str) -> None:
    """Put them away, with the reason."""
    body = json.dumps({"reason": reason}).encode()
    for record in records:
        _say(node.post(f"/records/{record}/dismiss", body, "application/json").json())


def _refused(node: Node, which: Which) -> Iterator[dict[str, Any]]:
    """The node lists the newest first; a person works from the oldest on."""
    found = tuple(node.records(status="quarantined", count=PAGE))
    return (one for one in reversed(found) if which.holds(one))


def _say(refusal: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(refusal) + "\n")
    sys.stdout.flush()
