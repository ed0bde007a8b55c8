"""Rules of Condition for the problem list: PRB."""

from typing import Final

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"


@rule("problem-status", reads=("PRB-1", "PRB-9", "PRB-13", "PRB-14"), writes="clinicalStatus")
def problem_status(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Both states of a problem hang together (R4 con-4, con-5).

    PRB-1 DE is an error and has no clinical status; PRB-9, an end, has it resolved; else PRB-14,
    else it is taken to be active. Both elements have their codes by R4 alone: another is reported.
    """
    for name in ("clinicalStatus", "verificationStatus", "abatementDateTime"):
        r.pop(name, None)  # of the same problem named before in this message
    if b.comp(f[1], 1) == "DE":
        r["verificationStatus"] = _concept(_VERIFICATION, "entered-in-error")
        return
    confirmed = _stated("ProblemConfirmation", f[13], "PRB-13", b)
    if confirmed:
        r["verificationStatus"] = confirmed
    if f[9] not in {"", '""'}:
        r["clinicalStatus"] = _concept(_CLINICAL, "resolved")
        return
    state = _stated("ProblemLifeCycle", f[14], "PRB-14", b)
    r["clinicalStatus"] = state or _concept(_CLINICAL, "active")
    if state is None:
        b.assume(r, "clinicalStatus")


def _stated(table: str, text: str, at: str, b: Build) -> JsonObject | None:
    """The concept, its first coding by R4; None where the table has no such code."""
    b.ctx.at = at
    if look_up(load(table), b.comp(text, 1).strip()) is None:
        if text not in {"", '""'}:
            b.ctx.note("code-unmapped", "the state of a problem has no code in FHIR")
        return None
    found = DATATYPES["CWE.CodeableConcept"].function(b.first(text), b.ctx, load(table))
    return found if isinstance(found, dict) else None


def _concept(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": system, "code": code}]}
