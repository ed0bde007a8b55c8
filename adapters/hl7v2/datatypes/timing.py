"""When and how often: RI, RPT, TQ.

HL7 v2.8 ch. 2A.2.63 (RPT), v2.5.1 ch. 2A.66 (RI), 2A.80 (TQ), table 0335; v2-to-FHIR maps
RI[Timing], RPT[Timing], TQ[ServiceRequest]; https://hl7.org/fhir/R4/datatypes.html#timing.
"""

from typing import Final

from msgspec import Raw

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up, sub_concept
from adapters.hl7v2.datatypes.components import code_part, part, split_parts, subparts
from adapters.hl7v2.datatypes.numbers import decimal_part, number
from adapters.hl7v2.datatypes.quantities import unit_of
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between, time_of_day
from adapters.hl7v2.tables import CodeTable, load
from bridge.core.record.bundle import Json, JsonObject

__all__ = [
    "duration_unit",
    "ri_timing",
    "rpt_timing",
    "tq_period",
    "tq_priority",
    "tq_quantity",
    "tq_timing",
]

_UCUM: Final = "http://unitsofmeasure.org"
_UNITS: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}
"""Units of table 0335 and of TQ.3, in UCUM."""
_TIMES_A_DAY: Final = {"BID": 2, "TID": 3, "QID": 4, "QAM": 1, "QPM": 1, "QHS": 1, "QSHIFT": 3}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_DIGITS: Final = 6
"""Of a count, period or offset: a million of any unit is no schedule."""
_MAX_TIMES: Final = 48
"""Times of day in RI.2: one each half hour."""


@datatype("RI", "Timing", reads=(1, 2), coded=True)
def ri_timing(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """The pattern as code and, where it says so, as frequency and period; explicit times of day."""
    return _timing(*_ri(split_parts(text, ctx), ctx, table))


@datatype("RPT", "Timing", reads=(1, 2, 3, 4, 5, 6, 8, 9, 10), coded=True)
def rpt_timing(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """Pattern, days of week of a DW alignment, period, event and its offset in minutes."""
    parts = split_parts(text, ctx)
    code, repeat = _pattern(parts[0], ctx, table)
    if code_part(parts, 2, ctx) == "DW":
        days: list[Json] = [_DAYS[at - 1] for at in _week(parts, ctx)]
        if days:
            repeat["dayOfWeek"] = days
    _add_rpt_period(repeat, parts, ctx)
    _add_event(repeat, parts, ctx)
    return _timing(code, repeat)


@datatype("TQ", "Timing", reads=(2, 3, 4, 5, 12), coded=True)
def tq_timing(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """Interval, count and bounds: TQ.4 to TQ.5, else the duration of TQ.3."""
    parts = split_parts(text, ctx)
    code, repeat = _ri(subparts(parts[1], ctx), ctx, table) if len(parts) > 1 else (None, {})
    total = _count(part(parts, 12, ctx))
    if total:
        repeat["count"] = total
    period = tq_period(text, ctx)
    if period:
        repeat["boundsPeriod"] = period
    else:
        _add_duration(repeat, part(parts, 3, ctx).upper())
    return _timing(code, repeat)


@datatype("TQ", "Period", reads=(4, 5))
def tq_period(text: str, ctx: Context) -> JsonObject | None:
    """TQ.4 to TQ.5."""
    parts = split_parts(text, ctx)
    start, end = (parts[at] if at < len(parts) else "" for at in (3, 4))
    return period_between(start, end, ctx)


@datatype("TQ", "Quantity", reads=(1,))
def tq_quantity(text: str, ctx: Context) -> JsonObject | None:
    """TQ.1, a CQ in subcomponents; None for the plain 1 that says nothing."""
    pieces = subparts(split_parts(text, ctx)[0], ctx)
    value = decimal_part(pieces[0], ctx)
    if value is None or (bytes(value) == b"1" and len(pieces) == 1):
        return None
    return {"value": value, **unit_of(pieces[1:4], ctx)}


@datatype("TQ", "code", reads=(6,), coded=True)
def tq_priority(text: str, ctx: Context, table: CodeTable | None = None) -> str | None:
    """TQ.6; of a table, its row for the code."""
    value = code_part(split_parts(text, ctx), 6, ctx)
    if not value or table is None:
        return value or None
    row = look_up(table, value)
    if row is None:
        ctx.note("code-unmapped", "the priority is not in the field's table")
    return row[1] if row else None


@datatype("TQ", "string", reads=(7, 8))
def tq_text(text: str, ctx: Context) -> str | None:
    """Condition and text, for a reader."""
    parts = split_parts(text, ctx)
    return "; ".join(value for at in (7, 8) if (value := part(parts, at, ctx))) or None


def _timing(code: JsonObject | None, repeat: JsonObject) -> JsonObject | None:
    result: JsonObject = {}
    if repeat:
        result["repeat"] = repeat
    if code:
        result["code"] = code
    return result or None


def _ri(
    parts: list[str], ctx: Context, table: CodeTable | None
) -> tuple[JsonObject | None, JsonObject]:
    code, repeat = _pattern(parts[0], ctx, table)
    if len(parts) > 1 and parts[1]:
        times: list[Json] = []
        for piece in part(parts, 2, ctx).split(",")[:_MAX_TIMES]:
            found = time_of_day(piece, ctx) if piece else None
            if found and found not in times:
                times.append(found)
        if times:
            repeat["timeOfDay"] = times
    return code, repeat


def _pattern(
    raw: str, ctx: Context, table: CodeTable | None
) -> tuple[JsonObject | None, JsonObject]:
    """The pattern as a concept and as repeat elements; RI.1 and RPT.1 may be a CWE inside."""
    if not raw:
        return None, {}
    table = load("RepeatPattern") if table is None else table
    code = code_part(subparts(raw, ctx), 1, ctx).upper()
    repeat = _repeat(code)
    # Q4H and its like are families of codes: no table lists them, their parts say it all.
    listed = look_up(table, code) is not None
    return sub_concept(raw, ctx, table if listed or not repeat else None), repeat


def _repeat(code: str) -> JsonObject:
    """Frequency, period and unit of a code of table 0335; empty when it says none."""
    if code in {"ONCE", "QOD"}:
        return {"count": 1} if code == "ONCE" else _every(1, "2", "d")
    frequency = _TIMES_A_DAY.get(code)
    if frequency is not None:
        return _every(frequency, "1", "d")
    if code[-2:] == "ID" and _count(code[:-2]):
        return _every(_count(code[:-2]), "1", "d")
    if code[:1] != "Q" or len(code) < 2:
        return {}
    head, mark, day = code[1:].partition("J")
    if mark:
        return _weekdays(head, day)
    unit = _UNITS.get(code[-1])
    digits = code[1:-1] or "1"
    return _every(1, digits, unit) if unit and _count(digits) else {}


def _weekdays(weeks: str, days: str) -> JsonObject:
    """`Q<integer>J<day#>`: every so many weeks on those days, 1 Monday to 7 Sunday."""
    numbers = sorted(set(days))
    if not numbers or any(day not in "1234567" for day in numbers) or not _count(weeks or "1"):
        return {}
    repeat = _every(1, weeks or "1", "wk")
    return {**repeat, "dayOfWeek": [_DAYS[int(day) - 1] for day in numbers]}


def _every(frequency: int, period: str, unit: str) -> JsonObject:
    return {"frequency": frequency, "period": Raw(str(int(period)).encode()), "periodUnit": unit}


def _week(parts: list[str], ctx: Context) -> range:
    """Days of the week from RPT.3 to RPT.4, empty when they are none."""
    first = _count(part(parts, 3, ctx))
    last = _count(part(parts, 4, ctx)) or first
    return range(first, last + 1) if 1 <= first <= last <= 7 else range(0)


def _add_rpt_period(repeat: JsonObject, parts: list[str], ctx: Context) -> None:
    """RPT.5 and RPT.6: the interval, which stands above the pattern's own."""
    units = look_up(load("DurationUnits"), _sub_code(parts, 6, ctx))
    period = number(part(parts, 5, ctx))
    if units is None or not period or "e" in period.lower() or not any(map(int, _digits(period))):
        return
    if period[0] != "-":
        repeat["period"], repeat["periodUnit"] = Raw(period.encode()), units[1]
        repeat.setdefault("frequency", 1)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _add_event(repeat: JsonObject, parts: list[str], ctx: Context) -> None:
    """RPT.8 to RPT.10; FHIR wants an offset in minutes and only beside an event (tim-9)."""
    event = look_up(load("EventRelatedPeriod"), code_part(parts, 8, ctx))
    if event is None:
        return
    repeat["when"] = [event[1]]
    minutes = {"min": 1, "h": 60, "d": 1440}
    units = look_up(load("DurationUnits"), _sub_code(parts, 10, ctx))
    offset = _count(part(parts, 9, ctx))
    factor = minutes.get(units[1], 0) if units else 0
    if offset and factor and event[1] not in {"C", "CM", "CD", "CV"}:
        repeat["offset"] = offset * factor


def duration_unit(parts: list[str], ctx: Context) -> str:
    """Code of the unit of a CQ: in subcomponents of CQ.2, or in components as old senders do."""
    return _sub_code(parts, 2, ctx).removesuffix("+")


def _sub_code(parts: list[str], at: int, ctx: Context) -> str:
    return code_part(subparts(parts[at - 1], ctx), 1, ctx) if at <= len(parts) else ""


def _add_duration(repeat: JsonObject, duration: str) -> None:
    """TQ.3: `D10` ten days, `X5` five times; INDEF and T sequences say no bound."""
    amount = _count(duration[1:])
    unit = _UNITS.get(duration[:1])
    if amount and unit:
        value: JsonObject = {"value": amount, "unit": unit, "system": _UCUM, "code": unit}
        repeat["boundsDuration"] = value
    elif amount and duration[:1] == "X":
        repeat.setdefault("count", amount)


def _count(text: str) -> int:
    """A positive whole number in digits; 0 when it is none."""
    if not text or len(text) > _MAX_DIGITS or not text.isascii() or not text.isdigit():
        return 0
    return int(text)
