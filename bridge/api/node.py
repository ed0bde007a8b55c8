"""What the HTTP doors need of a node; workers/wiring.py fills it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from bridge.api.feeds import Feeds
from bridge.core.policy.access import Caller
from bridge.core.proof.report import Report
from bridge.core.record.bundle import Finding
from bridge.flows.receive import Inbound, Received
from bridge.flows.write import Ports
from bridge.keys.tokens import Tokens
from bridge.ports.anchors import AnchorBook
from bridge.ports.dialect import Dialect, RestDialect
from bridge.ports.evidence import Evidence
from bridge.ports.intake import Intake
from bridge.ports.logbook import LogBook
from bridge.ports.mappings import WorkItems
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
    worded: Callable[[bytes, Received], bytes]
    """The one acknowledgement of a message that an HTTP answer has room for."""
    fhir: RestDialect
    work_items: WorkItems
    """Codes that nobody mapped."""
    is_type: Callable[[str], bool]
    """Whether FHIR R4 has a resource type of this name."""
    validate: Callable[[bytes], tuple[Finding, ...]]
    """Everything wrong with one resource as such."""
    tokens: Tokens
    metrics: Metrics
    feeds: Feeds
    wake: Callable[[], None]
    """Ask the workers to look; never raises, never blocks."""
    verify: Callable[[bytes, bytes | None], Report]
    """Receipt and document, with what this node believes."""
    health: Callable[[], dict[str, Health]]
    """State of database, queue, chain and log, each looked at now, within a bound of time."""
    public_url: str
    """URL under which clients reach this node; empty is what each request was sent to."""
    measure: Callable[[], None]
    """Bring the gauges of `metrics` up to date, within a bound of time; never raises."""

    @property
    def disclosing(self) -> Disclosing:
        """The ports of a disclosure."""
        return Disclosing(reading=self.reading, clock=self.clock, entropy=self.entropy)

    def disclosing_at(self, base: str) -> Disclosing:
        """The same for a client that calls the FHIR service by this URL."""
        return {**self.disclosing, "reading": self.reading.at(base)}

    @property
    def writing(self) -> Ports:
        """The ports of a FHIR write."""
        return Ports(
            dialect=self.fhir,
            intake=self.intake,
            versions=self.versions,
            clock=self.clock,
            entropy=self.entropy,
        )

    def inbound(self, caller: Caller, raw: bytes, request: dict[str, str]) -> Inbound:
        """The next FHIR input of the caller's feed."""
        return Inbound(
            raw=raw,
            feed=self.feeds.name(caller),
            number=next(self.feeds.numbers(caller)),
            sender=caller.subject,
            request=tuple(request.items()),
        )


def _node(request: Request) -> Node:
    node: Node = request.app.state.node
    return node


TheNode = Annotated[Node, Depends(_node)]
