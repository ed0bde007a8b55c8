"""NTE: one comment with its author, time and type, at whatever it stands behind.

Repetitions of NTE-3 are lines of one comment. v2-to-FHIR maps NTE[Observation],
NTE[ServiceRequest]; https://hl7.org/fhir/R4/datatypes.html#annotation.
"""

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_TYPE = "http://hl7.org/fhir/StructureDefinition/annotationType"


@rule("comment", reads=("NTE-3", "NTE-4", "NTE-5", "NTE-6", "NTE-9"), writes="note")
def comment(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """The lines of NTE-3, and the words of a coded comment in NTE-9."""
    b.ctx.at = "NTE-3"
    if f[3] == '""':
        b.erase(r, "note")
        return
    lines = [*_lines(f[3], "FT.string", b), *_lines(f[9], "CWE.string", b)]
    text = "\n".join(lines).strip("\n")
    if not text:
        return
    made: JsonObject = {"text": text}
    b.ctx.at = "NTE-4"
    kind = DATATYPES["CWE.CodeableConcept"].function(f[4], b.ctx, None) if f[4] else None
    if kind:
        made["extension"] = [{"url": _TYPE, "valueCodeableConcept": kind}]
    b.ctx.at = "NTE-5"
    author = b.person("XCN.Practitioner", b.first(f[5])) if f[5] else None
    if author:
        if "reference" in author:
            made["authorReference"] = author
        else:
            made["authorString"] = author["display"]
    b.ctx.at = "NTE-6"
    time = DATATYPES["TS.dateTime"].function(b.first(f[6]), b.ctx) if f[6] else None
    if time:
        made["time"] = time
    append(r, "note", made)


def _lines(text: str, function: str, b: Build) -> list[str]:
    """The text of each repetition; an empty one is an empty line."""
    if not text:
        return []
    repetition = b.ctx.repetition
    convert = DATATYPES[function].function
    repeated = text.split(repetition) if repetition in text else [text]
    return [convert(one, b.ctx) or "" for one in repeated]
