"""Parents: the order, report, result or specimen that led to this one, by the numbers it bears."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.kinship import Child, Numbered
from adapters.hl7v2.owners import owned
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []

_FILLER: Final = DATATYPES["EIP.FillerIdentifier"].function
_PLACER: Final = DATATYPES["EIP.PlacerIdentifier"].function
_PART_OF: Final = "http://hl7.org/fhir/StructureDefinition/event-partOf"
_MICROBIOLOGY: Final = frozenset({"MB", "MCB", "MYC", "VR"})
"""Table 0074: microbiology, mycobacteriology, mycology, virology."""


@rule("parent-result", reads=("OBR-24", "OBR-26", "OBR-29"), writes="extension", version=2)
def parent_result(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-26 and OBR-29: the result and the report that led to this report.

    Microbiology: the susceptibilities of an organism that the parent report found.
    """
    if b.comp(f[24], 1).upper() in _MICROBIOLOGY:
        b.kin.cultures.append(r)
    numbers = _numbers(f[29], "OBR-29", b)
    if numbers:
        reference = _logical("DiagnosticReport", numbers[-1], r, b)
        append(r, "extension", {"url": _PART_OF, "valueReference": reference})
    if not f[26] or f[26] == '""':
        return
    b.ctx.at = "OBR-26"
    parts = b.first(f[26]).split(b.ctx.component)
    inner = b.ctx.subcomponent
    whole = parts[0].replace(inner, b.ctx.component) if inner else parts[0]
    text = DATATYPES["ST.string"].function
    code = DATATYPES["CWE.CodeableConcept"].function(whole, b.ctx, None)
    sub_id, value = ((text(one, b.ctx) or "") for one in (*parts[1:3], "", "")[:2])
    if code:
        b.kin.children.append(
            Child(report=r, numbers=tuple(numbers), code=code, sub_id=sub_id, value=value)
        )


@rule("parent-order", reads=("OBR-29", "OBR-50"), writes="basedOn")
def parent_order(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-50, else OBR-29: the order that this one comes of, by the filler's number where known."""
    _based_on(f[50] or f[29], "OBR-50" if f[50] else "OBR-29", b, r)


@rule("parent-of-order", reads=("ORC-8",), writes="basedOn")
def parent_of_order(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ORC-8: the order that this one was made of."""
    _based_on(f[8], "ORC-8", b, r)


@rule("observed-specimen", reads=("OBX-33",), writes="specimen")
def observed_specimen(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-33 of one specimen: which one of the report's it was. Of several R4 has no element."""
    if b.ctx.repetition not in f[33]:
        numbers = _numbers(f[33], "OBX-33", b)
        if numbers:
            r["specimen"] = _logical("Specimen", numbers[-1], r, b)


@rule("parent-specimen", reads=("SPM-3",), writes="parent")
def parent_specimen(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """SPM-3: the specimens that this one was taken of, of this message or of an earlier one."""
    repetition = b.ctx.repetition
    for one in f[3].split(repetition) if repetition in f[3] else [f[3]]:
        numbers = _numbers(one, "SPM-3", b)
        if numbers:
            filled = len(numbers) > 1 or _FILLER(one, b.ctx)
            key = b.named(one, _FILLER if filled else _PLACER, f)
            own = owned(key, "Specimen", g, namespace=b.namespace, patients=b.patients)
            stub: JsonObject = {
                "resourceType": "Specimen",
                "id": resource_id(b.namespace, "Specimen", *own),
                "identifier": cast("Json", numbers),
            }
            if "subject" in r:
                stub["subject"] = r["subject"]
            append(r, "parent", _logical("Specimen", numbers[-1], r, b, stub))


def _based_on(text: str, at: str, b: Build, r: JsonObject) -> None:
    numbers = _numbers(text, at, b)
    if not numbers:
        return
    reference = _logical("ServiceRequest", numbers[-1], r, b)
    if reference not in cast("list[Json]", r.get("basedOn", [])):
        append(r, "basedOn", reference)


def _numbers(text: str, at: str, b: Build) -> list[JsonObject]:
    """Placer's and filler's number of an EIP, those that are there."""
    if not text or text == '""':
        return []
    b.ctx.at = at
    pair = b.first(text)
    return [found for read in (_PLACER, _FILLER) if (found := read(pair, b.ctx))]


def _logical(
    kind: str, number: JsonObject, holder: JsonObject, b: Build, stub: JsonObject | None = None
) -> JsonObject:
    """A reference by number, which becomes literal where the message holds what bears it."""
    reference: JsonObject = {"type": kind, "identifier": {**number}}
    b.kin.logical.append(Numbered(reference=reference, holder=holder, stub=stub))
    return reference
