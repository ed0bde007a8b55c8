"""Rules of Appointment: how long it lasts, who and what it needs and when."""

from datetime import timedelta
from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.times import moment_of
from adapters.hl7v2.elements import NO_FIELDS, append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_PART: Final[JsonObject] = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            "code": "PART",
            "display": "Participation",
        }
    ]
}
_MINUTES: Final = {"min": 1, "h": 60, "d": 24 * 60, "wk": 7 * 24 * 60}
_MAX_DIGITS: Final = 7
"""Of a duration: ten million minutes are nineteen years."""
_LAST_YEAR: Final = 9980
"""Nineteen years on, the year still has four digits."""


@rule("appointment-minutes", reads=("SCH-9", "SCH-10", "SCH-11.3"), writes="minutesDuration")
def appointment_minutes(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """SCH-9 in the unit of SCH-10, else the duration of the old SCH-11.3 (`M30`)."""
    b.ctx.at = "SCH-9"
    minutes = _minutes(f[9], f[10], b)
    if not minutes and f[11]:
        b.ctx.at = "SCH-11"
        old = b.comp(f[11], 3).strip()
        minutes = _minutes(old[1:], old[:1], b) if old[:1].isalpha() else 0
    if minutes:
        r["minutesDuration"] = minutes


@rule("service-minutes", reads=("AIS-7", "AIS-8"), writes="minutesDuration")
def service_minutes(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """AIS-7 in the unit of AIS-8, where SCH says nothing."""
    b.ctx.at = "AIS-7"
    minutes = _minutes(f[7], f[8], b)
    if minutes and "minutesDuration" not in r:
        r["minutesDuration"] = minutes


@rule(
    "appointment-days",
    reads=("SCH-11.4", "SCH-11.5", "TQ1-7", "TQ1-8"),
    writes="requestedPeriod",
)
def appointment_days(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """Start and end are instants: of times without zone the days are kept, as what was asked for.

    HL7 v2.5.1 ch. 10.6.1.11; the zone that lacks is reported where the times are read.
    """
    if "start" in r and "end" in r:
        return
    timing = g.segment("TQ1") or NO_FIELDS
    day = DATATYPES["TS.uninstant"].function
    wished: JsonObject = {}
    for name, text in (
        ("start", b.comp(f[11], 4) or timing[7]),
        ("end", b.comp(f[11], 5) or timing[8]),
    ):
        found = day(text, b.ctx) if text and name not in r else None
        if found:
            wished[name] = found
    if wished:
        r["requestedPeriod"] = [wished]


@rule("appointment-comment", reads=("NTE-3",), writes="comment")
def appointment_comment(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Every NTE is a line of the one comment that an Appointment has."""
    b.ctx.at = "NTE-3"
    lines = [cast("str", r["comment"])] if "comment" in r else []
    for one in f[3].split(b.ctx.repetition) if f[3] != '""' else ():
        text = DATATYPES["FT.string"].function(one, b.ctx) if one else None
        if text:
            lines.append(text)
    if lines:
        r["comment"] = "\n".join(lines)
    elif f[3] == '""':
        b.erase(r, "comment")


@rule("placer-contact", reads=("SCH-12", "SCH-16"), writes="participant")
def placer_contact(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Who asked for the appointment takes part once, also where SCH-16 names him too."""
    b.ctx.at = "SCH-12"
    named = [[b.comp(one, at) for at in (1, 2, 3)] for one in f[16].split(b.ctx.repetition)]
    for one in f[12].split(b.ctx.repetition):
        contact = [b.comp(one, at) for at in (1, 2, 3)]
        if one == '""' or not any(contact) or contact in named:
            continue
        who = b.person("XCN.Practitioner", one)
        if who:
            append(r, "participant", {"actor": who, "status": "accepted", "type": [{**_PART}]})


@rule("appointment-patient", reads=("PID-3",), writes="participant")
def appointment_patient(_f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """The patient takes part. A message that names nobody else does not take the others away.

    A cancellation often has SCH and PID alone: its list is assumed, and stated as soon as a
    resource group follows.
    """
    patient = b.near(g, "Patient")
    if patient is None:
        return
    append(r, "participant", {"actor": reference_to(patient), "status": "accepted"})
    held = cast("list[Json]", r["participant"])
    b.assumed.append((r, "participant", [*held]))


@rule("resource-time-aig", reads=("AIG-8", "AIG-9", "AIG-10", "AIG-11", "AIG-12"))
def time_aig(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """When the equipment is needed."""
    _period("AIG", (f[8], f[9], f[10], f[11], f[12]), b, r)


@rule("resource-time-ail", reads=("AIL-6", "AIL-7", "AIL-8", "AIL-9", "AIL-10"))
def time_ail(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """When the room is needed."""
    _period("AIL", (f[6], f[7], f[8], f[9], f[10]), b, r)


@rule("resource-time-aip", reads=("AIP-6", "AIP-7", "AIP-8", "AIP-9", "AIP-10"))
def time_aip(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """When the person is needed."""
    _period("AIP", (f[6], f[7], f[8], f[9], f[10]), b, r)


def _period(segment: str, fields: tuple[str, str, str, str, str], b: Build, r: JsonObject) -> None:
    """Of the participant just made: its own start, else the offset from the appointment's.

    v2-to-FHIR maps AIG, AIL and AIP [Appointment]: the end is the start and the duration.
    """
    start, offset, offset_unit, duration, unit = fields
    held = cast("list[JsonObject]", r.get("participant", []))
    if not held:
        return
    b.ctx.at = segment
    begins = DATATYPES["TS.dateTime"].function(b.first(start), b.ctx) if start else None
    away = _minutes(offset, offset_unit, b) if offset else None
    known = r.get("start")
    if not begins and away is not None and isinstance(known, str):
        begins = _later(known, away)
    period: JsonObject = {"start": begins} if begins else {}
    minutes = _minutes(duration, unit, b)
    if begins and minutes:
        ends = _later(begins, minutes)
        if ends:
            period["end"] = ends
    if period:
        held[-1] = {**held[-1], "period": period}


def _minutes(text: str, unit: str, b: Build) -> int:
    """Whole minutes; 0 where there is no duration or its unit is not known, which is reported."""
    digits = b.comp(text, 1).strip().removesuffix(".0")
    if not digits or digits == '""':
        return 0
    code = b.comp(unit, 1).strip()
    row = look_up(load("DurationUnits"), code.upper()) if code and code != '""' else None
    each = _MINUTES.get(row[1]) if row else None if code.strip('"') else 1
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS or each is None:
        if row and row[1] == "s" and digits.isdigit() and len(digits) <= _MAX_DIGITS:
            return int(digits) // 60
        b.ctx.note("duration-unread", "a duration is no whole number of a known unit of time")
        return 0
    return int(digits) * each


def _later(begins: str, minutes: int) -> str | None:
    """The time after so many minutes, in the same offset; None of a mere date."""
    if "T" not in begins or int(begins[:4]) >= _LAST_YEAR:
        return None
    later = moment_of(begins) + timedelta(minutes=minutes)
    return later.isoformat().replace("+00:00", "Z")
