"""Quantities: CQ, SN, NR, MO, CP, VR, and the units of CWE.

HL7 v2.8 ch. 2A.2.70 (SN), 2A.2.15 (CQ), 2A.2.40 (MO); v2-to-FHIR maps SN[Quantity], SN[Range],
SN[Ratio], CQ[Quantity], CWE[Quantity]. Digits stay as sent.
"""

import re
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import system_uri
from adapters.hl7v2.datatypes.components import clean, code_part, part, split_parts, subparts
from adapters.hl7v2.datatypes.numbers import decimal_part
from adapters.hl7v2.datatypes.registry import datatype
from bridge.core.record.bundle import JsonObject

__all__ = [
    "cp_money",
    "cq_quantity",
    "mo_money",
    "nr_range",
    "sn_quantity",
    "sn_range",
    "sn_ratio",
    "sn_string",
    "unit",
    "unit_of",
]

_COMPARATORS: Final = frozenset({"<", "<=", ">", ">="})
_EXACT: Final = frozenset({"", "="})
_TEN: Final = re.compile("[x*\u00d7]?\\s?10", re.IGNORECASE)
_POWER: Final = re.compile(r"[+-]?\d{1,2}(?!\d)")


@datatype("CWE CE CNE CF", "Quantity", reads=(1, 2, 3), version=2)
def unit(text: str, ctx: Context) -> JsonObject | None:
    """The unit of a Quantity whose value is another field's: unit, system and code.

    Code and system only where the sender names the coding system (FHIR qty-3). Half the
    laboratories write a power of ten without escaping its sign: `x10^9/L` is one unit.
    """
    return unit_of(split_parts(text, ctx), ctx) or None


@datatype("CQ", "Quantity", reads=(1, 2, 3, 4))
def cq_quantity(text: str, ctx: Context) -> JsonObject | None:
    """Value and unit; the unit's own parts as subcomponents, or as components as old senders do."""
    return _cq(split_parts(text, ctx), ctx)


@datatype("CQ", "decimal", reads=(1,))
def cq_decimal(text: str, ctx: Context) -> object:
    """The value alone, a `msgspec.Raw`."""
    return decimal_part(split_parts(text, ctx)[0], ctx)


@datatype("CQ", "code", reads=(2,))
def cq_code(text: str, ctx: Context) -> str | None:
    """The unit's code alone."""
    parts = split_parts(text, ctx)
    return code_part(subparts(parts[1], ctx), 1, ctx) or None if len(parts) > 1 else None


@datatype("SN", "Quantity", reads=(1, 2))
def sn_quantity(text: str, ctx: Context) -> JsonObject | None:
    """Comparator and number; None where the SN is a range, a ratio or a text."""
    comparator, low, separator, high = _sn(text, ctx)
    if separator or high or comparator not in _COMPARATORS | _EXACT:
        return None
    value = decimal_part(low, ctx)
    if value is None:
        return None
    return {"value": value} if comparator in _EXACT else {"comparator": comparator, "value": value}


@datatype("SN", "Range", reads=(1, 2, 3, 4))
def sn_range(text: str, ctx: Context) -> JsonObject | None:
    """`low - high` without comparator; None otherwise."""
    comparator, low, separator, high = _sn(text, ctx)
    if separator != "-" or comparator not in _EXACT:
        return None
    return _range(low, high, ctx)


@datatype("SN", "Ratio", reads=(1, 2, 3, 4))
def sn_ratio(text: str, ctx: Context) -> JsonObject | None:
    """`a:b` or `a/b`, a comparator on the first; None otherwise."""
    comparator, first, separator, second = _sn(text, ctx)
    if separator not in {":", "/"} or comparator not in _COMPARATORS | _EXACT:
        return None
    numerator, denominator = decimal_part(first, ctx), decimal_part(second, ctx)
    if numerator is None or denominator is None:
        return None
    upper: JsonObject = {"value": numerator}
    if comparator in _COMPARATORS:
        upper["comparator"] = comparator
    return {"numerator": upper, "denominator": {"value": denominator}}


@datatype("SN", "string", reads=(1, 2, 3, 4))
def sn_string(text: str, ctx: Context) -> str | None:
    """The four components with a space between: what `<>`, `+` and every other form becomes."""
    return " ".join(value for value in _sn(text, ctx) if value) or None


@datatype("NR", "Range", reads=(1, 2))
def nr_range(text: str, ctx: Context) -> JsonObject | None:
    """Low to high, either of which may be open."""
    parts = split_parts(text, ctx)
    return _range(parts[0], parts[1] if len(parts) > 1 else "", ctx)


@datatype("VR", "string", reads=(1, 2))
def vr_string(text: str, ctx: Context) -> str | None:
    """The first and last value of a value range, `a - b`."""
    parts = split_parts(text, ctx)
    values = [value for value in (part(parts, 1, ctx), part(parts, 2, ctx)) if value]
    return " - ".join(values) or None


@datatype("MO", "Money", reads=(1, 2))
def mo_money(text: str, ctx: Context) -> JsonObject | None:
    """Amount and ISO 4217 currency; a currency of another form is reported and left out."""
    return _money(split_parts(text, ctx), ctx)


@datatype("CP", "Money", reads=(1, 2), version=2)
def cp_money(text: str, ctx: Context) -> JsonObject | None:
    """The price in CP.1, an MO in subcomponents; old senders write the MO itself, `10^USD`.

    CP.2 is a type of price (table 0205), all of two letters: three are a currency.
    """
    parts = split_parts(text, ctx)
    amount = subparts(parts[0], ctx)
    second = part(parts, 2, ctx)
    if len(amount) == 1 and len(second) == 3 and second.isalpha():
        amount = [amount[0], second]
    return _money(amount, ctx)


def unit_of(parts: list[str], ctx: Context) -> JsonObject:
    """Unit, system and code of a CWE's raw parts; empty when there is none."""
    result: JsonObject = {}
    if len(parts) > 1 and _TEN.fullmatch(parts[0]) and _POWER.match(parts[1]):
        return {"unit": clean("^".join(parts[:2]), ctx)}
    shown = part(parts, 2, ctx) or part(parts, 1, ctx)
    if shown:
        result["unit"] = shown
    code, name = code_part(parts, 1, ctx), part(parts, 3, ctx)
    if code and name:
        result["system"] = system_uri(name, "", code, ctx)
        result["code"] = code
    return result


def _cq(parts: list[str], ctx: Context) -> JsonObject | None:
    value = decimal_part(parts[0], ctx)
    if value is None:
        return None
    result: JsonObject = {"value": value}
    if len(parts) > 1 and parts[1]:
        nested = ctx.subcomponent and ctx.subcomponent in parts[1]
        result |= unit_of(subparts(parts[1], ctx) if nested else parts[1:4], ctx)
    return result


def _sn(text: str, ctx: Context) -> tuple[str, str, str, str]:
    """The four components, clean; a bare number in the field is its SN.2."""
    parts = split_parts(text, ctx)
    if len(parts) == 1:
        return "", clean(parts[0], ctx), "", ""
    return part(parts, 1, ctx), part(parts, 2, ctx), part(parts, 3, ctx), part(parts, 4, ctx)


def _range(low: str, high: str, ctx: Context) -> JsonObject | None:
    result: JsonObject = {}
    for key, raw in (("low", low), ("high", high)):
        value = decimal_part(raw, ctx)
        if value is not None:
            result[key] = {"value": value}
    return result or None


def _money(parts: list[str], ctx: Context) -> JsonObject | None:
    value = decimal_part(parts[0], ctx)
    if value is None:
        return None
    result: JsonObject = {"value": value}
    currency = code_part(parts, 2, ctx).upper()
    if len(currency) == 3 and currency.isascii() and currency.isalpha():
        result["currency"] = currency
    elif currency:
        ctx.note("currency-invalid", "a currency is not three letters of ISO 4217")
    return result
