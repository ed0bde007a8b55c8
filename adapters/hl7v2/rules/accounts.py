"""Rules of patients, accounts and visits that are merged, moved or linked: what MRG says."""

from typing import Any, Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.distinct import distinct
from adapters.hl7v2.elements import append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []

PV1_19: Final = 19
_CX: Final = DATATYPES["CX.Identifier"].function
_GO_ON: Final = frozenset({"A06", "A07"})
"""A patient changes between in and out, as one who stays."""
_UNKNOWN_CLASS: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    "code": "UNK",
    "display": "unknown",
}
"""Says nothing of a stored visit's class (core.record.statements)."""


@rule(
    "merge-patient", reads=("MRG-1", "MRG-2", "MRG-3", "MRG-4", "MRG-7"), writes="link", version=3
)
def merge_patient(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """MRG: the retired patient points to the survivor and back, and is no longer active.

    The two links are each other's inverse (Patient.link.type `replaced-by` and `replaces`), so a
    merge can be undone. HL7 v2.5.1 ch. 3.6.2: several numbers of one kind in MRG-1 are as many
    records, several of different kinds are numbers of one.
    """
    at = next((field for field in (1, 4, 2) if f[field] and f[field] != '""'), 0)
    if not at:
        return
    b.ctx.at = f"MRG-{at}"
    named = b.named(f[at], _CX, f)
    listed, others = _numbers(f[1], b), [*_numbers(f[4], b), *_numbers(f[2], b)]
    first: JsonObject = next((one for one in listed if one["value"] == named[-1]), {})
    apart = cast("list[dict[str, Any]]", distinct(listed))
    alike = [one for one in apart if one != first and _kind(one) == _kind(first)]
    of_one = [one for one in (*listed, *others) if one not in alike]
    names = DATATYPES["XPN.HumanNames"].function
    called = [name for one in f[7].split(b.ctx.repetition) for name in names(one, b.ctx) or ()]
    _retire(b.opened(g, "Patient", named, merge=True), r, of_one, called, b)
    for one in alike:
        other = (one.get("system") or f"|{b.sender}", one["value"])
        _retire(b.opened(g, "Patient", other, merge=True), r, [one], called, b)
    g.put("Patient", r)


def _numbers(text: str, b: Build) -> list[Any]:
    """The identifiers of a field."""
    made = (_CX(one, b.ctx) for one in text.split(b.ctx.repetition) if one)
    return [one for one in made if one is not None]


def _kind(identifier: JsonObject) -> tuple[Json, Json]:
    """Who gave it and what it is."""
    return identifier.get("system"), identifier.get("type")


def _retire(
    retired: JsonObject, survivor: JsonObject, numbers: list[Json], called: list[Json], b: Build
) -> None:
    """The record is replaced by the survivor."""
    if retired is survivor:
        b.ctx.note("merge-self", "the merged patient is the surviving one: nothing was linked")
        return
    if numbers:
        retired["identifier"] = [*numbers]
    retired["active"] = False
    if called:
        retired["name"] = [*called]
    survivor.setdefault("active", True)
    _link(retired, "replaced-by", survivor)
    _link(survivor, "replaces", retired)


def _link(patient: JsonObject, kind: str, other: JsonObject) -> None:
    append(patient, "link", {"other": reference_to(other), "type": kind})


@rule("merge-account", reads=("MRG-1", "MRG-3"), writes="partOf", version=3)
def merge_account(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """MRG-3: the retired account is inactive and part of the one in PID-18.

    HL7 v2.5.1 ch. 3.3.41 (A41), 3.3.44 (A44: with PID-18 the same or empty it only changes its
    patient); v2-to-FHIR map MRG[Account].
    """
    b.ctx.at = "MRG-3"
    function = DATATYPES["CX.Identifier"].function
    identifier = function(b.first(f[3]), b.ctx)
    if identifier is None:
        return
    survivor = b.near(g, "Account")
    retired = b.opened(g, "Account", b.named(f[3], function, f), merge=True)
    if survivor is not None:
        g.put("Account", survivor)
    moves = b.trigger == "A44"
    if retired is survivor and not moves:
        b.ctx.note("merge-self", "the merged account is the surviving one: nothing was changed")
        return
    _in_order_with(f, b)
    if moves:
        b.moved.append(retired)
    if retired is survivor:
        return
    retired["identifier"] = [identifier]
    retired["subject"] = [reference_to(r)]
    if survivor is None and moves:
        retired["status"] = "active"
        b.assume(retired, "status")
        return
    retired["status"] = "inactive"
    if survivor is not None:
        retired["partOf"] = reference_to(survivor)


@rule("merge-visit", reads=("MRG-1", "MRG-5", "MRG-6"), writes="partOf", version=2)
def merge_visit(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """MRG-5: the visit has another number or another patient.

    One number in MRG-5 and PV1-19, or none in PV1-19: the visit is this patient's now. Two numbers:
    the prior one is in error and part of the one that counts, so that what was filed under it leads
    there; an outpatient's visit that an admission goes on with under another number did happen.
    HL7 v2.5.1 ch. 3.3.6 (A06), 3.3.7 (A07), 3.3.42 (A42), 3.3.45 (A45), 3.3.50 (A50).
    """
    b.ctx.at = "MRG-5"
    function = DATATYPES["CX.Identifier"].function
    identifiers = [
        made
        for field in (5, 6)
        for one in f[field].split(b.ctx.repetition)
        if one and (made := function(one, b.ctx)) is not None
    ]
    if not identifiers:
        return
    key = b.named(f[5], function, f)
    visit = g.segment("PV1")
    number = visit[19] if visit and len(visit) > PV1_19 else ""
    survivor = b.identity(number, function)
    prior = b.opened(g, "Encounter", key, merge=True)
    _in_order_with(f, b)
    prior["identifier"] = identifiers
    if survivor in {("", ""), key}:
        prior["subject"] = reference_to(r)
        if b.trigger == "A45":
            b.moved.append(prior)
        prior.setdefault("status", "unknown")
        prior.setdefault("class", {**_UNKNOWN_CLASS})
        return
    if b.trigger == "A45":
        prior["subject"] = reference_to(r)
        b.moved.append(prior)
    prior["class"] = {**_UNKNOWN_CLASS}
    prior["status"] = "finished" if b.trigger in _GO_ON else "entered-in-error"
    prior["partOf"] = {"reference": f"Encounter/{resource_id(b.namespace, 'Encounter', *survivor)}"}


@rule("link-patients", reads=("PID-3",), writes="item", version=2)
def link_patients(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A24 links two patients, A37 undoes it: one Linkage of both identifiers, active or not.

    Patient.link would say that one record replaces the other; A24 says that both stay. HL7 v2.5.1
    ch. 3.3.24 and 3.3.37; https://hl7.org/fhir/R4/linkage.html.
    """
    first = next((made for made in b.resources.values() if made["resourceType"] == "Patient"), r)
    if first is r:
        return
    ids = sorted(cast("str", patient["id"]) for patient in (first, r))
    made: JsonObject = {
        "identifier": [{"system": "urn:fhir-anchor:linkage", "value": "+".join(ids)}]
    }
    linkage = b.identified("Linkage", made)
    if linkage is None:
        return
    del linkage["identifier"]
    linkage["active"] = b.trigger == "A24"
    if b.trigger == "A37":
        _unlink(b, first, r)
    linkage["item"] = [
        {"type": kind, "resource": reference_to(patient)}
        for kind, patient in (("source", first), ("alternate", r))
    ]
    b.keep(linkage)


def _unlink(b: Build, *patients: JsonObject) -> None:
    """A37 also takes a merge back: both are live records again, and neither replaces the other."""
    for patient, other in (patients, patients[::-1]):
        patient["active"] = True
        reference = f"Patient/{cast('str', other['id'])}"
        b.erase(patient, f"link.where(other.reference='{reference}')")


def _in_order_with(f: list[str], b: Build) -> None:
    """The message waits in the lane of MRG-1 too: what it takes was that patient's."""
    prior = b.identity(f[1], DATATYPES["CX.Identifier"].function)
    if prior[-1]:
        b.patients.append(prior)
