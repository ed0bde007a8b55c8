"""How a bundle meets the resources that are stored: what is replaced, what is left, what goes.

A later, poorer message never wipes what a richer one said; only an explicit delete takes an
element away.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Apply, Json, JsonObject
from bridge.core.record.elements import filled, merged, vacated
from bridge.core.record.kinds import settled, superseded
from bridge.core.record.moves import MOVABLE, follow, given, takes_over, whose
from bridge.core.record.patch import (
    Assumption,
    Deletion,
    Exactly,
    Move,
    Operation,
    Path,
    read,
    without,
)
from bridge.core.record.standing import (
    MENTIONED,
    is_provisional,
    mentioned,
    provisional,
    said,
    sure,
)

__all__ = ["Change", "ResourceRef", "apply_bundle", "moved_in", "references_touched"]

_PATCH = "Parameters"


@dataclass(frozen=True, slots=True, order=True)
class ResourceRef:
    """One stored resource, such as `Patient/abc`. Positional, because it is a pair."""

    type: str
    id: str

    def __str__(self) -> str:
        """The relative literal reference, https://hl7.org/fhir/R4/references.html#literal."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one resource becomes. `body` carries no versionId or lastUpdated: who stores it does."""

    ref: ResourceRef
    body: JsonObject | None
    """None when the resource is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Put:
    ref: ResourceRef
    body: JsonObject
    merge: bool
    identifies: bool = False
    """The message is about another resource: what was stated of this one stands."""
    assumed: frozenset[str] = field(default_factory=frozenset)
    """Elements that the message did not state: they fill what is absent."""
    exact: frozenset[str] = field(default_factory=frozenset)
    """Elements whose value is the whole of it: no part of a stored one is kept."""
    creates: bool = False
    """A POST: where the resource is already, this one was sent twice and it stays as it is."""
    if_match: str = ""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delete:
    ref: ResourceRef
    path: Path = field(default_factory=lambda: Path(names=()))
    if_match: str = ""


_Step = _Put | _Delete


def references_touched(bundle: JsonObject, apply: Apply) -> tuple[ResourceRef, ...]:
    """Every resource whose stored body `apply_bundle` needs to see, sorted, each once."""
    return tuple(sorted({step.ref for step in _steps(bundle, apply)}))


def moved_in(bundle: JsonObject, apply: Apply) -> tuple[ResourceRef, ...]:
    """Visits and accounts that the record gives to another patient, with what is filed there."""
    entries = _entries(bundle)
    if apply is not Apply.MERGE or not any(map(_moves, entries)):
        return ()
    found = (one for one in _operations(entries) if isinstance(one, Move))
    return tuple(dict.fromkeys(ResourceRef(*one.target) for one in found))


def apply_bundle(
    bundle: JsonObject, apply: Apply, current: Mapping[ResourceRef, JsonObject | None]
) -> tuple[Change, ...]:
    """The real changes that a bundle makes, one a resource, in the order the bundle names them.

    Args:
        bundle: a canonical Bundle whose resources carry their ids and literal references.
        apply: how its entries are meant.
        current: stored bodies by reference; absent or None where there is none or it is
            deleted; with all that is filed under what is `moved_in`. `meta.versionId` and
            `meta.lastUpdated` in them are ignored, except that `request.ifMatch` is compared with
            the former. Never altered.

    Returns:
        No entry for a resource that would stay as it is.

    Raises:
        BridgeError: an entry without type or id, a patch that cannot be read, a conditional
            request that was not resolved before, or an `ifMatch`/`ifNoneMatch` that does not hold.
    """
    before: dict[ResourceRef, JsonObject | None] = {
        ref: _plain(body) for ref, body in current.items() if body is not None
    }
    after: dict[ResourceRef, JsonObject | None] = {}
    states = ChainMap(after, before)
    moved = moved_in(bundle, apply)
    for step in _steps(bundle, apply):
        _check_precondition(step, current.get(step.ref))
        if isinstance(step, _Put) and step.merge and step.ref not in moved:
            after[step.ref] = _kept_apart(step, states)
        else:
            after[step.ref] = _applied(step, states.get(step.ref))
    follow(moved, before, after)
    return tuple(
        Change(ref=ref, body=body) for ref, body in after.items() if body != before.get(ref)
    )


def _kept_apart(step: _Put, states: Mapping[ResourceRef, JsonObject | None]) -> JsonObject | None:
    """The resource, of which no part is of two patients.

    What moved with its visit stays where it is. The number of another patient's visit is a visit of
    its own from now on, unless the patient took over that record, or is only named by the message.
    """
    stored = states.get(step.ref)
    former, now = whose(stored), whose(step.body)
    if not former or not now or former == now:
        return _applied(step, stored)
    if step.ref.type not in MOVABLE:
        return _applied(replace(step, body=given(step.body, former)), stored)
    if takes_over(states.get(ResourceRef(*now.split("/", 1))), former):
        return _applied(step, stored)
    return stored if step.identifies else _applied(step, None)


def _applied(step: _Step, stored: JsonObject | None) -> JsonObject | None:
    if isinstance(step, _Put):
        body = _plain(step.body)
        if step.creates and stored is not None:
            return stored
        return _met(step, stored, body) if step.merge else body
    if stored is None or not step.path.names:
        return None
    return without(stored, step.path)


def _met(step: _Put, stored: JsonObject | None, body: JsonObject) -> JsonObject:
    """The resource of a message meets the stored one, by what the message knows of it."""
    if step.ref.type in MENTIONED:
        return mentioned(stored, body)
    if stored is None:
        return provisional(body) if step.identifies else body
    newer = said(stored, body, step.assumed)
    if step.identifies and not is_provisional(stored):
        return filled(stored, newer)
    stored = vacated(stored, newer, step.exact) if step.exact else stored
    made = settled(merged(superseded(stored, newer), newer), newer)
    return made if step.identifies else sure(made)


def _plain(body: JsonObject) -> JsonObject:
    """The body without the two elements that the store stamps on each version."""
    meta = body.get("meta")
    if not isinstance(meta, dict) or not ({"versionId", "lastUpdated"} & meta.keys()):
        return body
    kept: JsonObject = {k: v for k, v in meta.items() if k not in {"versionId", "lastUpdated"}}
    rest: JsonObject = {k: v for k, v in body.items() if k != "meta"}
    return rest | {"meta": kept} if kept else rest


def _check_precondition(step: _Step, stored: JsonObject | None) -> None:
    """If-Match and If-None-Match of https://hl7.org/fhir/R4/http.html#concurrency."""
    if step.if_match:
        meta = (stored or {}).get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        named = {tag.strip().removeprefix("W/").strip('"') for tag in step.if_match.split(",")}
        if stored is None or not {version, "*"} & named:  # RFC 9110 s13.1.1
            raise BridgeError(
                "version-conflict",
                Fault.SENDER,
                what="the stored version is another than ifMatch names",
                where=step.ref.type,
                do="read the resource again and repeat the change on its present version",
            )
    if isinstance(step, _Put) and step.if_none_match == "*" and stored is not None:
        raise BridgeError(
            "already-exists",
            Fault.SENDER,
            what="ifNoneMatch is * and the resource exists",
            where=step.ref.type,
            do="update the existing resource, or drop ifNoneMatch",
        )


def _steps(bundle: JsonObject, apply: Apply) -> Iterator[_Step]:
    """Deletes before sets, so that deleting and setting one element in one message sets it."""
    entries = _entries(bundle)
    if apply is Apply.MERGE:
        yield from _merge_steps(entries)
        return
    steps = [_request_step(index, entry) for index, entry in enumerate(entries)]
    yield from (step for step in steps if isinstance(step, _Delete))
    yield from (step for step in steps if isinstance(step, _Put))


def _entries(bundle: JsonObject) -> list[JsonObject]:
    return [cast("JsonObject", entry) for entry in cast("list[Json]", bundle.get("entry", []))]


def _moves(entry: JsonObject) -> bool:
    """Whether the entry is a change set that moves something: most messages have none."""
    body = cast("JsonObject", entry.get("resource", {}))
    listed = body.get("parameter") if _is_patch(entry) else None
    return isinstance(listed, list) and any(
        isinstance(one, dict) and one.get("name") == "move" for one in listed
    )


def _operations(entries: list[JsonObject]) -> Iterator[Operation]:
    """What the change sets of the bundle say."""
    for index, entry in enumerate(entries):
        if _is_patch(entry):
            yield from read(
                cast("JsonObject", entry["resource"]), f"Bundle.entry[{index}].resource"
            )


def _merge_steps(entries: list[JsonObject]) -> Iterator[_Step]:
    assumed: dict[tuple[str, str], set[str]] = {}
    exact: dict[tuple[str, str], set[str]] = {}
    for one in _operations(entries):
        if isinstance(one, Assumption):
            assumed.setdefault(one.target, set()).add(one.element)
        elif isinstance(one, Exactly):
            exact.setdefault(one.target, set()).add(one.element)
        elif isinstance(one, Deletion):
            yield _Delete(ref=ResourceRef(*one.target), path=one.path)
    for index, entry in enumerate(entries):
        if _is_patch(entry):
            continue
        body = cast("JsonObject", entry.get("resource", {}))
        ref = _ref_of(index, body)
        elements = assumed.get((ref.type, ref.id), set())
        yield _Put(
            ref=ref,
            body=body,
            merge=True,
            identifies="" in elements,
            assumed=frozenset(elements - {""}),
            exact=frozenset(exact.get((ref.type, ref.id), ())),
        )


def _request_step(index: int, entry: JsonObject) -> _Step:
    """POST, PUT and DELETE of https://hl7.org/fhir/R4/http.html#transaction; no request is PUT."""
    request = cast("dict[str, str]", entry.get("request", {}))
    body = entry.get("resource")
    if request.get("ifNoneExist") or "?" in request.get("url", ""):
        raise BridgeError(
            "conditional-unresolved",
            Fault.US,
            what="a conditional request reached the projection",
            where=f"Bundle.entry[{index}].request",
            do="resolve conditional requests before the bundle is applied",
        )
    if request.get("method") == "DELETE":
        kind, _, name = request.get("url", "").partition("/")
        ref = _ref_of(index, {"resourceType": kind, "id": name})
        return _Delete(ref=ref, if_match=request.get("ifMatch", ""))
    resource = cast("JsonObject", body if isinstance(body, dict) else {})
    return _Put(
        ref=_ref_of(index, resource),
        body=resource,
        merge=False,
        creates=request.get("method") == "POST",
        if_match=request.get("ifMatch", ""),
        if_none_match=request.get("ifNoneMatch", ""),
    )


def _ref_of(index: int, body: JsonObject) -> ResourceRef:
    kind, name = body.get("resourceType"), body.get("id")
    if not isinstance(kind, str) or not isinstance(name, str) or not kind or not name:
        raise BridgeError(
            "entry-without-identity",
            Fault.US,
            what="an entry of a canonical bundle has no resource type and id",
            where=f"Bundle.entry[{index}]",
            do="give every entry its deterministic id in the dialect that made the bundle",
        )
    return ResourceRef(kind, name)


def _is_patch(entry: JsonObject) -> bool:
    body = entry.get("resource")
    return isinstance(body, dict) and body.get("resourceType") == _PATCH
