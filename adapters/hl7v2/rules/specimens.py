"""Specimens beyond a row: OBR-15, what an order said before there was SPM, and volumes of SAC."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.codes import look_up, sub_concept
from adapters.hl7v2.datatypes.components import code_part, part, subparts
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.medications import amount
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import coding_system, load
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_TABLES: Final = ("SpecimenType", "AdditivePreservative", "", "BodySite", "", "SpecimenCondition")
"""Of SPS.1 to SPS.6; free text has none."""


@rule("specimen-source", reads=("OBR-15",), writes="type")
def specimen_source(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """SPS: type, additives, free text, body site and its modifier, how it was taken.

    v2-to-FHIR SPS[Specimen-Source]. Many senders put a CWE there instead, whose coding system
    stands third.
    """
    if f[15] == '""':
        b.erase(r, "type")
        return
    ctx = b.ctx
    ctx.at = "OBR-15"
    text = b.first(f[15])
    parts = [*text.split(ctx.component), *[""] * 6]
    if _is_coded(parts, ctx):
        made = DATATYPES["CWE.CodeableConcept"].function(text, ctx, None)
        r.update({"type": made} if made else {})
        return
    for part_of, raw, table in zip(_PARTS, parts, _TABLES, strict=False):
        concept = _concept(raw, table, ctx)
        if concept:
            part_of(r, concept)


@rule("container-volume", reads=("SAC-21", "SAC-22", "SAC-23", "SAC-24"), writes="capacity")
def container_volume(f: list[str], _g: Group, b: Build, container: JsonObject) -> None:
    """What the container holds at most and holds now, else held at first, in the unit of SAC-24."""
    for name, volume in (("capacity", f[21]), ("specimenQuantity", f[22] or f[23])):
        quantity = amount(volume, f[24], "SAC-24", b)
        if quantity:
            container[name] = quantity


def _type(r: JsonObject, concept: JsonObject) -> None:
    r["type"] = concept


def _additive(r: JsonObject, concept: JsonObject) -> None:
    append(r, "container", {"additiveCodeableConcept": concept})


def _said(r: JsonObject, concept: JsonObject) -> None:
    codings = cast("list[dict[str, str]]", concept.get("coding", []))
    append(r, "note", {"text": concept.get("text") or codings[0]["code"]})


def _site(r: JsonObject, concept: JsonObject) -> None:
    r["collection"] = {**cast("JsonObject", r.get("collection", {})), "bodySite": concept}


def _condition(r: JsonObject, concept: JsonObject) -> None:
    append(r, "condition", concept)


_PARTS: Final = (_type, _additive, _said, _site, _said, _condition)
"""Where SPS.1 to SPS.6 go."""


def _is_coded(parts: list[str], ctx: Context) -> bool:
    if ctx.subcomponent and any(ctx.subcomponent in one for one in parts):
        return False
    system = part(parts, 3, ctx)
    return bool(system) and (bool(coding_system(system)) or system.startswith("99"))


def _concept(raw: str, table: str, ctx: Context) -> JsonObject | None:
    """A CWE, a code of the table, or words: the component was TX before it was CWE."""
    if not raw:
        return None
    pieces = subparts(raw, ctx)
    code = code_part(pieces, 1, ctx)
    known = load(table) if table else None
    listed = known is not None and look_up(known, code)
    if len(pieces) > 1 or listed or (table == "SpecimenType" and " " not in code):
        return sub_concept(raw, ctx, known)
    return {"text": code} if code else None
