"""Documents inside results: an OBX of ED or RP is an Observation and a DocumentReference besides.

v2-to-FHIR maps OBX[Observation] (derivedFrom) and ED[DocumentReference]. The Observation says which
result it is, the DocumentReference is how documents are found, the report presents it. Written once
all segments are read, because status, author and time stand behind OBX-5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Enclosed", "filed_under"]

_RETRACTED: Final = "entered-in-error"
_DOCUMENT_STATUS: Final = {
    "final": "final",
    "amended": "amended",
    "corrected": "amended",
    "preliminary": "preliminary",
    "registered": "preliminary",
    _RETRACTED: _RETRACTED,
}
"""Observation.status to http://hl7.org/fhir/R4/valueset-composition-status.html."""
_AUTHORS: Final = ("Practitioner/", "PractitionerRole/", "Organization/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosed:
    """One document of one result."""

    document: JsonObject
    """The DocumentReference, with its content."""
    result: JsonObject
    """The Observation whose value it is."""
    report: JsonObject | None


def filed_under(enclosed: Enclosed, keep: Callable[[JsonObject], None]) -> None:
    """Complete the DocumentReference by what its result says, and put it into the bundle."""
    document, result = enclosed.document, enclosed.result
    status = str(result.get("status"))
    document["status"] = _RETRACTED if status == _RETRACTED else "current"
    if status in _DOCUMENT_STATUS:
        document["docStatus"] = _DOCUMENT_STATUS[status]
    for name, source in (("type", "code"), ("subject", "subject"), ("date", "issued")):
        if source in result:
            document[name] = result[source]
    authors = [one for one in cast("list[JsonObject]", result.get("performer", []))
               if str(one.get("reference", "Practitioner/")).startswith(_AUTHORS)]  # fmt: skip
    if authors:
        document["author"] = cast("Json", authors)
    context: JsonObject = {}
    if "encounter" in result:
        context["encounter"] = [result["encounter"]]
    if enclosed.report is not None:
        name = f"DiagnosticReport/{cast('str', enclosed.report['id'])}"
        context["related"] = [{"reference": name}]
    if context:
        document["context"] = context
    keep(document)
