"""Rules of Condition for the problem list, PRB, and of the codes of DG1 and PR1."""

from typing import Final

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.codes import look_up, system_uri
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import coding_system, load
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


@rule("diagnosis-coding-method", reads=("DG1-2", "DG1-3"), writes="code")
def diagnosis_coding_method(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """DG1-2 names the system of a code that stands alone in DG1-3.

    So HL7 v2.3 ch. 6.4.4.2 has it, and since v2.4 for older senders. A name that no table has says
    nothing.
    """
    _by_method(f, "DG1-2", b, r)


@rule("procedure-coding-method", reads=("PR1-2", "PR1-3"), writes="code")
def procedure_coding_method(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PR1-2, likewise of PR1-3: HL7 v2.3 ch. 6.4.5.2."""
    _by_method(f, "PR1-2", b, r)


def _by_method(f: list[str], where: str, b: Build, r: JsonObject) -> None:
    b.ctx.at = where
    name, code = b.ctx.text(f[2]), b.comp(f[3], 1).strip()
    concept = r.get("code")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    if not isinstance(codings, list) or not (name in b.ctx.systems or coding_system(name)):
        return
    for at, coding in enumerate(codings):
        if isinstance(coding, dict) and "system" not in coding and coding.get("code") == code:
            codings[at] = {"system": system_uri(name, "", code, b.ctx), **coding}


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
