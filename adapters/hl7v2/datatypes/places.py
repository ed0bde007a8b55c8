"""Places: PL, and the place inside NDL.

HL7 v2.8 ch. 2A.2.54, whose hierarchy runs facility, building, floor, point of care, room, bed;
v2-to-FHIR map PL[Location]. Bed 1 of ward A is not bed 1 of ward B: the identifier's system
carries the places around it.
"""

from typing import Final
from urllib.parse import quote

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.authorities import authority
from adapters.hl7v2.datatypes.components import code_part, local_uri, part, split_parts, subparts
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.published import system_of
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["ndl_locations", "pl_display", "pl_locations"]

_PHYSICAL: Final = "http://terminology.hl7.org/CodeSystem/location-physical-type"
_V2_0305: Final = "http://terminology.hl7.org/CodeSystem/v2-0305"
_KINDS: Final[dict[str, JsonObject]] = {
    "C": {"display": "Clinic"},
    "D": {"display": "Department"},
    "H": {"display": "Home"},
    "N": {"display": "Nursing Unit"},
    "O": {"display": "Provider's Office"},
    "P": {"display": "Phone"},
    "S": {"display": "SNF"},
}
"""HL7 table 0305."""
_CHAIN: Final = (
    (4, "si", "Site"),
    (7, "bu", "Building"),
    (8, "lvl", "Level"),
    (1, "wa", "Ward"),
    (2, "ro", "Room"),
    (3, "bd", "Bed"),
)
"""Component, physical type and its display, the widest place first."""
_NDL_TO_PL: Final = (3, 4, 5, 6, 7, 8, 9, 10)
"""NDL.4 to NDL.11 are PL.1 to PL.8, counted from 0."""
_SHOWN: Final = (1, 2, 3, 8, 7, 4)


@datatype(
    "PL", "Location", reads=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), gives="Location[]", version=3
)
def pl_locations(text: str, ctx: Context) -> list[JsonObject] | None:
    """The chain of places, the narrowest first: each is `partOf` the one that follows it.

    Each has identifier, name, mode and physicalType; the first also PL.6 as its type, PL.9 as its
    description and PL.10 as a further identifier. PL.5 is the state of the bed at that minute,
    which is no fact of the place. None when no place is named.
    """
    return _locations(split_parts(text, ctx), ctx)


@datatype("PL", "display", reads=(1, 2, 3, 4, 7, 8, 9), gives="string")
@datatype("PL", "string", reads=(1, 2, 3, 4, 7, 8, 9))
def pl_display(text: str, ctx: Context) -> str | None:
    """PL.9, else point of care, room, bed, floor, building and facility, with commas."""
    return _display(split_parts(text, ctx), ctx)


@datatype("NDL", "Location", reads=(4, 5, 6, 7, 10, 11), gives="Location[]", version=2)
def ndl_locations(text: str, ctx: Context) -> list[JsonObject] | None:
    """The place where NDL's person worked, as `PL.Location`."""
    parts = split_parts(text, ctx)
    return _locations([parts[at] if at < len(parts) else "" for at in _NDL_TO_PL], ctx)


def _locations(parts: list[str], ctx: Context) -> list[JsonObject] | None:
    chain: list[JsonObject] = []
    around: list[str] = []
    for number, physical, display in _CHAIN:
        if number > len(parts) or not parts[number - 1]:
            continue
        place = _place(subparts(parts[number - 1], ctx), around, ctx)
        if place is None:
            continue
        place["mode"] = "instance"
        place["physicalType"] = {
            "coding": [{"system": _PHYSICAL, "code": physical, "display": display}]
        }
        around.append(quote(str(place["name"]), safe=""))
        chain.append(place)
    if not chain:
        return None
    chain.reverse()
    kind = code_part(parts, 6, ctx)
    if kind:
        known = {**_KINDS.get(kind, {}), "system": system_of(_V2_0305, kind, ctx), "code": kind}
        chain[0]["type"] = [{"coding": [known]}]
    if len(parts) > 8:
        _add_detail(chain[0], parts, ctx)
    return chain


def _place(pieces: list[str], around: list[str], ctx: Context) -> JsonObject | None:
    """One level, its component an HD: name space, universal id and type."""
    name, universal = part(pieces, 1, ctx), part(pieces, 2, ctx)
    identifiers: list[Json] = []
    if name:
        system = "/".join((local_uri(ctx.namespace, "NamingSystem", "location"), *around))
        identifiers.append({"system": system, "value": name})
    if universal:
        uri = authority(["", universal, *pieces[2:3]], ctx)[0]
        identifiers.append({"system": "urn:ietf:rfc:3986", "value": uri})
    return {"identifier": identifiers, "name": name or universal} if identifiers else None


def _add_detail(place: JsonObject, parts: list[str], ctx: Context) -> None:
    description = part(parts, 9, ctx)
    if description:
        place["description"] = description
    pieces = subparts(parts[9], ctx) if len(parts) > 9 else []
    value = part(pieces, 1, ctx)
    if not value:
        return
    identifier: JsonObject = {"value": value}
    assigning = subparts(parts[10], ctx) if len(parts) > 10 and parts[10] else pieces[1:4]
    system = authority(assigning, ctx)[0]
    if system:
        identifier["system"] = system
    known = place["identifier"]
    place["identifier"] = [*known, identifier] if isinstance(known, list) else [identifier]


def _display(parts: list[str], ctx: Context) -> str | None:
    described = part(parts, 9, ctx)
    if described:
        return described
    shown = [
        part(subparts(parts[number - 1], ctx), 1, ctx)
        for number in _SHOWN
        if number <= len(parts) and parts[number - 1]
    ]
    return ", ".join(value for value in shown if value) or None
