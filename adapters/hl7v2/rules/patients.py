"""Rules of Patient that need more than one value of the segment."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.elements import NO_FIELDS, UNKNOWN, append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.rules.requesters import practising
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_CX: Final = DATATYPES["CX.Identifier"].function
_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/"
_SD: Final = "http://hl7.org/fhir/StructureDefinition/"
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_CDC: Final = "urn:oid:2.16.840.1.113883.6.238"
_RACES: Final = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
}
_ETHNICITIES: Final = {"2135-2": "Hispanic or Latino", "2186-5": "Non Hispanic or Latino"}
_OMB: Final = {
    "us-core-race": {code: (code, display) for code, display in _RACES.items()},
    "us-core-ethnicity": {
        **{code: (code, display) for code, display in _ETHNICITIES.items()},
        "H": ("2135-2", _ETHNICITIES["2135-2"]),
        "N": ("2186-5", _ETHNICITIES["2186-5"]),
    },
}
"""Codes that US Core wants as ombCategory, which is bound to them alone; the others are detailed.
H and N are of HL7 table 0189. https://hl7.org/fhir/us/core/StructureDefinition-us-core-race.html"""
_CDC_CODE: Final = 6
"""Characters of `2108-9`: only these codes are bound to the extension's detail."""
_DATE: Final = 8
"""Digits of YYYYMMDD: what is longer has a time of day."""


@rule("birth-time", reads=("PID-7",), writes="_birthDate")
def birth_time(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PID-7 with a time of day keeps it in the extension patient-birthTime."""
    stamp = b.comp(f[7], 1)
    if len(stamp) <= _DATE or "birthDate" not in r:
        return
    b.ctx.at = "PID-7"
    value = DATATYPES["TS.dateTime"].function(stamp, b.ctx)
    if value and "T" in value:
        extension: JsonObject = {"url": f"{_SD}patient-birthTime", "valueDateTime": value}
        r["_birthDate"] = {"extension": [extension]}


@rule("race", reads=("PID-10",), writes="extension", version=5)
def race(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PID-10 as the US Core race extension: codes of CDC, all texts joined."""
    if f[10] == '""':
        b.erase(r, f"extension.where(url='{_CORE}us-core-race')")
    else:
        _group_extension(f[10], 10, "us-core-race", b, r)


@rule("ethnicity", reads=("PID-22",), writes="extension", version=5)
def ethnicity(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PID-22 as the US Core ethnicity extension."""
    if f[22] == '""':
        b.erase(r, f"extension.where(url='{_CORE}us-core-ethnicity')")
    else:
        _group_extension(f[22], 22, "us-core-ethnicity", b, r)


def _category(name: str, coding: JsonObject) -> JsonObject | None:
    """The coding as ombCategory where it is one, as detail where it is CDC's, else words."""
    code = cast("str", coding.get("code", ""))
    category = _OMB[name].get(code)
    if category is not None:
        own: JsonObject = {"system": _CDC, "code": category[0], "display": category[1]}
        return {"url": "ombCategory", "valueCoding": own}
    if coding.get("system") == _CDC or (len(code) == _CDC_CODE and code[4] == "-"):
        return {"url": "detailed", "valueCoding": {**coding, "system": _CDC}}
    return None


def _group_extension(text: str, field: int, name: str, b: Build, r: JsonObject) -> None:
    if not text:
        return
    b.ctx.at = f"PID-{field}"
    parts: list[Json] = []
    shown: list[str] = []
    for one in text.split(b.ctx.repetition):
        concept = DATATYPES["CWE.CodeableConcept"].function(one, b.ctx, None) if one else None
        if not concept:
            continue
        codings = concept.get("coding") or [{}]
        label = concept.get("text") or codings[0].get("display") or codings[0].get("code")
        category = next(filter(None, (_category(name, coding) for coding in codings)), None)
        if category:
            parts.append(category)
        if label:
            shown.append(label)
    if shown:
        parts.append({"url": "text", "valueString": ", ".join(shown)})
    if parts:
        append(r, "extension", {"url": _CORE + name, "extension": parts})


@rule("animal", reads=("PID-35", "PID-36"), writes="extension")
def animal(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PID-35 and PID-36: species and breed of a patient that is an animal.

    Source: https://hl7.org/fhir/R4/extension-patient-animal.html; without species it is none.
    """
    parts: list[Json] = []
    for url, field in (("species", 35), ("breed", 36)):
        b.ctx.at = f"PID-{field}"
        function = DATATYPES["CWE.CodeableConcept"].function
        concept = function(b.first(f[field]), b.ctx, None) if f[field] else None
        if concept:
            parts.append({"url": url, "valueCodeableConcept": concept})
    if parts and f[35]:
        append(r, "extension", {"url": f"{_SD}patient-animal", "extension": parts})


@rule("mother", reads=("PID-21",), writes="link")
def mother(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """PID-21: the mother's identifier makes her a RelatedPerson of this patient."""
    if not f[21] or f[21] == '""':
        return
    b.ctx.at = "PID-21"
    function = DATATYPES["CX.Identifier"].function
    identifier = function(b.first(f[21]), b.ctx)
    if identifier is None:
        return
    key = b.named(f[21], function, f) + b.identity(f[3], function)
    before = g.resources.get("RelatedPerson")
    made = b.opened(g, "RelatedPerson", key, merge=True)
    if before is not None:
        g.put("RelatedPerson", before)
    code: JsonObject = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
        "code": "MTH",
        "display": "mother",
    }
    made["patient"] = reference_to(r)
    made["identifier"] = [identifier]
    made["relationship"] = [{"coding": [code]}]


@rule("access-restriction", reads=("ARV-2", "ARV-3"), writes="meta.security")
def access_restriction(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """ARV-3 as a security label of the visit where ARV follows PV1, else of the patient.

    HL7 v2.8 ch. 3.4.15; ARV-2 `D` takes the labels back.
    """
    b.ctx.at = "ARV-3"
    visit = b.near(g, "Encounter")
    resource = r if visit is None else visit
    if b.comp(f[2], 1) == "D":
        b.erase(resource, "meta.security")
        return
    function = DATATYPES["CWE.Coding"].function
    for one in f[3].split(b.ctx.repetition):
        label = function(one, b.ctx, None) if one else None
        if label:
            meta = cast("JsonObject", resource.setdefault("meta", {}))
            append(meta, "security", label)


@rule(
    "patient-role",
    reads=("ROL-3", "ROL-4", "ROL-5", "ROL-6", "ROL-9", "ROL-12", "ROL-13", "ROL-14"),
    writes="participant",
    version=3,
)
def patient_role(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """ROL before PV1 is a role for the person, and below PRB one for the problem, not for a visit.

    The primary care provider is Patient.generalPractitioner (table 0443 PP, FHCP); others stand in
    a CareTeam of the patient, or of the problem. v2-to-FHIR maps ROL[Patient-GeneralPractitioner],
    ROL[CareTeam]; HL7 v2.5.1 ch. 12.3.1.
    """
    problem = b.near(g, "Condition") if g.lead == "ROL" else None
    if b.comp(f[2], 1) == "DE" or (problem is None and b.near(g, "Encounter") is not None):
        return
    if problem is None and b.comp(f[3], 1) in {"PP", "FHCP"}:
        carer = practising(f, b)
        if carer:
            append(r, "generalPractitioner", carer)
        return
    who = _referred("Practitioner", "XCN", f[4], "ROL-4", b)
    place = _referred("Organization", "XON", f[14], "ROL-14", b)
    if who is None and place is None:
        return
    b.ctx.at = "ROL-3"
    participant: JsonObject = {"member": who or place}
    concept = DATATYPES["CWE.CodeableConcept"].function
    role = concept(f[3], b.ctx, load("ProviderRole"))
    b.ctx.at = "ROL-9"
    kinds = [made for one in f[9].split(b.ctx.repetition) if (made := concept(one, b.ctx, None))]
    if role or kinds:
        participant["role"] = [*([role] if role else []), *kinds]
    period = period_between(f[5], f[6], b.ctx)
    if period:
        participant["period"] = period
    if who and place:
        participant["onBehalfOf"] = place
    append(_team(f, g, b, r, problem), "participant", participant)


def _team(
    f: list[str], g: Group, b: Build, patient: JsonObject, problem: JsonObject | None
) -> JsonObject:
    """The CareTeam of the patient, or of one problem of his."""
    person = g.segment("PID") or NO_FIELDS
    key = b.named(person[3], _CX, f)
    if problem is not None:
        key = ("Condition", cast("str", problem["id"]))
    team = b.opened(g, "CareTeam", (*key, "ROL"), merge=True)
    team.setdefault("status", "active")
    team.setdefault("subject", reference_to(patient))
    if problem is not None:
        team["reasonReference"] = [reference_to(problem)]
    return team


def _referred(kind: str, source: str, text: str, at: str, b: Build) -> JsonObject | None:
    """A reference to the first person or organization of a field, else its words."""
    b.ctx.at = at
    one = b.first(text)
    if not one or one == '""':
        return None
    body = DATATYPES[f"{source}.{kind}"].function(one, b.ctx)
    label = DATATYPES[f"{source}.display"].function(one, b.ctx)
    made = b.identified(kind, body) if body else None
    reference: JsonObject = {"display": label} if label else {}
    if made is not None:
        b.keep(made)
        reference |= reference_to(made)
    return reference or None


@rule("last-update", reads=("PID-33", "PID-34"), writes="occurredDateTime")
def last_update(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """PID-33 and PID-34: when and where the sender's record was changed, a Provenance of its own.

    v2-to-FHIR map PID[Provenance-Patient].
    """
    b.ctx.at = "PID-33"
    stamp = b.first(f[33])
    changed = DATATYPES["TS.dateTime"].function(stamp, b.ctx) if stamp else None
    b.ctx.at = "PID-34"
    agent: JsonObject = {"type": {"coding": [{"system": _PARTICIPANT, "code": "performer"}]}}
    place = b.first(f[34])
    organization = DATATYPES["HD.Organization"].function(place, b.ctx) if place else None
    made = b.identified("Organization", organization) if organization else None
    if not changed and made is None:
        return
    if made is not None:
        b.keep(made)
    agent["who"] = reference_to(made) if made is not None else {"display": "unknown"}
    before = g.resources.get("Provenance")
    provenance = b.opened(g, "Provenance", (*b.unkeyed(f), "PID-33"), merge=False)
    if before is not None:
        g.put("Provenance", before)
    provenance["target"] = [reference_to(r)]
    if changed:
        provenance["occurredDateTime"] = changed
    provenance["_recorded"] = UNKNOWN
    provenance["activity"] = {"coding": [{"system": _OPERATION, "code": "UPDATE"}]}
    provenance["agent"] = [agent]


@rule("birth-place", reads=("PID-11", "PID-23"), writes="extension", version=3)
def birth_place(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PID-23 as the text of the extension patient-birthPlace, with the address of birth in PID-11.

    Table 0190: N, the address at birth, and BDL, where it happened; nobody lives there.
    """
    b.ctx.at = "PID-23"
    if f[23] == '""':
        b.erase(r, f"extension.where(url='{_SD}patient-birthPlace')")
        return
    text = DATATYPES["ST.string"].function(b.comp(f[23], 1), b.ctx) if f[23] else None
    place: JsonObject = {"text": text} if text else {}
    if "BDL" in f[11] or f"{b.ctx.component}N" in f[11]:
        b.ctx.at = "PID-11"
        born = DATATYPES["XAD.Birthplace"].function
        found = [born(one, b.ctx) for one in f[11].split(b.ctx.repetition)]
        place |= next((one for one in found if one), {})
    if place:
        append(r, "extension", {"url": f"{_SD}patient-birthPlace", "valueAddress": place})
