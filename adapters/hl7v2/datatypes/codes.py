"""Coded elements: CE, CWE, CNE, CF, and IS and ID, which newer senders fill as CWE.

HL7 v2.8 ch. 2A.2.13; v2-to-FHIR maps CWE[CodeableConcept], CWE[Coding], CWE[code], CWE[string].
Each populated triplet is a coding in its order; a coding that a table gives comes first.
"""

from functools import lru_cache
from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import (
    clean,
    code_part,
    is_oid,
    is_uri,
    local_uri,
    part,
    split_parts,
    subparts,
    uri_text,
)
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.published import system_of
from adapters.hl7v2.tables import CodeTable, coding_system
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = [
    "annotation",
    "boolean",
    "code",
    "codeable_concept",
    "coding",
    "identifier",
    "label",
    "look_up",
    "organization",
    "sub_concept",
    "system_uri",
    "text_concept",
]

_CODED: Final = "CE CWE CNE CF IS ID"
_TRIPLETS: Final = ((1, 7, 14), (4, 8, 17), (10, 13, 20))
"""Of each triplet: code (text and system follow it), version, coding system OID."""
_READS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 20)
_BOOLEANS: Final = {"Y": True, "N": False, "y": True, "n": False}


@datatype(_CODED, "CodeableConcept", reads=_READS, coded=True, version=2)
def codeable_concept(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """Every coding, mapped one first, with the text of CWE.9, else CWE.2, else CWE.5, else CWE.11.

    Findings: `code-unmapped` when a table was given and has none of the codes, and none is of a
    published system beside it.
    """
    return _concept(split_parts(text, ctx), ctx, table)


@datatype(_CODED, "Coding", reads=_READS, coded=True, version=2)
def coding(text: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """The coding that the table gives, else the first that was sent."""
    codings = _codings(split_parts(text, ctx), ctx, table)
    return codings[0] if codings else None


@datatype(_CODED, "code", reads=(1, 4, 10), coded=True)
def code(text: str, ctx: Context, table: CodeTable | None = None) -> str | None:
    """The mapped code; without a table CWE.1, else CWE.4. None when the table has no such code."""
    parts = split_parts(text, ctx)
    found = False
    for at, _, _ in _TRIPLETS:
        value = code_part(parts, at, ctx)
        if not value:
            continue
        if table is None:
            return value
        row = look_up(table, value)
        if row is not None:
            return row[1]
        found = True
    if found:
        _note_unmapped(ctx)
    return None


@datatype(_CODED, "string", reads=(1, 2, 4, 5, 9))
def label(text: str, ctx: Context) -> str | None:
    """What a reader should see: original text, else a display, else a code."""
    parts = split_parts(text, ctx)
    for at in (9, 2, 5, 11, 1, 4):
        value = part(parts, at, ctx)
        if value:
            return value
    return None


@datatype("CE CWE CNE CF IS ID", "Annotation", reads=(1, 2, 4, 5, 9))
def annotation(text: str, ctx: Context) -> JsonObject | None:
    """The label as an Annotation's text."""
    value = label(text, ctx)
    return {"text": value} if value else None


@datatype("CE CWE CNE CF", "Identifier", reads=(1, 3))
def identifier(text: str, ctx: Context) -> JsonObject | None:
    """CWE.1 as an identifier in the system that CWE.3 names."""
    parts = split_parts(text, ctx)
    value = part(parts, 1, ctx)
    if not value:
        return None
    result: JsonObject = {"value": value}
    system = _triplet_system(parts, (1, 7, 14), value, ctx)
    if system:
        result["system"] = system
    return result


@datatype("CE CWE CNE CF", "Organization", reads=(1, 2, 3, 9))
def organization(text: str, ctx: Context) -> JsonObject | None:
    """An organization that a code identifies: identifier and name; None without identifier."""
    known = identifier(text, ctx)
    if known is None:
        return None
    result: JsonObject = {"identifier": [known]}
    parts = split_parts(text, ctx)
    name = part(parts, 9, ctx) or part(parts, 2, ctx)
    if name:
        result["name"] = name
    return result


@datatype("CE CWE CNE CF IS ID", "uri", reads=(1, 4))
def uri(text: str, ctx: Context) -> str | None:
    """CWE.1, else CWE.4, as a uri."""
    parts = split_parts(text, ctx)
    return uri_text(part(parts, 1, ctx) or part(parts, 4, ctx)) or None


@datatype("ID IS", "boolean", reads=(1,))
def boolean(text: str, ctx: Context) -> bool | None:
    """Table 0136: Y and N; anything else is reported and dropped."""
    value = code_part(split_parts(text, ctx), 1, ctx)
    if not value:
        return None
    known = _BOOLEANS.get(value)
    if known is None:
        ctx.note("boolean-invalid", "a yes/no indicator is neither Y nor N: send one of them")
    return known


@datatype("ST TX FT", "CodeableConcept")
def text_concept(text: str, ctx: Context) -> JsonObject | None:
    """Free text where FHIR wants a concept: its text, no coding."""
    value = clean(text, ctx)
    return {"text": value} if value else None


def sub_concept(raw: str, ctx: Context, table: CodeTable | None = None) -> JsonObject | None:
    """A CWE that is a component itself, its own components split by the subcomponent delimiter."""
    return _concept(subparts(raw, ctx), ctx, table)


def look_up(table: CodeTable, value: str) -> tuple[str, str, str] | None:
    """The row of a code, as sent, else in capitals, else capitalised (table 0278 is)."""
    return table.get(value) or table.get(value.upper()) or table.get(value.capitalize())


def system_uri(name: str, oid: str, code: str, ctx: Context) -> str:
    """The URI of a code's system: the sender's override, a known one, `urn:oid:`, the sender's own.

    The sender's own too where the system that it names is published and has no such code.

    Findings: `coding-system-unknown` (information) for a name that no table knows; `L` and
    `99...` are local by definition (table 0396) and not reported.
    """
    own = ctx.systems.get(name) or ctx.systems.get(oid)
    return uri_text(own) if own else system_of(_claimed(name, oid, ctx), code, ctx)


def _claimed(name: str, oid: str, ctx: Context) -> str:
    """The URI of what the sender says that the system is."""
    if oid:
        known = coding_system(oid) or (name and coding_system(name))
        if known:
            return known
        if is_oid(oid):
            return "urn:oid:" + oid
    if not name:
        return ""
    system, known_name = _named(name, ctx.namespace)
    if not known_name:
        ctx.note(
            "coding-system-unknown",
            "the coding system is in no table: name it in the sender's profile under systems",
            Severity.INFORMATION,
        )
    return system


@lru_cache(maxsize=4096)
def _named(name: str, namespace: str) -> tuple[str, bool]:
    """URI of a coding system name, and whether it needs no word to the operator."""
    known = coding_system(name)
    if known:
        return known, True
    if is_uri(name):
        return uri_text(name), True
    if is_oid(name):
        return "urn:oid:" + name, True
    return local_uri(namespace, "CodeSystem", name), name == "L" or name.startswith("99")


def _concept(parts: list[str], ctx: Context, table: CodeTable | None) -> JsonObject | None:
    suffix = ""
    if ctx.subcomponent and ctx.subcomponent in parts[0]:
        parts, suffix = _bare(parts, ctx)
    codings: list[Json] = list(_codings(parts, ctx, table))
    text = part(parts, 9, ctx) or part(parts, 2, ctx) or part(parts, 5, ctx) or part(parts, 11, ctx)
    concept: JsonObject = {}
    if suffix:
        text = f"{text} ({suffix})" if text else suffix
    if codings:
        concept["coding"] = codings
    if text:
        concept["text"] = text
    return concept or None


def _bare(parts: list[str], ctx: Context) -> tuple[list[str], str]:
    """`71020&IMP`: the code that its system knows, and what kind of statement about it this is.

    Observation identifier suffixes, HL7 v2.5.1 ch. 7.1.4.
    """
    code, *rest = subparts(parts[0], ctx)
    return [code, *parts[1:]], " ".join(clean(one, ctx) for one in rest if one)


def _codings(parts: list[str], ctx: Context, table: CodeTable | None) -> list[JsonObject]:
    """The codings in order; with a table the first hit is put in front and its original kept."""
    codings: list[JsonObject] = []
    mapped: tuple[str, str, str] | None = None
    for triplet in _TRIPLETS:
        if triplet[0] > len(parts):
            break
        value = code_part(parts, triplet[0], ctx)
        if not value:
            continue
        row = look_up(table, value) if table is not None else None
        mapped = mapped or row
        system = _triplet_system(parts, triplet, value, ctx)
        if not system and table is not None:
            system = _assumed_system(table, value, known=row is not None, ctx=ctx)
        codings.append(_sent(parts, triplet, value, system, ctx))
    if mapped is not None:
        return _with_mapped(mapped, codings)
    if table is not None and codings and not _speak_for_themselves(codings, table, ctx):
        _note_unmapped(ctx)
    return codings


def _speak_for_themselves(codings: list[JsonObject], table: CodeTable, ctx: Context) -> bool:
    """Whether one is of a published system, LOINC say, and needs no table of the field's own."""
    own = (ctx.namespace, table.source)
    return any(
        not system.startswith(own) for one in codings if (system := str(one.get("system", "")))
    )


def _sent(
    parts: list[str], triplet: tuple[int, int, int], value: str, system: str, ctx: Context
) -> JsonObject:
    """One triplet as a Coding."""
    result: JsonObject = {"code": value}
    if system:
        result["system"] = system
    display = part(parts, triplet[0] + 1, ctx)
    if display:
        result["display"] = display
    version = part(parts, triplet[1], ctx)
    if version:
        result["version"] = version
    return result


def _triplet_system(
    parts: list[str], triplet: tuple[int, int, int], code: str, ctx: Context
) -> str:
    name, oid = part(parts, triplet[0] + 2, ctx), part(parts, triplet[2], ctx)
    return system_uri(name, oid, code, ctx) if name or oid else ""


def _assumed_system(table: CodeTable, code: str, *, known: bool, ctx: Context) -> str:
    """System of a bare code in a field that is bound to a table.

    A code that the table does not have is the site's own: calling it a code of the HL7 table
    would be a false statement that a terminology server refuses.
    """
    if known or not table.source:
        return system_of(table.source, code, ctx)
    return local_uri(ctx.namespace, "CodeSystem", table.source.rpartition("/")[2])


def _with_mapped(row: tuple[str, str, str], codings: list[JsonObject]) -> list[JsonObject]:
    system, target, display = row
    first: JsonObject = {"code": target}
    if system:
        first["system"] = system
    if display:
        first["display"] = display
    rest = [sent for sent in codings if (sent.get("system"), sent["code"]) != (system, target)]
    return [first, *rest]


def _note_unmapped(ctx: Context) -> None:
    ctx.note("code-unmapped", "the code is not in the field's table: map it in the sender's table")
