"""When: TQ1 as the Timing of an order or of a dose, with priority-like conditions in words.

HL7 v2.5.1 ch. 4.5.4; v2-to-FHIR maps TQ1[ServiceRequest], TQ1[MedicationRequest];
https://hl7.org/fhir/R4/datatypes.html#timing, whose constraints tim-1 to tim-10 hold.
"""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.numbers import decimal_part
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.datatypes.timing import duration_unit
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["schedule"]

_READS: Final = ("TQ1-2", "TQ1-3", "TQ1-4", "TQ1-5", "TQ1-6", "TQ1-7", "TQ1-8", "TQ1-9", "TQ1-10",
                 "TQ1-11", "TQ1-12", "TQ1-13", "TQ1-14")  # fmt: skip
_UCUM: Final = "http://unitsofmeasure.org"
_MEALS: Final = frozenset({"C", "CM", "CD", "CV"})
_MAX_TIMES: Final = 48
"""Explicit times of day: one each half hour."""


@rule("order-schedule", reads=_READS, writes="occurrence")
def order_schedule(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A service that repeats has a Timing, any other a Period; TQ1-10 is its precondition."""
    made = schedule(f, b)
    if "condition" in made:
        r["asNeededCodeableConcept"] = {"text": made["condition"]}
    elif made.get("asNeeded"):
        r["asNeededBoolean"] = True
    if "text" in made:
        append(r, "note", {"text": made["text"]})
    _occur(made, b, r)


@rule("old-order-schedule", reads=("ORC-7",), writes="occurrence")
def old_order_schedule(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ORC-7, a TQ, until version 2.5."""
    _old_schedule(f[7], "ORC-7", b, r)


@rule("old-test-schedule", reads=("OBR-27",), writes="occurrence")
def old_test_schedule(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-27, a TQ, where ORC-7 or TQ1 said nothing."""
    _old_schedule(f[27], "OBR-27", b, r)


def _old_schedule(text: str, at: str, b: Build, r: JsonObject) -> None:
    """Interval and bounds as the occurrence, unless one is known; condition and text as a note."""
    if not text or text == '""' or any(name.startswith("occurrence") for name in r):
        return
    b.ctx.at = at
    one = b.first(text)
    made: JsonObject = {}
    timing = DATATYPES["TQ.Timing"].function(one, b.ctx, None)
    quantity = DATATYPES["TQ.Quantity"].function(one, b.ctx)
    if timing:
        made["timing"] = timing
    if quantity:
        made["quantity"] = quantity
    _occur(made, b, r)
    words = DATATYPES["TQ.string"].function(one, b.ctx)
    if words:
        append(r, "note", {"text": words})


def _occur(made: JsonObject, b: Build, r: JsonObject) -> None:
    """The first TQ1 is the occurrence."""
    quantity, timing = made.get("quantity"), cast("JsonObject", made.get("timing", {}))
    if quantity:
        r.setdefault("quantityQuantity", quantity)
    if not timing:
        return
    r.pop("occurrenceDateTime", None)  # of OBR-6, which TQ1-7 replaces since version 2.5
    if "occurrenceTiming" in r or "occurrencePeriod" in r:
        b.ctx.at = "TQ1-3"
        b.ctx.note("timing-further", "an order has one occurrence: a further TQ1 was left out")
        return
    repeat = cast("JsonObject", timing.get("repeat", {}))
    if repeat.keys() == {"boundsPeriod"} and "code" not in timing:
        r["occurrencePeriod"] = repeat["boundsPeriod"]
    else:
        r["occurrenceTiming"] = timing


def schedule(f: list[str], b: Build) -> JsonObject:
    """`timing`, `quantity`, `condition`, `text` and `asNeeded` of one TQ1, those that it has."""
    made: JsonObject = {}
    b.ctx.at = "TQ1-3"
    timing: JsonObject = {}
    if f[3] and f[3] != '""':
        found = DATATYPES["RPT.Timing"].function(b.first(f[3]), b.ctx, None)
        timing = {**(found or {})}
    repeat: JsonObject = {**cast("JsonObject", timing.get("repeat", {}))}
    _add_times(repeat, f, b)
    _add_bounds(repeat, f, b)
    _add_durations(repeat, f, b)
    if repeat:
        timing["repeat"] = repeat
    if timing:
        made["timing"] = timing
    for name, field, function in (("quantity", 2, "CQ.Quantity"), ("condition", 10, "TX.string"),
                                  ("text", 11, "TX.string")):  # fmt: skip
        b.ctx.at = f"TQ1-{field}"
        value = DATATYPES[function].function(b.first(f[field]), b.ctx) if f[field] else None
        if value:
            made[name] = value
    if "PRN" in _first_codes(f, b):
        made["asNeeded"] = True
    return made


def _first_codes(f: list[str], b: Build) -> set[str]:
    """Pattern and priority: both may say that it is given as needed."""
    inner = b.ctx.subcomponent or "\x00"
    return {b.comp(f[field], 1).split(inner)[0].upper()[:3] for field in (3, 9)}


def _add_times(repeat: JsonObject, f: list[str], b: Build) -> None:
    """TQ1-4, unless an event of the day says it (tim-10)."""
    if not f[4] or "when" in repeat:
        return
    b.ctx.at = "TQ1-4"
    times: list[Json] = []
    for text in f[4].split(b.ctx.repetition)[:_MAX_TIMES]:
        found = DATATYPES["TM.time"].function(text, b.ctx) if text else None
        if found and found not in times:
            times.append(found)
    if times:
        repeat["timeOfDay"] = times


def _add_bounds(repeat: JsonObject, f: list[str], b: Build) -> None:
    """TQ1-7 and TQ1-8, else the duration of TQ1-6."""
    b.ctx.at = "TQ1-7"
    start, end = ("" if f[at] == '""' else b.first(f[at]) for at in (7, 8))
    period = period_between(start, end, b.ctx) if start or end else None
    if period:
        repeat["boundsPeriod"] = period
        return
    duration = _duration(f[6], "TQ1-6", b)
    if duration:
        value, unit = duration
        repeat["boundsDuration"] = {"value": value, "unit": unit, "system": _UCUM, "code": unit}


def _add_durations(repeat: JsonObject, f: list[str], b: Build) -> None:
    """TQ1-13 how long each time, TQ1-14 how often in all, TQ1-5 how long before or after."""
    lasting = _duration(f[13], "TQ1-13", b)
    if lasting:
        repeat["duration"], repeat["durationUnit"] = lasting
    if f[14]:
        b.ctx.at = "TQ1-14"
        count = DATATYPES["NM.positiveInt"].function(f[14], b.ctx)
        if count:
            repeat["count"] = count
    events = set(cast("list[str]", repeat.get("when", [])))
    if events and not events & _MEALS and "offset" not in repeat:
        minutes = _minutes(f[5], b)
        if minutes:
            repeat["offset"] = minutes


def _duration(text: str, at: str, b: Build) -> tuple[Json, str] | None:
    """A CQ whose unit is one of time."""
    if not text or text == '""':
        return None
    b.ctx.at = at
    parts = b.first(text).split(b.ctx.component)
    value = decimal_part(parts[0], b.ctx)
    row = look_up(load("DurationUnits"), duration_unit(parts, b.ctx))
    if value is None or row is None or bytes(value)[:1] == b"-":
        b.ctx.note("duration-unread", "a duration has no number with a unit of time")
        return None
    return value, row[1]


def _minutes(text: str, b: Build) -> int | None:
    found = _duration(text, "TQ1-5", b)
    factor = {"min": 1, "h": 60, "d": 1440}.get(found[1]) if found else None
    digits = bytes(cast("bytes", found[0])).decode() if found else ""
    return int(digits) * factor if factor and digits.isdigit() and len(digits) < 6 else None
