"""Identifiers: CX, EI, EIP, PLN, DLN.

HL7 v2.8 ch. 2A.2.14 (CX), 2A.2.28 (EI); v2-to-FHIR maps CX[Identifier], EI[Identifier]. The
number of one hospital is not that of another: an identifier whose authority is no OID, UUID or URI
gets a system in the sender's own name space.
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.authorities import assigner, authority, national
from adapters.hl7v2.datatypes.codes import look_up, sub_concept, system_uri
from adapters.hl7v2.datatypes.components import (
    code_part,
    local_uri,
    part,
    split_parts,
    subparts,
)
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.tables import CodeTable, load
from bridge.core.record.bundle import JsonObject

__all__ = [
    "assigned",
    "cx_identifier",
    "ei_identifier",
    "governing",
    "identifier_type",
    "is_placeholder",
]

_CHECK_DIGIT: Final = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"
_OWN: Final = {"MR": 0, "PI": 1, "": 2}
"""Type codes of table 0203 by which a hospital tells its patients apart, the best first."""
_ELSEWHERE: Final = frozenset(
    (
        *("AN", "ANC", "AND", "ANON", "ANT", "AM", "BA", "BC", "BR", "CZ", "DC", "DFN", "DL", "DN"),
        *("EI", "EN", "HC", "JHN", "MA", "MB", "MC", "MCD", "MCN", "MCR", "MCT", "MI", "MS", "NH"),
        *("NI", "NIIP", "PC", "PCN", "PEN", "PN", "PPN", "PRC", "SB", "SN", "SP", "SS", "TAX"),
        *("TN", "TPR", "VN", "VS", "WC"),
    )
)
"""Types of what states, insurers, employers and accounts give: several records may share one."""
_NO_NUMBERS: Final = frozenset(
    {"UNKNOWN", "UNK", "N/A", "NONE", "NULL", "NIL", "UNASSIGNED", "NOT AVAILABLE"}
)
_SUSPECT: Final = frozenset("0UuNn9-./?*_")
"""What these and their like begin with: most numbers need no second look."""
_NINES: Final = 9
"""Digits of a social security number, which whoever has none gets as nines."""
_NATIONAL: Final = {"NPI": national("NPI", "NPI"), "SS": national("USSSA", "SS")}
"""Type codes of table 0203 with one national authority, used when the sender names none."""
_SSN: Final = 9
"""Digits of a social security number of the United States."""
_SHOWN: Final = frozenset("0123456789Xx*")


@datatype("CX", "Identifier", reads=(1, 2, 3, 4, 5, 6, 7, 8), version=3)
def cx_identifier(text: str, ctx: Context) -> JsonObject | None:
    """CX.1 in the system of CX.4, else of CX.6, with type, period, check digit; None without CX.1.

    CX.3, the scheme of the check digit, belongs to the system, not to a number in it; where CX.4
    says whose number it is, CX.6 only says which desk handed it out.
    """
    parts = split_parts(text, ctx)
    value = part(parts, 1, ctx)
    if not value:
        return None
    owner = _raw(parts, 4)
    if len(parts) > 5 and not owner.strip(f'"{ctx.subcomponent}'):
        owner = parts[5]
    result = assigned(value, owner, code_part(parts, 5, ctx), ctx)
    digit = part(parts, 2, ctx) if len(parts) > 1 and parts[1] else ""
    if digit:
        result["extension"] = [{"url": _CHECK_DIGIT, "valueString": digit}]
    if len(parts) > 6:
        period = period_between(parts[6], _raw(parts, 8), ctx)
        if period:
            result["period"] = period
    return result


def governing(text: str, ctx: Context) -> str:
    """Of several identifiers of one thing the one that names its record, raw.

    Senders do not keep the order of PID-3: the medical record number counts before the hospital's
    internal one, these before others, and numbers of states, insurers and accounts come last.
    docs/adr/0019.
    """
    if ctx.repetition not in text:
        return text
    best, chosen = len(_ELSEWHERE), ""
    for one in text.split(ctx.repetition):
        parts = split_parts(one, ctx)
        value = part(parts, 1, ctx)
        if not value or is_placeholder(value):
            continue
        rank = _rank(code_part(parts, 5, ctx))
        if rank < best or not chosen:
            best, chosen = rank, one
    return chosen


def is_placeholder(value: str) -> bool:
    """Whether a number says that there is none: analysers send `Unknown`, registries nines.

    All who have such a number would be one.
    """
    bare = value.strip("0 -./?*_")
    if not bare or value.upper() in _NO_NUMBERS:
        return True
    digits = bare.replace("-", "")
    return len(digits) >= _NINES and not digits.strip("9")


def _rank(kind: str) -> int:
    own = _OWN.get(kind)
    if own is not None:
        return own
    return 4 if kind in _ELSEWHERE or kind.startswith("NN") else 3


@datatype("CX EI CNN CN XCN PLN DLN", "string", reads=(1,))
def value_only(text: str, ctx: Context) -> str | None:
    """The number alone."""
    return part(split_parts(text, ctx), 1, ctx) or None


@datatype("EI", "Identifier", reads=(1, 2, 3, 4))
def ei_identifier(text: str, ctx: Context) -> JsonObject | None:
    """EI.1 in the system of EI.2 to EI.4; None without EI.1."""
    return _entity(split_parts(text, ctx), "", ctx)


@datatype("EI", "AssignedIdentifier", reads=(1, 2, 3, 4), gives="Identifier")
def ei_assigned(text: str, ctx: Context) -> JsonObject | None:
    """The same where it says who assigned the number; None where that is left open."""
    parts = split_parts(text, ctx)
    return _entity(parts, "", ctx) if any(parts[1:3]) else None


@datatype("EI", "PlacerIdentifier", reads=(1, 2, 3, 4), gives="Identifier")
def placer(text: str, ctx: Context) -> JsonObject | None:
    """A placer's order number, type PLAC."""
    return _entity(split_parts(text, ctx), "PLAC", ctx)


@datatype("EI", "FillerIdentifier", reads=(1, 2, 3, 4), gives="Identifier")
def filler(text: str, ctx: Context) -> JsonObject | None:
    """A filler's order number, type FILL."""
    return _entity(split_parts(text, ctx), "FILL", ctx)


@datatype("EI", "GroupIdentifier", reads=(1, 2, 3, 4), gives="Identifier")
def group(text: str, ctx: Context) -> JsonObject | None:
    """A placer's group number, type PGN."""
    return _entity(split_parts(text, ctx), "PGN", ctx)


@datatype("EI", "FillerGroupIdentifier", reads=(1, 2, 3, 4), gives="Identifier")
def filler_group(text: str, ctx: Context) -> JsonObject | None:
    """A filler's group number, type FGN."""
    return _entity(split_parts(text, ctx), "FGN", ctx)


@datatype("EI", "Device", reads=(1, 2, 3, 4))
def device(text: str, ctx: Context) -> JsonObject | None:
    """A device that the number identifies."""
    known = ei_identifier(text, ctx)
    return {"identifier": [known]} if known else None


@datatype("EI", "Coding", reads=(1, 2, 3))
def ei_coding(text: str, ctx: Context) -> JsonObject | None:
    """EI.1 as a code of the system that EI.3, else EI.2, names."""
    parts = split_parts(text, ctx)
    code = code_part(parts, 1, ctx)
    if not code:
        return None
    result: JsonObject = {"code": code}
    system = system_uri(part(parts, 2, ctx), part(parts, 3, ctx), code, ctx)
    if system:
        result["system"] = system
    return result


@datatype("EIP", "PlacerIdentifier", reads=(1,), gives="Identifier")
def eip_placer(text: str, ctx: Context) -> JsonObject | None:
    """EIP.1, type PLAC."""
    return _pair(split_parts(text, ctx), 1, "PLAC", ctx)


@datatype("EIP", "FillerIdentifier", reads=(2,), gives="Identifier")
def eip_filler(text: str, ctx: Context) -> JsonObject | None:
    """EIP.2, type FILL."""
    return _pair(split_parts(text, ctx), 2, "FILL", ctx)


@datatype("ST", "SocialSecurity", gives="Identifier")
def social_security(text: str, ctx: Context) -> JsonObject | None:
    """A number in the name space of the United States where it has their form, else in none.

    PID-19 and its like hold what every state gives under that name.
    """
    value = part(split_parts(text, ctx), 1, ctx)
    if not value:
        return None
    return {"value": value, "system": _NATIONAL["SS"]} if _is_ssn(value) else {"value": value}


def _is_ssn(value: str) -> bool:
    """Whether it may be one of the United States: nine digits, of which some may be hidden."""
    signs = value.replace("-", "").replace(" ", "")
    return len(signs) == _SSN and _SHOWN.issuperset(signs)


@datatype("PLN", "Identifier", reads=(1, 2, 4), coded=True, version=2)
def pln_identifier(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """A practitioner's licence: number, type of table 0338, expiry."""
    parts = split_parts(text, ctx)
    value = part(parts, 1, ctx)
    if not value:
        return None
    result: JsonObject = {"value": value}
    kind = sub_concept(parts[1], ctx, table) if len(parts) > 1 else None
    if kind:
        result["type"] = kind
        national = _NATIONAL.get(code_part(subparts(parts[1], ctx), 1, ctx))
        if national:
            result["system"] = national
    period = period_between("", _raw(parts, 4), ctx)
    if period:
        result["period"] = period
    return result


@datatype("DLN", "Identifier", reads=(1, 2, 3))
def dln_identifier(text: str, ctx: Context) -> JsonObject | None:
    """A driver's licence: number, issuing state as its system, expiry."""
    parts = split_parts(text, ctx)
    value = part(parts, 1, ctx)
    if not value:
        return None
    result: JsonObject = {"value": value, "type": identifier_type("DL", ctx)}
    state = part(subparts(_raw(parts, 2), ctx), 1, ctx)
    if state:
        result["system"] = ctx.systems.get(state) or local_uri(
            ctx.namespace, "NamingSystem", f"DL-{state}"
        )
    period = period_between("", _raw(parts, 3), ctx)
    if period:
        result["period"] = period
    return result


def assigned(value: str, raw: str, kind: str, ctx: Context) -> JsonObject:
    """An Identifier with the authority of a raw HD component.

    Args:
        value: the number, clean.
        raw: the component of the assigning authority, its parts split by the subcomponent
            delimiter; empty means the national authority of the type, else the sender's facility.
        kind: code of table 0203, may be empty.
        ctx: of the message.
    """
    result: JsonObject = {"value": value}
    if value[0] in _SUSPECT:
        _note_placeholder(value, ctx)
    owner = subparts(raw, ctx) if raw else []
    state = national(raw, kind) if raw not in ctx.systems else ""
    system = state or authority(owner, ctx)[0] or _of_nation(kind, value) or _of_facility(ctx)
    if system:
        result["system"] = system
    who: JsonObject | None = {"display": raw} if state else assigner(owner, ctx)
    if who:
        result["assigner"] = who
    if kind:
        result["type"] = identifier_type(kind, ctx)
    return result


def _of_nation(kind: str, value: str) -> str:
    """The name space of the one authority that gives numbers of this type, empty where none is."""
    return "" if kind == "SS" and not _is_ssn(value) else _NATIONAL.get(kind, "")


def identifier_type(kind: str, ctx: Context) -> JsonObject:
    """A code of table 0203 as a concept; a code that the table lacks is the site's own.

    PGN and FGN stand alone as in the v2-to-FHIR map EIP[Identifier]: they came after R4.
    """
    row = look_up(load("IdentifierType"), kind)
    if row is not None:
        coding: JsonObject = {"code": row[1], "display": row[2]}
        if row[0]:
            coding["system"] = row[0]
        return {"coding": [coding]}
    system = local_uri(ctx.namespace, "CodeSystem", "v2-0203")
    return {"coding": [{"system": system, "code": kind}]}


def _of_facility(ctx: Context) -> str:
    """The name space of MSH-4, as where it is named beside a number."""
    if ctx.component not in ctx.facility and ctx.facility not in ctx.systems:
        return local_uri(ctx.namespace, "NamingSystem", ctx.facility) if ctx.facility else ""
    findings = len(ctx.findings)
    system = authority(split_parts(ctx.facility, ctx), ctx)[0]
    del ctx.findings[findings:]  # MSH-4 notes them
    return system


def _entity(parts: list[str], kind: str, ctx: Context) -> JsonObject | None:
    value = part(parts, 1, ctx)
    if not value:
        return None
    result: JsonObject = {"value": value}
    if value[0] in _SUSPECT:
        _note_placeholder(value, ctx)
    system, name = authority(parts[1:4], ctx)
    system = system or _of_facility(ctx)
    if system:
        result["system"] = system
    if name:
        result["assigner"] = {"display": name}
    if kind:
        result["type"] = identifier_type(kind, ctx)
    return result


def _note_placeholder(value: str, ctx: Context) -> None:
    if is_placeholder(value):
        ctx.note("identifier-placeholder", "an identifier is no number: it names no record here")


def _pair(parts: list[str], number: int, kind: str, ctx: Context) -> JsonObject | None:
    raw = _raw(parts, number)
    return _entity(subparts(raw, ctx), kind, ctx) if raw else None


def _raw(parts: list[str], number: int) -> str:
    return parts[number - 1] if number <= len(parts) else ""
