"""Who said it: what a message states, what it only mentions, and what it assumes.

A message states the resources that its trigger is about. A result identifies the patient whose it
is and the visit that it belongs to: it may make them, and adds what is missing, but what an
admission stated stands. docs/adr/0009.
"""

from collections.abc import Collection
from typing import Final

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical
from bridge.core.record.elements import holds

__all__ = ["MENTIONED", "PROVISIONAL", "is_provisional", "mentioned", "provisional", "said", "sure"]

PROVISIONAL: Final[JsonObject] = {
    "system": "urn:fhir-anchor:tag",
    "code": "provisional",
    "display": "identified by messages about something else; no message stated it yet",
}
"""`meta.tag` of a resource that so far was only identified."""
MENTIONED: Final = frozenset(
    {"HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole"}
)
"""People and places that messages of many patients name, so that lanes give them no order."""
_UNION: Final = frozenset({"identifier", "extension"})


def said(stored: JsonObject, newer: JsonObject, assumed: Collection[str]) -> JsonObject:
    """The newer resource without what its message only assumed and what is known already."""
    known = {name for name in assumed if holds(stored, name)}
    return {name: value for name, value in newer.items() if name not in known} if known else newer


def is_provisional(body: JsonObject) -> bool:
    """Whether nobody stated the resource yet: the newest message that identifies it counts."""
    return PROVISIONAL in _tags(body)


def provisional(body: JsonObject) -> JsonObject:
    """The resource as the first message makes it that only identifies it."""
    meta = body.get("meta")
    kept = meta if isinstance(meta, dict) else {}
    return body | {"meta": kept | {"tag": [*_tags(body), PROVISIONAL]}}


def sure(body: JsonObject) -> JsonObject:
    """The resource as the first message leaves it that states it: no tag, no empty `meta`."""
    meta = body.get("meta")
    if not isinstance(meta, dict) or not is_provisional(body):
        return body
    tags = [tag for tag in _tags(body) if tag != PROVISIONAL]
    kept: JsonObject = {name: value for name, value in meta.items() if name != "tag"}
    if tags:
        kept["tag"] = tags
    rest: JsonObject = {name: value for name, value in body.items() if name != "meta"}
    return rest | {"meta": kept} if kept else rest


def mentioned(stored: JsonObject | None, newer: JsonObject) -> JsonObject:
    """The resource after one more mention: of each element the richest that was ever said.

    In any order of the mentions, and so for any number of workers, the result is the same.
    """
    if stored is None or stored == newer:
        return newer
    return {
        name: stored.get(name, newer.get(name))
        if name not in stored or name not in newer
        else _richer(name, stored[name], newer[name])
        for name in {**stored, **newer}
    }


def _richer(name: str, one: Json, other: Json) -> Json:
    """Longer canonical text says more; of two that are equally long the greater one stands."""
    if one == other:
        return one
    if name in _UNION and isinstance(one, list) and isinstance(other, list):
        items = {canonical(item): item for item in (*one, *other)}
        return [items[key] for key in sorted(items)]
    return max(one, other, key=lambda value: (len(canonical(value)), canonical(value)))


def _tags(body: JsonObject) -> list[Json]:
    meta = body.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return tags if isinstance(tags, list) else []
