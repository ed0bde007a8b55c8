"""What the HTTP doors need of a node; workers/wiring.py fills it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from bridge.api.access import Tokens
from bridge.core.proof.report import Report
from bridge.ports.anchors import AnchorBook
from bridge.ports.dialect import Dialect
from bridge.ports.evidence import Evidence
from bridge.ports.intake import Intake
from bridge.ports.logbook import LogBook
from bridge.ports.reading import Reading
from bridge.ports.sources import Clock, Entropy
from bridge.ports.versions import Versions
from bridge.telemetry import Metrics

__all__ = ["Health", "Node", "TheNode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One part of readiness."""

    ok: bool
    detail: str


class Disclosing(TypedDict):
    """What every function of `flows.disclose` takes beside the caller."""

    reading: Reading
    clock: Clock
    entropy: Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The ports of one API process."""

    clock: Clock
    entropy: Entropy
    intake: Intake
    versions: Versions
    reading: Reading
    book: LogBook
    anchors: AnchorBook
    evidence: Evidence
    hl7v2: Dialect
    fhir: Dialect
    tokens: Tokens
    metrics: Metrics
    feed: str
    """Name of this process's feed, such as `http/0190...`."""
    numbers: Iterator[int]
    """Counts the inputs of the feed."""
    wake: Callable[[], None]
    """Ask the workers to look; never raises, never blocks."""
    verify: Callable[[bytes, bytes | None], Report]
    """Receipt and document, with what this node believes."""
    health: Callable[[], dict[str, Health]]
    """State of database, queue, chain and log, each looked at now."""

    @property
    def disclosing(self) -> Disclosing:
        """The ports of a disclosure."""
        return Disclosing(reading=self.reading, clock=self.clock, entropy=self.entropy)


def _node(request: Request) -> Node:
    node: Node = request.app.state.node
    return node


TheNode = Annotated[Node, Depends(_node)]
