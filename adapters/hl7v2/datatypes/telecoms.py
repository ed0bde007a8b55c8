"""Telephone numbers and electronic addresses: XTN, TN.

HL7 v2.8 ch. 2A.2.90 (XTN), v2.3 ch. 2.8.41 (TN); v2-to-FHIR map XTN[ContactPoint]. Old senders
write `(555)555-5555` in XTN.1, newer ones the parts from XTN.5 on: what is populated decides.
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import code_part, part, split_parts
from adapters.hl7v2.datatypes.numbers import number
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = ["contact_point", "contact_string"]

_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/contactpoint-"
_PARTS: Final = ((5, "country"), (6, "area"), (7, "local"), (8, "extension"))
_MAX_RANK_DIGITS: Final = 9
"""A positiveInt of FHIR has 31 bits."""


@datatype("XTN TN", "ContactPoint", reads=(1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 18))
def contact_point(text: str, ctx: Context) -> JsonObject | None:
    """Value with system and use, the number's parts as extensions, period, rank."""
    parts = split_parts(text, ctx)
    equipment, use = code_part(parts, 3, ctx), code_part(parts, 2, ctx)
    system, mobile = _system(equipment, use, ctx)
    value = _value(parts, system, ctx)
    if not value:
        return None
    result: JsonObject = {
        "system": _guess(value, parts) if not system else _refined(system, value),
        "value": value,
    }
    _add_use(result, use, ctx, mobile=mobile)
    if len(parts) > 4:
        _add_extras(result, parts, ctx)
    return result


@datatype("XTN TN", "string", reads=(1, 4, 5, 6, 7, 8, 12))
def contact_string(text: str, ctx: Context) -> str | None:
    """The number or address alone."""
    parts = split_parts(text, ctx)
    return _value(parts, "", ctx) or None


def _system(equipment: str, use: str, ctx: Context) -> tuple[str, bool]:
    """FHIR's system of tables 0202 and 0201, and whether it is a mobile; empty when unsaid."""
    if equipment:
        row = look_up(load("TelecommunicationEquipmentType"), equipment)
        if row is not None:
            return ("phone", True) if row[1] == "mobile" else (row[1], False)
        ctx.note("code-unmapped", "the equipment type is not of table 0202", Severity.INFORMATION)
    if use == "NET":
        return "email", False
    return ("pager", False) if use == "BPN" else ("", False)


def _value(parts: list[str], system: str, ctx: Context) -> str:
    """XTN.4 of an electronic address; else the parts, the unformatted number, the old form."""
    address = part(parts, 4, ctx)
    if system == "email":
        return address or part(parts, 1, ctx)
    return _composed(parts, ctx) or part(parts, 12, ctx) or part(parts, 1, ctx) or address


def _composed(parts: list[str], ctx: Context) -> str:
    """`+5 6 7 X8` of the components, as the official map writes it; empty without XTN.7."""
    if len(parts) < 7:
        return ""
    country, area, local, extension = (part(parts, at, ctx) for at, _ in _PARTS)
    if not local:
        return ""
    pieces = [f"+{country.lstrip('+')}" if country else "", area, local]
    pieces.append(f"X{extension}" if extension else "")
    return " ".join(piece for piece in pieces if piece)


def _guess(value: str, parts: list[str]) -> str:
    """FHIR wants a system with every value (cpt-2): by the component, then by the form."""
    if "@" in value:
        return "email"
    if value.startswith(("http://", "https://")):
        return "url"
    only_address = len(parts) > 3 and parts[3] and not any(parts[at] for at in _present(parts))
    return "other" if only_address else "phone"


def _present(parts: list[str]) -> tuple[int, ...]:
    return tuple(at for at in (0, 6, 11) if at < len(parts))


def _refined(system: str, value: str) -> str:
    """An `Internet` address may be a page as well as a mailbox."""
    return "url" if system == "email" and value.startswith(("http://", "https://")) else system


def _add_use(result: JsonObject, use: str, ctx: Context, *, mobile: bool) -> None:
    row = look_up(load("TelecommunicationUseCode"), use) if use else None
    if mobile:
        result["use"] = "mobile"
    elif row is not None:
        result["use"] = row[1]
    elif use and use not in {"NET", "BPN"}:
        ctx.note("code-unmapped", "the telecom use has no use in FHIR", Severity.INFORMATION)


def _add_extras(result: JsonObject, parts: list[str], ctx: Context) -> None:
    extensions: list[Json] = [
        {"url": _EXTENSION + kind, "valueString": value}
        for at, kind in _PARTS
        if (value := part(parts, at, ctx))
    ]
    if extensions:
        result["extension"] = extensions
    if len(parts) < 13:
        return
    start, end = (parts[at - 1] if at <= len(parts) else "" for at in (13, 14))
    period = period_between(start, end, ctx) if start or end else None
    if period:
        result["period"] = period
    rank = number(part(parts, 18, ctx))
    if rank.isdigit() and rank != "0" and len(rank) <= _MAX_RANK_DIGITS:
        result["rank"] = int(rank)
