"""Rules of accounts and linked patients: what merges, moves and links do to stored data."""

from typing import cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []


@rule("merge-account", reads=("MRG-3",), writes="partOf")
def merge_account(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """MRG-3: the retired account is inactive and part of the one in PID-18.

    HL7 v2.5.1 ch. 3.3.41 (A41); v2-to-FHIR map MRG[Account].
    """
    b.ctx.at = "MRG-3"
    function = DATATYPES["CX.Identifier"].function
    identifier = function(b.first(f[3]), b.ctx)
    if identifier is None:
        return
    survivor = b.near(g, "Account")
    retired = b.opened(g, "Account", b.identity(f[3], function), merge=True)
    if survivor is not None:
        g.put("Account", survivor)
    if retired is survivor:
        b.ctx.note("merge-self", "the merged account is the surviving one: nothing was changed")
        return
    retired["identifier"] = [identifier]
    retired["status"] = "inactive"
    retired["subject"] = [_reference(r)]
    if survivor is not None:
        retired["partOf"] = _reference(survivor)


@rule("link-patients", reads=("PID-3",), writes="item", version=2)
def link_patients(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """A24 links two patients, A37 undoes it: one Linkage of both identifiers, active or not.

    Patient.link would say that one record replaces the other; A24 says that both stay. HL7 v2.5.1
    ch. 3.3.24 and 3.3.37; https://hl7.org/fhir/R4/linkage.html.
    """
    first = next((made for (kind, _), made in b.resources.items() if kind == "Patient"), r)
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
        {"type": kind, "resource": _reference(patient)}
        for kind, patient in (("source", first), ("alternate", r))
    ]
    b.keep(linkage)


def _unlink(b: Build, *patients: JsonObject) -> None:
    """A37 also takes a merge back: both are live records again, and neither replaces the other."""
    for patient, other in (patients, patients[::-1]):
        patient["active"] = True
        reference = f"Patient/{cast('str', other['id'])}"
        b.erase(patient, f"link.where(other.reference='{reference}')")


def _reference(resource: JsonObject) -> JsonObject:
    kind, name = cast("str", resource["resourceType"]), cast("str", resource["id"])
    return {"reference": f"{kind}/{name}"}
