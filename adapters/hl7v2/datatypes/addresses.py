"""Addresses: XAD, AD, SAD.

HL7 v2.8 ch. 2A.2.84 (XAD), 2A.2.66 (SAD); v2-to-FHIR maps XAD[Address], SAD[Address].
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import all_clean, code_part, part, split_parts, subparts
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between, period_of
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = ["ad_address", "sad_address", "xad_address", "xad_string"]

_CENSUS_TRACT: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract"
_PLAIN: Final = ("city", "state", "postalCode", "country")
"""XAD.3 to XAD.6."""
_WIDTH: Final = 19
_READS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19)
_OF_BIRTH: Final = frozenset({"N", "BDL"})
"""Table 0190: address at birth, and where the birth took place."""


@datatype("XAD", "Address", reads=_READS, version=3)
def xad_address(text: str, ctx: Context) -> JsonObject | None:
    """Lines, city, district, state, postal code, country, use, type, period; None without place."""
    parts = split_parts(text, ctx)
    result = _place(parts, ctx)
    if result and len(parts) > 6:
        _add_kind(result, code_part(parts, 7, ctx), ctx)
        _add_period(result, parts, ctx)
        if len(parts) > 15:
            _add_marks(result, parts, ctx)
    return result or None


@datatype("XAD", "Residence", reads=_READS, gives="Address", version=2)
def xad_residence(text: str, ctx: Context) -> JsonObject | None:
    """As `XAD.Address`; None for where somebody was born."""
    return None if _kind(text, ctx) in _OF_BIRTH else xad_address(text, ctx)


@datatype("XAD", "Birthplace", reads=_READS, gives="Address", version=2)
def xad_birthplace(text: str, ctx: Context) -> JsonObject | None:
    """The place alone, of an address of birth; None for any other."""
    if _kind(text, ctx) not in _OF_BIRTH:
        return None
    return _place(split_parts(text, ctx), ctx) or None


@datatype("AD", "Address", reads=(1, 2, 3, 4, 5, 6, 7))
def ad_address(text: str, ctx: Context) -> JsonObject | None:
    """The address of v2.1 to v2.7, the first seven components of an XAD."""
    parts = split_parts(text, ctx)[:7]
    result = _place(parts, ctx)
    if result and len(parts) > 6:
        _add_kind(result, code_part(parts, 7, ctx), ctx)
    return result or None


@datatype("SAD", "Address", reads=(1, 2, 3))
def sad_address(text: str, ctx: Context) -> JsonObject | None:
    """The street lines alone, as a field of its own."""
    lines = _street(split_parts(text, ctx), ctx)
    return {"line": lines} if lines else None


@datatype("XAD AD", "string", reads=(1, 2, 3, 4, 5, 6))
def xad_string(text: str, ctx: Context) -> str | None:
    """The address on one line."""
    address = _place(split_parts(text, ctx), ctx)
    lines = address.get("line")
    pieces = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    pieces += [value for key in _PLAIN if isinstance(value := address.get(key), str)]
    return ", ".join(pieces) or None


def _kind(text: str, ctx: Context) -> str:
    return code_part(split_parts(text, ctx), 7, ctx)


def _place(parts: list[str], ctx: Context) -> JsonObject:
    """The address without use, type and period; its lines are street, designation, addressee."""
    clean = all_clean(parts, ctx, _WIDTH)
    result: JsonObject = {}
    lines: list[Json] = [line for line in (clean[0], clean[1], clean[18]) if line]
    if clean[0] and ctx.subcomponent in parts[0]:
        lines[:1] = _street(subparts(parts[0], ctx), ctx)
    if lines:
        result["line"] = lines
    for key, value in zip(_PLAIN, clean[2:6], strict=True):
        if value:
            result[key] = value
    if len(parts) > 7:
        district = _coded_text(parts, 9, ctx) or clean[7]
        if district:
            result["district"] = district
        tract = _coded_text(parts, 10, ctx)
        if tract:
            rest: list[Json] = [None] * (len(lines) - 1)
            result["_line"] = [{"extension": [{"url": _CENSUS_TRACT, "valueString": tract}]}, *rest]
    return result


def _street(pieces: list[str], ctx: Context) -> list[Json]:
    """SAD.1, then street name and dwelling number where SAD.1 does not say them already."""
    first = part(pieces, 1, ctx)
    lines: list[Json] = [first] if first else []
    for number in (2, 3):
        value = part(pieces, number, ctx)
        if value and value not in first:
            lines.append(value)
    return lines


def _coded_text(parts: list[str], number: int, ctx: Context) -> str:
    """A CWE component's text, else its code."""
    if number > len(parts) or not parts[number - 1]:
        return ""
    pieces = subparts(parts[number - 1], ctx)
    return part(pieces, 9, ctx) or part(pieces, 2, ctx) or part(pieces, 1, ctx)


def _add_kind(result: JsonObject, kind: str, ctx: Context) -> None:
    """Table 0190: some codes are a use in FHIR, some a type; the rest is reported."""
    if not kind:
        return
    use, form = look_up(load("AddressType.Use"), kind), look_up(load("AddressType.Type"), kind)
    if use is not None:
        result["use"] = use[1]
    if form is not None:
        result["type"] = form[1]
    if use is None and form is None:
        ctx.note(
            "code-unmapped", "the address type has no use or type in FHIR", Severity.INFORMATION
        )


def _add_marks(result: JsonObject, parts: list[str], ctx: Context) -> None:
    """XAD.17, XAD.16 and XAD.18 (v2.7 on): a bad address is an old one, a temporary one is temp."""
    if code_part(parts, 17, ctx) == "Y":
        result["use"] = "old"
    elif code_part(parts, 16, ctx) == "Y":
        result.setdefault("use", "temp")
    usage = {"M": "postal", "V": "physical"}.get(code_part(parts, 18, ctx))
    if usage:
        result.setdefault("type", usage)


def _add_period(result: JsonObject, parts: list[str], ctx: Context) -> None:
    if len(parts) < 12:
        return
    start, end = (parts[at - 1] if at <= len(parts) else "" for at in (13, 14))
    period = (
        period_between(start, end, ctx)
        if start or end
        else period_of(subparts(parts[11], ctx), ctx)
    )
    if period:
        result["period"] = period
