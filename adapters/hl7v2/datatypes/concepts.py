"""Small composites that carry one concept: JCC, FC, DLD, OG.

HL7 v2.8 ch. 2A.2.37 (JCC), 2A.2.29 (FC), 2A.2.51 (OG); v2-to-FHIR maps DLD[Location-Discharge],
OG[Extension-Subidentifier].
"""

from typing import Final, cast

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import sub_concept
from adapters.hl7v2.datatypes.components import code_part, local_uri, part, split_parts, subparts
from adapters.hl7v2.datatypes.numbers import decimal_part
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.datatypes.times import date_time
from adapters.hl7v2.tables import CodeTable
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["SUB_ID", "first_concept", "jcc_concept", "og_extension", "og_string", "second_time"]

_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-"
SUB_ID: Final = "http://hl7.org/fhir/StructureDefinition/observation-v2-subid"


@datatype("JCC", "CodeableConcept", reads=(1, 2, 3))
def jcc_concept(text: str, ctx: Context) -> JsonObject | None:
    """Job code of table 0327 and job class of table 0328, with the description as text."""
    parts = split_parts(text, ctx)
    codings: list[Json] = []
    for at, table in ((1, "0327"), (2, "0328")):
        pieces = subparts(parts[at - 1], ctx) if at <= len(parts) else []
        code = code_part(pieces, 1, ctx)
        if code:
            codings.append({"system": _V2 + table, "code": code})
    result: JsonObject = {}
    if codings:
        result["coding"] = codings
    description = part(parts, 3, ctx)
    if description:
        result["text"] = description
    return result or None


@datatype("FC DLD", "CodeableConcept", reads=(1,), coded=True)
def first_concept(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """The first component, a code or a CWE in subcomponents."""
    return sub_concept(split_parts(text, ctx)[0], ctx, table)


@datatype("DLD", "Location", reads=(1,))
def discharge_place(text: str, ctx: Context) -> JsonObject | None:
    """Where the patient went, as a place of its own; None without a code."""
    concept = first_concept(text, ctx) or {}
    code = _first(concept).get("code", "")
    if not code or " " in code:
        return None
    system = local_uri(ctx.namespace, "NamingSystem", "discharged-to")
    place: JsonObject = {"identifier": [{"system": system, "value": code}], "mode": "instance"}
    return {**place, "name": concept.get("text") or code, "type": [concept]}


@datatype("DLD", "display", reads=(1,), gives="string")
def discharge_words(text: str, ctx: Context) -> str | None:
    """The place in words, else its code."""
    concept = first_concept(text, ctx) or {}
    return cast("str | None", concept.get("text")) or _first(concept).get("code")


def _first(concept: JsonObject) -> dict[str, str]:
    return next(iter(cast("list[dict[str, str]]", concept.get("coding", []))), {})


@datatype("FC DLD", "dateTime", reads=(2,))
def second_time(text: str, ctx: Context) -> str | None:
    """Since when."""
    parts = split_parts(text, ctx)
    return date_time(parts[1], ctx) if len(parts) > 1 else None


@datatype("OG", "Extension", reads=(1, 2, 3, 4))
def og_extension(text: str, ctx: Context) -> JsonObject | None:
    """An observation's sub-identifier as the extension `observation-v2-subid`."""
    parts = split_parts(text, ctx)
    inner: list[Json] = []
    for at, url in ((1, "original-sub-identifier"), (4, "identifier")):
        value = part(parts, at, ctx)
        if value:
            inner.append({"url": url, "valueString": value})
    for at, url in ((2, "group"), (3, "sequence")):
        number = decimal_part(parts[at - 1], ctx) if at <= len(parts) else None
        if number is not None:
            inner.append({"url": url, "valueDecimal": number})
    return {"url": SUB_ID, "extension": inner} if inner else None


@datatype("OG", "string", reads=(1, 2, 3, 4))
def og_string(text: str, ctx: Context) -> str | None:
    """The components with dots between, as a key: `1.2.3`."""
    parts = split_parts(text, ctx)
    return ".".join(part(parts, at, ctx) for at in (1, 2, 3, 4)).strip(".") or None
