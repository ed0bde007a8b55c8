"""A FHIR write: received and projected in one transaction, because its client reads what it wrote.

Source: https://hl7.org/fhir/R4/http.html#transaction. All or nothing: a condition that is
ambiguous, or a version that is not the expected one, leaves no trace.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast
from urllib.parse import parse_qsl

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, RecordId, parse_instant
from bridge.core.record.bundle import CanonicalBundle, Json, JsonObject
from bridge.core.record.canon import canonical, parse
from bridge.core.record.conditional import Condition, conditions, resolved
from bridge.core.record.identity import lane
from bridge.core.record.merge import ResourceRef
from bridge.core.search.matches import met
from bridge.core.search.parameters import parse_query
from bridge.core.search.query import SearchQuery, TokenClause
from bridge.flows.project import Applied, apply_waiting
from bridge.flows.receive import SHARE, Inbound, Received, accept, keep, nothing_else, refuse
from bridge.ports.dialect import RestDialect
from bridge.ports.intake import Intake, NewRecord
from bridge.ports.sources import Clock, Entropy
from bridge.ports.versions import Versions

__all__ = ["Ports", "Written", "WrittenEntry", "deletion", "receive_and_project", "write"]

MAX_CONDITIONS = 2_000
"""Different ones in one bundle, each a search while the lanes are held: some seconds."""
BACKLOG = 200
"""Waiting records of its lanes that one write applies on its way; more is a stuck projector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenEntry:
    """What became of one entry of the bundle, in its order."""

    ref: ResourceRef | None
    """None for a conditional delete that met nothing."""
    version: int
    """The newest now; 0 when there is none."""
    outcome: Literal["created", "updated", "unchanged", "deleted"]
    at: Instant | None = None
    """Time of that version; None of a deletion, or when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a FHIR write needs of a node."""

    dialect: RestDialect
    intake: Intake
    """Where the record goes."""
    versions: Versions
    """Where the resources live; shares the units of `intake`."""
    clock: Clock
    """Gives the time received and that of the revision."""
    entropy: Entropy
    """Gives ids and salts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one FHIR write."""

    received: Received
    """`quarantined` with its reason: nothing was written."""
    entries: tuple[WrittenEntry, ...] = ()


def receive_and_project(
    inbound: Inbound, ports: Ports, also: Callable[[RecordId], None] = nothing_else
) -> Written:
    """Store a FHIR input and apply it at once; when this returns, both are durable and readable.

    Conditional creates, updates, deletes and references are answered under a lock for each
    condition, and the record's bundle holds the answers: applying it again needs the record alone.

    Args:
        inbound: a Bundle or one resource.
        ports: of the node.
        also: called with the record's id in the transaction that stores it.

    Raises:
        BridgeError: `version-conflict`, `already-exists`, `condition-ambiguous`,
            `condition-unmet`, `condition-id`, `lane-stalled`, `lane-busy`, `search-...` for a
            condition that cannot be searched, `store-...`: nothing was kept.
    """
    try:
        bundle = _converted(inbound, ports.dialect)
    except BridgeError as reason:
        at, random = ports.clock.now(), ports.entropy.take(SHARE)
        offer = refuse(inbound, reason, dialect=ports.dialect, at=at, random=random)
        return Written(received=keep([offer], ports.intake)[0])
    return write(inbound, bundle, ports, also)


def write(
    inbound: Inbound,
    bundle: CanonicalBundle,
    ports: Ports,
    also: Callable[[RecordId], None] = nothing_else,
) -> Written:
    """The same for an input that is converted."""
    at, random = ports.clock.now(), ports.entropy.take(SHARE)
    asked = cast("JsonObject", parse(bundle.canonical))
    with ports.intake.unit():
        queries = _queries(conditions(asked))
        found = _answers(queries, bundle.lanes, ports.versions)
        _check_own_id(inbound, found)
        told = resolved(asked, found, _beside(asked, queries))
        whole = replace(bundle, canonical=canonical(told))
        row = accept(inbound, whole, dialect=ports.dialect, at=at, random=random).row
        kept = ports.intake.append([cast("NewRecord", row)])[0]
        if not kept.duplicate:
            _apply(kept.id, whole, ports)
        made = ports.versions.made_by(kept.id)
        entries = _entries(asked, found, made, ports.versions)
        also(kept.id)
    return Written(
        received=Received(
            record=kept.id,
            answer=kept.answer,
            status="duplicate" if kept.duplicate else "stored",
            bundle=whole,
        ),
        entries=entries,
    )


def deletion(request: Mapping[str, str]) -> bytes:
    """A DELETE has no body: the transaction that says the same stands as its source."""
    entry = {"request": dict(request)}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()


def _converted(inbound: Inbound, dialect: RestDialect) -> CanonicalBundle:
    if inbound.request:
        request = dict(inbound.request)
        return dialect.convert_request(inbound.raw, sender=inbound.sender, request=request)
    return dialect.convert(inbound.raw, sender=inbound.sender, charset=inbound.charset)


def _check_own_id(inbound: Inbound, found: Mapping[Condition, tuple[str, ...]]) -> None:
    """A conditional update whose body has an id may only meet the resource of that id."""
    if not inbound.body_id:
        return
    for condition, ids in found.items():
        own = dict(inbound.request).get("url") == f"{condition.type}?{condition.query}"
        if own and ids and ids != (inbound.body_id,):
            raise BridgeError(
                "condition-id",
                Fault.SENDER,
                what="the resource that meets the condition has another id than the body",
                where=condition.type,
                do="leave the id out of the body, or update the resource by its id",
            )


def _queries(asked: Sequence[Condition]) -> dict[Condition, SearchQuery]:
    if len(asked) > MAX_CONDITIONS:
        raise BridgeError(
            "bundle-size",
            Fault.SENDER,
            what=f"the Bundle has over {MAX_CONDITIONS:,} different conditions",
            where="Bundle.entry",
            do="send it in parts",
        )
    queries = {
        one: parse_query(one.type, parse_qsl(one.query, keep_blank_values=True)) for one in asked
    }
    for one, query in queries.items():
        _check_selects(one, query)
    return queries


def _beside(
    asked: JsonObject, queries: Mapping[Condition, SearchQuery]
) -> dict[Condition, tuple[str, ...]]:
    """What of the bundle itself meets each condition, for its references."""
    if not queries:
        return {}
    entries = cast("list[JsonObject]", asked.get("entry", []))
    bodies = [cast("JsonObject", one["resource"]) for one in entries if "resource" in one]
    found = met(tuple(queries.values()), bodies)
    return {
        one: tuple(cast("str", body["id"]) for body in here)
        for one, here in zip(queries, found, strict=True)
    }


def _answers(
    queries: Mapping[Condition, SearchQuery], lanes: Sequence[str], versions: Versions
) -> dict[Condition, tuple[str, ...]]:
    """Hold the lanes, those of conditions too, then look the conditions up."""
    guards = [
        lane("condition", one.type, *spelt)
        for one, query in queries.items()
        for spelt in _guarded(query)
    ]
    versions.claim_lanes([*lanes, *guards])
    return {one: versions.find(query) for one, query in queries.items()}


def _check_selects(condition: Condition, query: SearchQuery) -> None:
    if not query.clauses or query.page:
        raise BridgeError(
            "condition-empty",
            Fault.SENDER,
            what="a condition without search parameters would meet every resource of the type",
            where=condition.type,
            do="name the resource that is meant, for example by identifier",
        )


def _guarded(query: SearchQuery) -> list[list[str]]:
    """What two conditions that may create the same resource have in common.

    The value of an identifier, whatever else is asked and however it is written; where a condition
    names none, its parameters, but for their order and percent-encoding.
    """
    values = {
        value.code
        for clause in query.clauses
        if isinstance(clause, TokenClause) and clause.param == "identifier" and not clause.negated
        for value in clause.values
        if value.code
    }
    if values:
        return [["identifier", value] for value in sorted(values)]
    return [[text for pair in sorted(query.pairs) for text in pair]]


def _apply(record: RecordId, bundle: CanonicalBundle, ports: Ports) -> Applied:
    """Apply what waits in the lanes, this record last."""
    waiting = ports.versions.waiting_in(bundle.lanes, BACKLOG)
    if record not in {one.record for one in waiting}:
        raise BridgeError(
            "lane-busy",
            Fault.PEER,
            what=f"more than {BACKLOG} earlier records of the same key wait to be applied",
            where="lane",
            do="try again when the projector has caught up",
        )
    applied = apply_waiting(waiting, ports.versions, ports.clock, ports.entropy)
    for one, reason in applied.refused:
        raise reason if one.record == record else _stalled(reason)
    return applied


def _stalled(reason: BridgeError) -> BridgeError:
    return BridgeError(
        "lane-stalled",
        Fault.OPERATOR,
        what="an earlier record of the same key cannot be applied",
        where=reason.where,
        do="mend and resume the lane, then send again",
    )


def _entries(
    asked: JsonObject,
    found: Mapping[Condition, tuple[str, ...]],
    made: Mapping[ResourceRef, bool],
    versions: Versions,
) -> tuple[WrittenEntry, ...]:
    """What became of each entry that was asked for, also of those whose condition was met."""
    met = dict(found)
    refs = [_ref(entry, met) for entry in cast("list[JsonObject]", asked.get("entry", []))]
    now = versions.current([ref for ref in refs if ref is not None])
    entries = []
    for ref in refs:
        state = now[ref] if ref else None
        number = state.version if state else 0
        outcome: Literal["created", "updated", "unchanged", "deleted"] = "unchanged"
        if ref is not None and ref in made and state is not None:
            outcome = "deleted" if state.body is None else "updated"
            outcome = "created" if made[ref] and state.body is not None else outcome
        at = _updated(state.body) if state and state.body else None
        entries.append(WrittenEntry(ref=ref, version=number, outcome=outcome, at=at))
    return tuple(entries)


def _updated(body: JsonObject) -> Instant:
    """The stamp that every stored version carries."""
    return parse_instant(cast("dict[str, str]", body["meta"])["lastUpdated"])


def _ref(entry: JsonObject, met: dict[Condition, tuple[str, ...]]) -> ResourceRef | None:
    """Where the entry went: what met its condition, else its own id or its URL.

    A create whose condition nothing met is what the next entry of that condition meets.
    """
    request = cast("dict[str, str]", entry.get("request", {}))
    body = cast("dict[str, str]", entry.get("resource") or {})
    own = ResourceRef(body["resourceType"], body["id"]) if body else None
    bare: list[Json] = [{"request": cast("JsonObject", request), "resource": {}}]
    for condition in conditions({"entry": bare}):
        if own is not None:
            met[condition] = met.get(condition) or (own.id,)
        ids = met.get(condition, ())
        return ResourceRef(condition.type, ids[0]) if ids else None
    if own is not None:
        return own
    kind, _, name = request.get("url", "").partition("/")
    return ResourceRef(kind, name)
