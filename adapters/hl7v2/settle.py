"""What R4 demands of several elements together, settled once all rows have run.

A row fills one element and cannot know the others: a period that ends before it starts, a contact
of whom nothing is known. What cannot stand is taken out and reported; nothing is invented.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias, cast

from msgspec import Raw

from adapters.hl7v2.build import Build
from adapters.hl7v2.compiler.rows import SegmentMap
from adapters.hl7v2.datatypes.times import ends_before, moment_of
from adapters.hl7v2.distinct import distinct
from adapters.hl7v2.dosing import instruct
from adapters.hl7v2.elements import UNKNOWN
from adapters.hl7v2.enclosed import filed_under
from adapters.hl7v2.kinship import resolve
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Periods", "periods_of", "settle"]

Periods: TypeAlias = Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]]
"""By resource type and element the paths below it of periods whose ends come of two rows."""

_ENDS: Final = frozenset({"start", "end"})
_REACHED_BY: Final = frozenset({"name", "telecom", "address", "organization"})
_REVIEWED: Final = frozenset({"note", "contact"})
_NO_PERIODS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {}
_MAX_MINUTES: Final = 5_256_000
"""Ten years: no appointment lasts longer."""
_LAST_YEAR: Final = 9980
"""Ten years on, the year still has four digits."""
_WITHOUT_TIME: Final = frozenset({"proposed", "cancelled", "waitlist"})
_TIMES: Final = ("start", "end")


def periods_of(maps: Iterable[SegmentMap]) -> Periods:
    """Where the rows may make a period that ends before it starts; functions settle their own."""
    found: dict[str, dict[str, dict[tuple[str, ...], None]]] = {}
    for rules in maps:
        for row in rules.rows:
            steps = row.to if row.on else (*rules.into, *row.to)
            *path, last = [step.name for step in steps] or [""]
            if path and last in _ENDS and path[-1].lower().endswith("period"):
                elements = found.setdefault(row.on or rules.target, {})
                elements.setdefault(path[0], {})[tuple(path[1:])] = None
    return {
        kind: {name: tuple(paths) for name, paths in elements.items()}
        for kind, elements in found.items()
    }


def settle(build: Build, periods: Periods) -> None:
    """Make every resource of the build satisfy per-1, pat-1, app-3 and Annotation.text.

    Besides, an identifier that two segments state (ORC-2 and OBR-2) is kept once, and what is about
    an unknown patient in a message about one patient (AIS, in a group beside that of PID) is about
    that one.
    """
    _finish(build)
    kinds = build.kinds()
    if "Specimen" in kinds:
        _taken_from(build)
    only = [*build.resources][kinds.index("Patient")] if kinds.count("Patient") == 1 else ""
    for kind, entry in zip(kinds, build.entries.values(), strict=True):
        if isinstance(entry, Raw):
            continue  # of one field, whose function has settled it
        resource: Any = entry["resource"]
        if only and resource.get("subject") == UNKNOWN:
            resource["subject"] = {"reference": only}
        spans = periods.get(kind, _NO_PERIODS)
        if not spans.keys().isdisjoint(resource):
            _periods(resource, kind, spans, build)
        if "identifier" in resource and len(resource["identifier"]) > 1:
            resource["identifier"] = distinct(resource["identifier"])
        if not _REVIEWED.isdisjoint(resource) or kind == "Appointment":
            _review(resource, kind, build)


def _finish(build: Build) -> None:
    """What needs more than one segment: documents, dosage instructions, parents and members."""
    for one in build.enclosed:
        filed_under(one, build.keep)
    for order, dosing in build.dosing.values():
        instruct(order, dosing)
    resolve(build.kin, build.resources.values(), build.keep)


def _taken_from(build: Build) -> None:
    """The results of a report are of its specimen where it has one: SPM stands behind OBX."""
    resources = build.resources
    for report in resources.values():
        specimens = cast("list[JsonObject]", report.get("specimen", ()))
        if report["resourceType"] != "DiagnosticReport" or len(specimens) != 1:
            continue
        for one in cast("list[dict[str, str]]", report.get("result", ())):
            result = resources.get(one["reference"])
            if result is not None:
                result.setdefault("specimen", specimens[0])


def _review(resource: JsonObject, kind: str, build: Build) -> None:
    """Elements that are nothing without some other."""
    if "note" in resource:
        _keep(resource, "note", frozenset({"text"}), build, kind)
    if kind == "Patient" and "contact" in resource:
        _keep(resource, "contact", _REACHED_BY, build, kind)
    elif kind == "Appointment":
        _appointment(resource, build)


def _periods(
    resource: JsonObject,
    kind: str,
    elements: Mapping[str, tuple[tuple[str, ...], ...]],
    build: Build,
) -> None:
    """Rule per-1, for the periods at these paths of the resource."""
    for name in [name for name in elements if name in resource]:
        held = resource[name]
        for period in [one for path in elements[name] for one in _at(held, path)]:
            start, end = period.get("start"), period.get("end")
            if isinstance(start, str) and isinstance(end, str) and ends_before(start, end):
                del period["end"]
                build.ctx.at = f"{kind}.{name}" if isinstance(held, list) else kind
                text = "a period ends before it starts: its end was left out"
                build.ctx.note("period-reversed", text)


def _at(held: Json, path: tuple[str, ...]) -> list[JsonObject]:
    """The objects at the path below the value, through every element of the arrays on the way."""
    found = _objects(held)
    for name in path:
        found = [below for one in found if name in one for below in _objects(one[name])]
    return found


def _objects(value: Json) -> list[JsonObject]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, dict)]
    return [value] if isinstance(value, dict) else []


def _keep(resource: JsonObject, name: str, needed: frozenset[str], build: Build, kind: str) -> None:
    """Only those of the array that have one of the elements; what is left out is reported."""
    held = cast("list[JsonObject]", resource[name])
    kept: list[Json] = [one for one in held if one.keys() & needed]
    if len(kept) == len(held):
        return
    build.ctx.at = f"{kind}.{name}"
    build.ctx.note("element-incomplete", f"a {name} without {' or '.join(sorted(needed))}")
    if kept:
        resource[name] = kept
    else:
        del resource[name]


def _appointment(resource: JsonObject, build: Build) -> None:
    """Rules app-2 and app-3: what lacks of the time of an appointment is said to be unknown.

    The status is the sender's: an appointment whose hour nobody can tell was still booked.
    """
    build.ctx.at = "SCH-11"
    start, minutes = resource.get("start"), resource.get("minutesDuration")
    if isinstance(start, str):
        if "end" in resource:
            _lasting(resource, start, build)
        elif isinstance(minutes, int) and _is_near(start, minutes):
            resource["end"] = _later(start, minutes)
    lacking = [name for name in _TIMES if name not in resource]
    agreed = resource.get("status") not in _WITHOUT_TIME
    if not lacking or (len(lacking) == len(_TIMES) and not agreed):
        return
    resource.update({f"_{name}": {**UNKNOWN} for name in lacking})
    build.ctx.note(
        "appointment-open", "an appointment lacks start or end: it is said to be unknown"
    )


def _lasting(resource: JsonObject, start: str, build: Build) -> None:
    """No end before the start, and no duration beyond the end."""
    end, minutes = cast("str", resource["end"]), resource.get("minutesDuration")
    if ends_before(start, end):
        del resource["end"]
        build.ctx.note("period-reversed", "an appointment ends before it starts: no end was kept")
    elif isinstance(minutes, int):
        whole = (moment_of(end) - moment_of(start)) // timedelta(minutes=1)
        if minutes > whole > 0:
            resource["minutesDuration"] = whole
            text = "an appointment lasts longer than to its end: it lasts to its end"
            build.ctx.note("duration-beyond", text)


def _is_near(instant: str, minutes: int) -> bool:
    """Whether the sum can be written as a date at all."""
    return minutes <= _MAX_MINUTES and int(instant[:4]) < _LAST_YEAR


def _later(instant: str, minutes: int) -> str:
    """The instant after so many minutes, in the same offset."""
    later = moment_of(instant) + timedelta(minutes=minutes)
    return later.isoformat().replace("+00:00", "Z")
