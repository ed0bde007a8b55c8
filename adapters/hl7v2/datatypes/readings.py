"""Readings: what analysers and laboratories write where HL7 wants a number or a reference range.

`<5.6`, `>= 10`, `5.6-7.8`, `1:128`, `1,234.5` are the forms of SN in one text and become what SN
becomes (HL7 v2.8 ch. 2A.2.70). What could be read in two ways stays text: a wrong number is worse.
https://hl7.org/fhir/R4/observation-definitions.html#Observation.referenceRange.
"""

import re
from decimal import Decimal
from typing import Final

from msgspec import Raw

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import clean
from adapters.hl7v2.datatypes.numbers import number
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Reading", "reading", "reference_range"]

Reading = tuple[str, JsonObject]
"""`Quantity`, `Range` or `Ratio`, and the value without its unit."""
_SIGNS: Final = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=", "≤": "<=",
                 "≥": ">=", "=": "", "": ""}  # fmt: skip
_MAX_TEXT: Final = 200
"""No number with its comparator, range and unit is longer: what is longer is prose."""
_NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_COMPARED: Final = re.compile(rf"(<=|>=|=<|=>|<|>|≤|≥|=|)\s*({_NUMBER})")
_SPAN: Final = re.compile(rf"({_NUMBER})\s*(?:-|\u2013|\.\.\.?|\bto\b)\s*({_NUMBER})")
_TITER: Final = re.compile(r"(<=|>=|<|>|)\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)")
_GROUPED: Final = re.compile(
    r"(<=|>=|<|>|)\s*([+-]?\d{1,3}(?:,\d{3}){2,}|[+-]?\d{1,3}(?:,\d{3})+\.\d+)"
)
"""Thousands that can be nothing else: two groups, or a group and a point. `1,234` may be 1.234."""
_COMMA: Final = re.compile(r"(<=|>=|<|>|)\s*([+-]?(?:0+,\d+|\d+,(?!\d{3}$)\d+))")
"""A comma that can only be a decimal one: not three digits behind it, or nothing but 0 before."""


def reading(text: str) -> Reading | None:
    """The value of a clean text that is no plain number; None where it has no single meaning."""
    if len(text) > _MAX_TEXT:
        return None
    for pattern, comma in ((_COMPARED, ""), (_GROUPED, ""), (_COMMA, ".")):
        found = pattern.fullmatch(text)
        if found:
            return _compared(_SIGNS[found[1]], found[2].replace(",", comma))
    found = _SPAN.fullmatch(text)
    if found:
        ends = _span(found[1], found[2])
        return ("Range", ends) if ends else None
    found = _TITER.fullmatch(text)
    if found is None:
        return None
    upper: JsonObject = {"value": _raw(found[2])}
    if found[1]:
        upper["comparator"] = found[1]
    return "Ratio", {"numerator": upper, "denominator": {"value": _raw(found[3])}}


def reference_range(text: str, unit: JsonObject | None, ctx: Context) -> JsonObject | None:
    """A reference range as sent, with low and high where it says them.

    The sign of a bound stays in the text alone. A unit behind the numbers is theirs, else they
    have the unit of the result.
    """
    shown = clean(text.rstrip(ctx.component), ctx)
    if not shown:
        return None
    ends = _bounds(shown) if len(shown) <= _MAX_TEXT else {}
    same = str((unit or {}).get("unit", "")).lower()
    for end in ends.values():
        own = _object(end)
        if unit and str(own.get("unit", same)).lower() == same:
            own |= unit
    return {**ends, "text": shown}


def _bounds(text: str) -> JsonObject:
    """`low` and `high`; FHIR's SimpleQuantity has no comparator, so `<5` is a high of 5."""
    spanned = _SPAN.match(text)
    if spanned:
        ends = _span(spanned[1], spanned[2]) or {}
        return _with_unit(ends, text[spanned.end() :])
    compared = _COMPARED.match(text)
    if compared is None or not _SIGNS[compared[1]]:
        return {}
    side = "high" if _SIGNS[compared[1]][0] == "<" else "low"
    return _with_unit({side: {"value": _raw(compared[2])}}, text[compared.end() :])


def _with_unit(ends: JsonObject, rest: str) -> JsonObject:
    """The ends with the unit that follows them; nothing where more than a unit follows."""
    unit = rest.strip()
    if not unit:
        return ends
    if len(unit.split()) > 1 or unit.lstrip("/")[:1].isdigit() or unit[0] in ",;-<>:.()[]":
        return {}
    return {end: {**_object(value), "unit": unit} for end, value in ends.items()}


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _compared(sign: str, digits: str) -> Reading:
    value: JsonObject = {"value": _raw(digits)}
    return "Quantity", {"comparator": sign, **value} if sign else value


def _span(low: str, high: str) -> JsonObject | None:
    """Both ends; None where the first is the greater one."""
    first, second = number(low), number(high)
    if not first or not second or Decimal(first) > Decimal(second):
        return None
    return {"low": {"value": _raw(low)}, "high": {"value": _raw(high)}}


def _raw(digits: str) -> Raw:
    return Raw(number(digits).encode("ascii"))
