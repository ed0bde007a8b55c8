"""`fhir-anchor pull`: what changed on an upstream FHIR server, to a running node."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault
from bridge.durable import replace_file
from bridge.flows.pull import Page, Progress, pull, types_of
from bridge.ports.upstream import Upstream

__all__ = ["State", "pull_into"]

FHIR = "application/fhir+json"


class State:
    """How far the pulls from one upstream came, in a file of the data folder."""

    def __init__(self, data: Path, base: str) -> None:
        """Read what an earlier pull left.

        Raises:
            BridgeError: `pull-state`.
        """
        self._path = data / f"pull-{sha256(base.encode()).hexdigest()[:16]}.json"
        self.progress: dict[str, Progress] = {}
        if not self._path.exists():
            return
        try:
            found = json.loads(self._path.read_text("utf-8"))
            self.progress = {kind: Progress(**one) for kind, one in found.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BridgeError(
                "pull-state",
                Fault.OPERATOR,
                what="the file that says how far the pull came cannot be read",
                where=str(self._path),
                do="remove it: everything is pulled once more, and what is known stays as it is",
            ) from error

    def save(self, kind: str, progress: Progress) -> None:
        """On disk, whole, when this returns."""
        self.progress[kind] = progress
        text = json.dumps({name: asdict(one) for name, one in self.progress.items()}, indent=1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, text.encode(), mode=0o644)


def pull_into(
    node: Node, upstream: Upstream, types: Sequence[str], state: State, *, count: int
) -> None:
    """Pull the types, or all that the upstream serves; one JSON line a page, then one a type."""

    def hand_on(page: Page) -> None:
        response = node.post("/fhir", page.body, FHIR)
        _say(
            type=page.type,
            page=page.number,
            resources=page.resources,
            record=response.headers.get("x-record-id", ""),
            status=response.headers.get("x-record-status", "stored"),
        )

    for done in pull(
        types or types_of(upstream),
        upstream=upstream,
        progress=dict(state.progress),
        hand_on=hand_on,
        save=state.save,
        count=count,
    ):
        _say(type=done.type, pages=done.pages, resources=done.resources)


def _say(**parts: object) -> None:
    sys.stdout.write(json.dumps(parts) + "\n")
