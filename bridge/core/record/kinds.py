"""What holds for one type of resource when it is restated: results, and the places of a visit."""

from collections.abc import Callable, Mapping
from typing import Final

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.elements import choice_of
from bridge.core.record.statements import says_less

__all__ = ["settled", "superseded"]

_RESULT: Final = frozenset({"value", "component", "dataAbsentReason", "interpretation"})
"""One statement of an Observation: `high` beside a corrected, normal value would be a lie."""
_OVER: Final = frozenset({"finished", "cancelled", "entered-in-error"})
"""The patient has left, or never came."""
_OPEN: Final = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave"})
"""https://hl7.org/fhir/R4/valueset-encounter-status.html: the patient has not left."""

_PRESENT: Final = frozenset({"active", "recurrence", "relapse"})
"""https://hl7.org/fhir/R4/valueset-condition-clinical.html: the problem has not abated."""
_WHEN: Final = frozenset({"start", "end", "_start", "_end", "requestedPeriod"})
"""One statement of an Appointment."""
_CALLED_OFF: Final = frozenset({"cancelled", "noshow"})


def superseded(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """The stored resource less what the newer one makes untrue without naming it."""
    rule = _SUPERSEDED.get(str(stored.get("resourceType")))
    return rule(stored, newer) if rule else stored


def settled(body: JsonObject, newer: JsonObject) -> JsonObject:
    """The merged resource, with what the newer one implies for the elements that it left."""
    if body.get("resourceType") != "Encounter":
        return body
    places, now = body.get("location"), newer.get("location")
    if not isinstance(places, list):
        return body
    if body.get("status") in _OVER:
        return body | {"location": [_left(place, []) for place in places]}
    if not isinstance(now, list) or not _active(now):
        return body
    return body | {"location": [_left(place, _active(now)) for place in places]}


def _result(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """A result that differs takes the stored one with all that was said of it."""
    parts = [name for name in newer if choice_of(name.removeprefix("_")) in _RESULT]
    values = [name for name in parts if name != "interpretation"]
    if not values or all(says_less(newer[name], stored.get(name), name) for name in values):
        return stored
    return {
        name: value
        for name, value in stored.items()
        if name in parts or choice_of(name.removeprefix("_")) not in _RESULT
    }


def _visit(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """A finished visit that is open again has no end."""
    if stored.get("status") != "finished" or newer.get("status") not in _OPEN:
        return stored
    period = stored.get("period")
    if not isinstance(period, dict) or "end" not in period:
        return stored
    kept: JsonObject = {name: value for name, value in period.items() if name != "end"}
    rest: JsonObject = {name: value for name, value in stored.items() if name != "period"}
    return rest | {"period": kept} if kept else rest


def _appointment(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """R4 app-4: one that is booked again was not cancelled for a reason.

    One that starts at another time does not end when it did.
    """
    gone: set[str] = set()
    if newer.get("status", "cancelled") not in _CALLED_OFF:
        gone.add("cancelationReason")
    now, known = _starts(newer), _starts(stored)
    if now is not None and not says_less(now, known):
        gone |= _WHEN
    return {name: value for name, value in stored.items() if name not in gone}


def _starts(body: JsonObject) -> Json:
    """When it starts, be it a day alone."""
    wished = body.get("requestedPeriod")
    first = wished[0] if isinstance(wished, list) and wished else None
    return body.get("start", first.get("start") if isinstance(first, dict) else None)


def _condition(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """R4 con-4: what is active again, or was never so, has not ended; con-5 as for an allergy."""
    left = _finding(stored, newer)
    wrong = _code(newer.get("verificationStatus")) == "entered-in-error"
    if not wrong and _code(newer.get("clinicalStatus")) not in _PRESENT:
        return left
    return {
        name: value
        for name, value in left.items()
        if choice_of(name.removeprefix("_")) != "abatement"
    }


def _finding(stored: JsonObject, newer: JsonObject) -> JsonObject:
    """R4 ait-1 and ait-2: what is in error has no clinical status, and what has one is not."""
    if _code(newer.get("verificationStatus")) == "entered-in-error":
        return {name: value for name, value in stored.items() if name != "clinicalStatus"}
    if "clinicalStatus" in newer and _code(stored.get("verificationStatus")) == "entered-in-error":
        return {name: value for name, value in stored.items() if name != "verificationStatus"}
    return stored


def _code(concept: Json) -> str:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    first = codings[0] if isinstance(codings, list) and codings else None
    code = first.get("code") if isinstance(first, dict) else None
    return code if isinstance(code, str) else ""


_SUPERSEDED: Final[Mapping[str, Callable[[JsonObject, JsonObject], JsonObject]]] = {
    "AllergyIntolerance": _finding,
    "Appointment": _appointment,
    "Condition": _condition,
    "Encounter": _visit,
    "Observation": _result,
}


def _active(places: list[Json]) -> list[Json]:
    return [
        place.get("location")
        for place in places
        if isinstance(place, dict) and place.get("status") == "active"
    ]


def _left(place: Json, now: list[Json]) -> Json:
    """The patient is in one place: where he was before is completed."""
    if not isinstance(place, dict) or place.get("status") != "active":
        return place
    return place if place.get("location") in now else place | {"status": "completed"}
