"""Rules of Encounter, AllergyIntolerance and Coverage that need more than one value."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_GRADES: Final = {
    "SV": "severe", "MO": "moderate", "MI": "mild",
    "SEVERE": "severe", "MODERATE": "moderate", "MILD": "mild",
}  # fmt: skip
"""HL7 table 0128, and the words that senders write for it."""
_BEGIN: Final = frozenset({"A01", "A02", "A04", "A06", "A07"})
"""Events with which the patient is at the place in PV1-3."""
_PLANNED_END: Final = (
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate"
)


@rule("discharged", reads=("PV1-45",), writes="status")
def discharged(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PV1-45 ends the visit where it is a time; what is none there is reported with the period."""
    findings = len(b.ctx.findings)
    if DATATYPES["TS.dateTime"].function(b.first(f[45]), b.ctx):
        r["status"] = "finished"
    del b.ctx.findings[findings:]


@rule("cancel-discharge", reads=("PV1-36", "PV1-45"), writes="period", version=2)
def cancel_discharge(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A13: the stored discharge is retracted; what the message repeats of it is not set."""
    period = r.get("period")
    if isinstance(period, dict):
        period.pop("end", None)
        if not period:
            del r["period"]
    stay = r.get("hospitalization")
    if isinstance(stay, dict):
        stay.pop("dischargeDisposition", None)
        stay.pop("destination", None)
        if not stay:
            del r["hospitalization"]
    b.erase(r, "period.end")
    b.erase(r, "hospitalization.dischargeDisposition")
    b.erase(r, "hospitalization.destination")


@rule("cancel-transfer", reads=("PV1-3",), writes="location")
def cancel_transfer(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A12, A32, A33: the patient never went, arrived or left. The place in PV1-3 is where he is.

    HL7 v2.5.1 ch. 3.3.12, 3.3.32, 3.3.33.

    What PV1-6 repeats is the cancelled place, so it is not set as a place that he left.
    """
    places = r.get("location")
    if f[3] not in {"", '""'} and isinstance(places, list) and places:
        r["location"] = places[:1]
        b.erase(r, "location.where(status='active')")


@rule("cancel-pending", reads=("PV1-42", "PV1-45"), writes="location")
def cancel_pending(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A25, A26, A27: what was pending will not happen (HL7 v2.5.1 ch. 3.3.25 to 3.3.27).

    A discharge takes its planned end with it, a transfer or an admission the bed that was kept.
    """
    if b.trigger == "A25":
        b.erase(r, f"extension.where(url='{_PLANNED_END}')")
    else:
        b.erase(r, "location.where(status='reserved')")


@rule("movement", reads=("ZBE-2", "ZBE-4", "ZBE-5", "ZBE-6"), writes="location")
def movement(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ZBE of IHE's patient administration (ITI TF-2 3.31.4.1.2.7): since when he is where he is.

    HL7 Germany has DELETE for CANCEL, and REFERENCE where the movement is only named. A historic
    movement, told later, says where he was; an update (Z99) is of the event in ZBE-6, and neither
    says how the visit stands now.
    """
    b.ctx.at = "ZBE-2"
    places = cast("list[JsonObject]", r.get("location", []))
    event = b.comp(f[6], 1) if b.trigger == "Z99" else b.trigger
    begun = DATATYPES["TS.dateTime"].function(f[2], b.ctx) if f[2] and event in _BEGIN else None
    if places:
        first = {**places[0]}
        if begun and b.comp(f[4], 1) in {"INSERT", "UPDATE"}:
            first["period"] = {"start": begun}
        if b.comp(f[5], 1) == "Y":
            first["status"] = "completed"
        elif event in {"A05", "A14"}:
            first["status"] = "planned"
        r["location"] = [first, *places[1:]]
    state = load("Event.EncounterStatus").get(event) if b.trigger == "Z99" else None
    if state:
        r["status"] = state[1]
    if (state or b.comp(f[5], 1) == "Y") and "status" in r:
        b.assume(r, "status")


@rule("discharged-to", reads=("PV1-37",), writes="hospitalization.destination", version=2)
def discharged_to(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PV1-37: a place that its code identifies, table 0113; words are words."""
    b.ctx.at = "PV1-37"
    place = b.person("DLD.Location", f[37]) if f[37] not in {"", '""'} else None
    if place:
        stay = cast("JsonObject", r.get("hospitalization", {}))
        r["hospitalization"] = {**stay, "destination": place}


@rule("servicing-facility", reads=("PV1-39",), writes="serviceProvider")
def servicing_facility(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PV1-39 is a code of the sender's own facilities: words."""
    b.ctx.at = "PV1-39"
    text = DATATYPES["CWE.string"].function(b.first(f[39]), b.ctx) if f[39] else None
    if text:
        r["serviceProvider"] = {"display": text}


@rule("allergy-reaction", reads=("AL1-4", "AL1-5"), writes="reaction", version=3)
def allergy_reaction(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """AL1-5 repeats: one reaction with each manifestation, its severity by AL1-4."""
    _reaction("AL1", f[5], f[4], b, r)


@rule("allergy-reaction-iam", reads=("IAM-4", "IAM-5"), writes="reaction", version=3)
def allergy_reaction_iam(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """IAM-5 and IAM-4, as AL1-5 and AL1-4."""
    _reaction("IAM", f[5], f[4], b, r)


def _reaction(segment: str, texts: str, severity: str, b: Build, r: JsonObject) -> None:
    found: list[Json] = []
    b.ctx.at = f"{segment}-5"
    for one in () if texts == '""' else texts.split(b.ctx.repetition):
        concept = _manifestation(one, b)
        if concept is not None:
            found.append(concept)
    grade = _GRADES.get(b.comp(severity, 1).strip().upper())
    if found:
        reaction: JsonObject = {"manifestation": found}
        if grade:
            reaction["severity"] = grade
        append(r, "reaction", reaction)
    if severity and severity != '""' and "criticality" not in r and not (found and grade):
        b.ctx.at = f"{segment}-4"
        sent = DATATYPES["CWE.string"].function(b.first(severity), b.ctx)
        if sent:  # no reaction to grade, or a grade that R4 lacks: as it was sent
            append(r, "note", {"text": f"severity: {sent}"})


def _manifestation(one: str, b: Build) -> JsonObject | None:
    """AL1-5 is ST in most versions: a single component is words, not a code."""
    if not one:
        return None
    name = "CWE.CodeableConcept" if b.ctx.component in one else "ST.CodeableConcept"
    kind = DATATYPES[name]
    table = (None,) if kind.coded else ()
    made = b.cached("AL1-5", kind.function, one, *table)
    return made if isinstance(made, dict) else None


@rule("plan-class", reads=("IN1-2",), writes="class")
def plan_class(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """IN1-2, the plan's code and name, as Coverage.class of type plan; IN1-46 goes before it."""
    if not f[2] or f[2] == '""' or f[46]:
        return
    b.ctx.at = "IN1-2"
    function = DATATYPES["CWE.CodeableConcept"].function
    concept = b.cached("IN1-2", function, b.first(f[2]), None)
    coding = (concept.get("coding") or [{}])[0] if concept else {}
    value = coding.get("code") or (concept or {}).get("text")
    if not value:
        return
    system = "http://terminology.hl7.org/CodeSystem/coverage-class"
    kind: JsonObject = {"system": system, "code": "plan", "display": "Plan"}
    made: JsonObject = {"type": {"coding": [kind]}, "value": value}
    if coding.get("display"):
        made["name"] = coding["display"]
    append(r, "class", made)


@rule("parent-diagnosis", reads=("DG1-22",), writes="extension")
def parent_diagnosis(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """DG1-22: the diagnosis that led to this one, as the extension condition-dueTo."""
    if not f[22] or f[22] == '""':
        return
    b.ctx.at = "DG1-22"
    identifier = DATATYPES["EI.Identifier"].function(b.first(f[22]), b.ctx)
    if identifier:
        url = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
        target: JsonObject = {"type": "Condition", "identifier": identifier}
        append(r, "extension", {"url": url, "valueReference": target})
