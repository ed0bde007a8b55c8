"""Rules of accounts and linked patients: what merges, moves and links do to stored data."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []

PV1_19: Final = 19
_UNKNOWN_CLASS: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
    "code": "UNK",
    "display": "unknown",
}
"""Says nothing of a stored visit's class (core.record.statements)."""


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


@rule("merge-visit", reads=("MRG-1", "MRG-5", "MRG-6"), writes="partOf")
def merge_visit(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """MRG-5: the visit has another number or another patient.

    One number in MRG-5 and PV1-19, or none in PV1-19: the visit is this patient's now. Two numbers:
    the prior one is in error and part of the one that counts, so that what was filed under it leads
    there. HL7 v2.5.1 ch. 3.3.42 (A42), 3.3.45 (A45), 3.3.50 (A50).
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
    prior["status"] = "entered-in-error"
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
