"""Who asked, who entered, who has a role in the visit: ORC-10, ORC-12 to ORC-24, ROL.

A person for a facility is a PractitionerRole (v2-to-FHIR ORC[ServiceRequest], ORC[Provenance],
ROL[Encounter-PractitionerRole]). docs/adr/0022.
"""

from typing import Final

from adapters.hl7v2.build import Build, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import NO_FIELDS, append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.parties import company, person, place, reached, role
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__ = ["practising"]


_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-0443"
_ORDERING: Final[JsonObject] = {
    "coding": [{"system": _V2, "code": "OP", "display": "Ordering Provider"}]
}
_ENTERER: Final[JsonObject] = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "enterer",
            "display": "Enterer",
        }
    ]
}


@rule(
    "order-requester",
    reads=("ORC-12", "ORC-21", "ORC-22", "ORC-23", "ORC-24"),
    writes="requester",
)
def order_requester(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ORC-12, at the address in ORC-24, for the facility of ORC-21 to ORC-23."""
    made = b.recalled(("ORC-12", f[12], *f[21:25]), _requester, f)
    if f[12] == '""' or f[21] == '""':
        b.erase(r, "requester")
    if made:
        r["requester"] = made


@rule(
    "vaccination-requester",
    reads=("ORC-12", "ORC-21", "ORC-22", "ORC-23", "ORC-24"),
    writes="performer",
)
def vaccination_requester(_f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """The same in the function of table 0443 OP (v2-to-FHIR ORC[Immunization])."""
    order = g.around.get("ORC", NO_FIELDS)
    made = b.recalled(("ORC-12", order[12], *order[21:25]), _requester, order)
    if made:
        append(r, "performer", {"function": _ORDERING, "actor": made})


@rule("order-enterer", reads=("ORC-10", "ORC-17"), writes="agent")
def order_enterer(_f: list[str], g: Group, b: Build, _r: JsonObject) -> None:
    """ORC-10, on behalf of ORC-17, as an agent of the message (v2-to-FHIR ORC[Provenance])."""
    order = g.around.get("ORC", NO_FIELDS)
    b.ctx.at = "ORC-10"
    who = b.person("XCN.Practitioner", b.first(order[10])) if order[10] else None
    b.ctx.at = "ORC-17"
    where = _entering(b, b.first(order[17])) if order[17] else None
    provenance = b.near(g, "Provenance")
    if provenance is None or not (who or where):
        return
    agent: JsonObject = {"type": _ENTERER, "who": who or where}
    if who and where:
        agent["onBehalfOf"] = where
    append(provenance, "agent", agent)


@rule(
    "role-of-visit",
    reads=("ROL-3", "ROL-4", "ROL-9", "ROL-12", "ROL-13", "ROL-14"),
    writes="individual",
)
def role_of_visit(f: list[str], _g: Group, b: Build, e: JsonObject) -> None:
    """ROL-4 in the function of ROL-3 for ROL-14 (v2-to-FHIR ROL[Encounter-PractitionerRole])."""
    made = b.recalled(("ROL-4", f[3], f[4], f[9], *f[12:15]), _in_role, f)
    if made:
        e["individual"] = made


def practising(f: list[str], b: Build) -> JsonObject | None:
    """Who a ROL names as he is reached at work; the function is said by where he stands."""
    unnamed = [*f[:3], "", *f[4:]]
    return b.recalled(("ROL-4", "", f[4], f[9], *f[12:15]), _in_role, unnamed)


def _in_role(f: list[str], b: Build) -> Referred:
    who = person(b, "ROL-4", f[4])
    where = company(b, ("ROL-14", f[14]), {})
    at, places = place(b, "ROL-13", f[13])
    more: JsonObject = {**reached(b, "ROL", telecom=(12, f[12])), **at}
    concept = DATATYPES["CWE.CodeableConcept"].function
    b.ctx.at = "ROL-9"
    speciality = concept(b.first(f[9]), b.ctx, None) if f[9] else None
    b.ctx.at = "ROL-3"
    function = concept(b.first(f[3]), b.ctx, None) if f[3] else None
    if speciality:
        more["specialty"] = [speciality]
    reference, resources = role(b, who, where, function, more)
    return reference, [*resources, *places]


def _requester(f: list[str], b: Build) -> Referred:
    body = reached(b, "ORC", address=(22, f[22]), telecom=(23, f[23]))
    facility = company(b, ("ORC-21", f[21]), body)
    who = person(b, "ORC-12", f[12], reached(b, "ORC", address=(24, f[24])))
    return role(b, who, facility)


def _entering(b: Build, text: str) -> JsonObject | None:
    """ORC-17 is a code of the sender's own departments, with its name."""
    found, shown = (DATATYPES[f"CWE.{name}"].function for name in ("Organization", "string"))
    return b.refer("ORC-17", "Organization", found, text, shown)
