"""Rules of MessageHeader that need more than one value."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_RENDERED: Final = "http://hl7.org/fhir/StructureDefinition/rendered-value"
_SEVERITIES: Final = {"E": "error", "F": "fatal", "W": "warning", "I": "information"}
"""HL7 table 0516."""
_ISSUES: Final = {
    "100": "structure", "101": "required", "102": "value", "103": "code-invalid",
    "104": "too-long", "200": "not-supported", "201": "not-supported", "202": "not-supported",
    "203": "not-supported", "204": "not-found", "205": "duplicate", "206": "lock-error",
    "207": "exception", "0": "informational",
}  # fmt: skip
"""HL7 table 0357 to http://hl7.org/fhir/R4/valueset-issue-type.html."""
_CODES: Final = {
    "AA": "ok", "CA": "ok", "AE": "transient-error", "CE": "transient-error",
    "AR": "fatal-error", "CR": "fatal-error",
}  # fmt: skip
"""HL7 table 0008 to http://hl7.org/fhir/R4/valueset-response-code.html."""


@rule("response", reads=("MSA-1", "MSA-2", "MSA-3"), writes="response", version=2)
def response(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """What became of the message in MSA-2; a control id that is no FHIR id stands in words.

    MSA-3, words for the whole answer, is an issue of its outcome.
    """
    b.ctx.at = "MSA-2"
    text = DATATYPES["ST.string"].function(f[2], b.ctx) if f[2] else None
    identifier = DATATYPES["ST.id"].function(f[2], b.ctx) if f[2] else None
    code = _CODES.get(b.comp(f[1], 1))
    if not text or not code:
        b.ctx.note("response-partial", "MSA has no code of table 0008 or no control id")
        return
    made: JsonObject = {"code": code}
    if identifier:
        made["identifier"] = identifier
    else:
        made["_identifier"] = {"extension": [{"url": _RENDERED, "valueString": text}]}
    r["response"] = made
    words = DATATYPES["ST.string"].function(f[3], b.ctx) if f[3] else None
    if words:
        severity = "information" if code == "ok" else "error"
        _issue(r, {"severity": severity, "code": "informational", "diagnostics": words})


@rule("error", reads=("ERR-1", "ERR-2", "ERR-3", "ERR-4", "ERR-5", "ERR-7", "ERR-8"))
def error(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ERR as an issue of the outcome that the response refers to (HL7 v2.5.1 ch. 2.15.5).

    The old form (to v2.4) has segment, sequence, field and code in ERR-1.
    """
    old = f[1].split(b.ctx.component)
    place = f[2].split(b.ctx.component) if f[2] else old[:3]
    coded = f[3] or (old[3].replace(b.ctx.subcomponent or "&", b.ctx.component) if old[3:] else "")
    b.ctx.at = "ERR-3"
    concept = DATATYPES["CWE.CodeableConcept"].function(coded, b.ctx, None) if coded else None
    issue: JsonObject = {
        "severity": _SEVERITIES.get(b.comp(f[4], 1), "error"),
        "code": _ISSUES.get(b.comp(coded, 1), "processing"),
    }
    if concept:
        issue["details"] = concept
    b.ctx.at = "ERR-7"
    words = [DATATYPES["ST.string"].function(one, b.ctx) for one in (f[8], f[7], f[5]) if one]
    said = ". ".join(one for one in words if one)
    if said:
        issue["diagnostics"] = said
    where = _where([b.ctx.text(one) for one in place])
    if where:
        issue["location"] = [where]
    _issue(r, issue)


def _where(place: list[str]) -> str:
    """`PID[1]-3[1].1` of segment, sequence, field, repetition and component."""
    name, number, field, repetition, component = [*place, "", "", "", "", ""][:5]
    shown = f"{name}[{number}]" if name and number else name
    shown += f"-{field}" if shown and field else ""
    shown += f"[{repetition}]" if shown and field and repetition else ""
    return shown + (f".{component}" if shown and field and component else "")


def _issue(header: JsonObject, issue: JsonObject) -> None:
    """Contained, because it is of this answer alone; without an answer there is no outcome."""
    answer = header.get("response")
    if not isinstance(answer, dict):
        return
    if "contained" not in header:
        header["contained"] = [{"resourceType": "OperationOutcome", "id": "outcome", "issue": []}]
        answer["details"] = {"reference": "#outcome"}
    (outcome,) = cast("list[JsonObject]", header["contained"])
    append(outcome, "issue", issue)
