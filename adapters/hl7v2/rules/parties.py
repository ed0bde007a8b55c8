"""Companies with their address, and people in the role that they have for one.

v2-to-FHIR gives XON with the address and telephone beside it as one Organization, and a person
with his function or his organization as a PractitionerRole. docs/adr/0022.
"""

from typing import Final, cast

from adapters.hl7v2.build import Build, Kept, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import NO_FIELDS, append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["NOBODY", "company", "person", "place", "reached", "role"]


NOBODY: Final[Referred] = ({}, [])
_REACH: Final = {
    "address": "XAD.Address",
    "contact": "XPN.HumanName",
    "telecom": "XTN.ContactPoint",
}


@rule("sending-facility", reads=("MSH-4", "MSH-17"), writes="sender")
def sending_facility(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """MSH-4, in the country of MSH-17."""

    def make(f: list[str], b: Build) -> Referred:
        b.ctx.at = "MSH-4"
        name = DATATYPES["HD.string"].function(b.first(f[4]), b.ctx)
        body = DATATYPES["HD.Organization"].function(b.first(f[4]), b.ctx)
        country = DATATYPES["ID.code"].function(f[17], b.ctx, None) if f[17] else None
        if body and country:
            body["address"] = [{"country": country}]
        made = b.identified("Organization", body) if body else None
        shown: JsonObject = {"display": name} if name else {}
        return ({**shown, **reference_to(made)}, [b.kept(made)]) if made else NOBODY

    made = b.recalled(("MSH-4", f[4], f[17]), make, f)
    if made:
        r["sender"] = made


@rule("payor", reads=("IN1-3", "IN1-4", "IN1-5", "IN1-6", "IN1-7"), writes="payor", version=4)
def payor(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """IN1-3 identifies the company of IN1-4 to IN1-7."""

    def make(f: list[str], b: Build) -> Referred:
        b.ctx.at = "IN1-3"
        number = DATATYPES["CX.Identifier"].function(b.first(f[3]), b.ctx) if f[3] else None
        body = reached(b, "IN1", address=(5, f[5]), contact=(6, f[6]), telecom=(7, f[7]))
        return company(b, ("IN1-4", f[4]), body, number)

    r["payor"] = [b.recalled(("payor", *f[3:8]), make, f) or {"display": "unknown"}]


@rule("policy-holder", reads=("IN1-11", "IN1-44", "IN2-49", "IN2-50"), writes="policyHolder")
def policy_holder(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """IN1-11, the employer, at IN1-44; whom to ask there by IN2-49 and IN2-50."""
    more = g.segment("IN2") or NO_FIELDS

    def make(_f: list[str], b: Build) -> Referred:
        body = reached(b, "IN1", address=(44, f[44]))
        asked = reached(b, "IN2", contact=(49, more[49]), telecom=(50, more[50]))
        return company(b, ("IN1-11", f[11]), {**body, **_asked(asked)})

    made = b.recalled(("IN1-11", f[11], f[44], more[49], more[50]), make, f)
    if f[11] == '""':
        b.erase(r, "policyHolder")
    elif made:
        r["policyHolder"] = made


@rule(
    "contact-organization",
    reads=("NK1-13", "NK1-30", "NK1-31", "NK1-32"),
    writes="organization",
)
def contact_organization(f: list[str], _g: Group, b: Build, e: JsonObject) -> None:
    """NK1-13; whom to ask there by NK1-30 to NK1-32 (v2-to-FHIR NK1[Patient])."""

    def make(f: list[str], b: Build) -> Referred:
        asked = reached(b, "NK1", contact=(30, f[30]), telecom=(31, f[31]), address=(32, f[32]))
        return company(b, ("NK1-13", f[13]), _asked(asked))

    made = b.recalled(("NK1-13", f[13], *f[30:33]), make, f)
    if made:
        e["organization"] = made


def _asked(found: JsonObject) -> JsonObject:
    """One contact of an organization: R4 gives it a name, an address and telephones."""
    if not found:
        return {}
    contact: JsonObject = {}
    for one in cast("list[JsonObject]", found.get("contact", []))[:1]:
        contact["name"] = one["name"]
    if "telecom" in found:
        contact["telecom"] = found["telecom"]
    for place in cast("list[Json]", found.get("address", []))[:1]:
        contact["address"] = place
    return {"contact": [contact]}


def company(
    b: Build, named: tuple[str, str], body: JsonObject, number: JsonObject | None = None
) -> Referred:
    """The Organization of an XON: filed under its number, else under its name if one can reach it.

    A name alone is words (mapping of people and places).
    """
    text = _said(b, *named)
    known = DATATYPES["XON.Organization"].function(text, b.ctx) if text else None
    name = DATATYPES["XON.string"].function(text, b.ctx) if text else None
    reference: JsonObject = {"display": name} if name else {}
    if name:
        body = {**body, "name": name}
    identified: JsonObject = {"identifier": [number]} if number else known or {}
    made = b.identified("Organization", {**identified, **body})
    if made is None and name and len(body) > 1:
        found = resource_id(b.namespace, "Organization", "name", b.sender, name)
        made = {"resourceType": "Organization", "id": found, **body}
    if made is None:
        return reference, []
    return {**reference, **reference_to(made)}, [b.kept(made)]


def person(b: Build, at: str, text: str, body: JsonObject | None = None) -> Referred:
    """A Practitioner where he has a number, else words; the first of several."""
    text = _said(b, at, text)
    if not text:
        return NOBODY
    reference, resources = b.referring("XCN.Practitioner", text)
    if body and resources:
        resources = [b.kept({**resources[0][1], **body}), *resources[1:]]
    return reference, resources


def place(b: Build, at: str, text: str, name: str = "PL.Location") -> Referred:
    """`location` of a role, and the places that it refers to."""
    text = _said(b, at, text)
    reference, resources = b.referring(name, text) if text else NOBODY
    named = reference.get("reference")
    return ({"location": [{"reference": named}]}, resources) if named else NOBODY


def role(
    b: Build,
    person: Referred,
    company: Referred,
    function: JsonObject | None = None,
    more: JsonObject | None = None,
) -> Referred:
    """The person in his function or for his company; words where neither has a resource.

    Args:
        b: of the message.
        person: a Practitioner, or words.
        company: an Organization, or words; may be nobody.
        function: what he does, a CodeableConcept.
        more: further elements of the PractitionerRole, its places among them.
    """
    who, where = person[0], company[0]
    if not who:
        return company
    plain = not (where or function or more)
    if plain or ("reference" not in who and "reference" not in where):
        return person
    places = cast("list[JsonObject]", (more or {}).get("location", []))
    names = [str(one.get("reference") or one.get("display", "")) for one in (who, where, *places)]
    found = resource_id(b.namespace, "PractitionerRole", _code(function or {}), *names)
    made: JsonObject = {"resourceType": "PractitionerRole", "id": found, "practitioner": who}
    if where:
        made["organization"] = where
    if function:
        made["code"] = [function]
    resources: list[Kept] = [*person[1], *company[1], b.kept({**made, **(more or {})})]
    shown: JsonObject = {"display": who["display"]} if "display" in who else {}
    return {**shown, **reference_to(made)}, resources


def reached(b: Build, segment: str, **fields: tuple[int, str]) -> JsonObject:
    """Addresses, telephones and contact persons of a company or a person at work."""
    body: JsonObject = {}
    for name, (number, text) in fields.items():
        b.ctx.at = f"{segment}-{number}"
        function = _REACH[name]
        for one in text.split(b.ctx.repetition) if text not in {"", '""'} else ():
            made = DATATYPES[function].function(one, b.ctx) if one else None
            for part in made if isinstance(made, list) else [made] if made else []:
                if part.get("use") == "home":  # R4 org-2 and org-3: no organization is at home
                    del part["use"]
                append(body, name, {"name": part} if name == "contact" else part)
    return body


def _said(b: Build, at: str, text: str) -> str:
    """The first of a field, which is now the place of findings; empty where it deletes."""
    b.ctx.at = at
    return "" if text == '""' else b.first(text)


def _code(function: JsonObject) -> str:
    """What tells one function from another: its first code, else its words."""
    codings = cast("list[dict[str, str]]", function.get("coding", []))
    return codings[0]["code"] if codings else str(function.get("text", ""))
