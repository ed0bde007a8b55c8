"""Companies with their address, and people in the role that they have for one.

v2-to-FHIR gives XON with the address and telephone beside it as one Organization, and a person
with his function or his organization as a PractitionerRole. docs/adr/0022.
"""

from typing import Final, cast

from adapters.hl7v2.build import Build, Kept, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []

_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-0443"
_OBSERVER: Final[JsonObject] = {
    "coding": [
        {"code": "responsibleObserver"},
        {"system": _V2, "code": "RO", "display": "Responsible Observer"},
    ]
}
_DIRECTOR: Final[JsonObject] = {
    "coding": [{"system": _V2, "code": "MDIR", "display": "Medical Director"}]
}
_NOBODY: Final[Referred] = ({}, [])


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
        return ({**shown, **reference_to(made)}, [b.kept(made)]) if made else _NOBODY

    made = b.recalled(("MSH-4", f[4], f[17]), make, f)
    if made:
        r["sender"] = made


@rule("payor", reads=("IN1-3", "IN1-4", "IN1-5", "IN1-6", "IN1-7"), writes="payor", version=4)
def payor(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """IN1-3 identifies the company of IN1-4 to IN1-7."""

    def make(f: list[str], b: Build) -> Referred:
        b.ctx.at = "IN1-3"
        number = DATATYPES["CX.Identifier"].function(b.first(f[3]), b.ctx) if f[3] else None
        body = _reached(b, "IN1", address=(5, f[5]), contact=(6, f[6]), telecom=(7, f[7]))
        return _company(b, ("IN1-4", f[4]), body, number)

    r["payor"] = [b.recalled(("payor", *f[3:8]), make, f) or {"display": "unknown"}]


@rule("performing-organization", reads=("OBX-23", "OBX-24"), writes="performer")
def performing_organization(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-23 at the address in OBX-24."""
    if f[23] == '""':
        b.erase(r, "performer")
    made = b.recalled(("OBX-23", f[23], f[24]), _laboratory, f)
    if made:
        append(r, "performer", made)


@rule("medical-director", reads=("OBX-23", "OBX-24", "OBX-25"), writes="performer")
def medical_director(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-25 in the laboratory of OBX-23."""
    if f[25] == '""':
        b.erase(r, "performer")
        return

    def make(f: list[str], b: Build) -> Referred:
        return _role(b, _person(b, "OBX-25", f[25]), _laboratory(f, b), _DIRECTOR)

    made = b.recalled(("OBX-25", *f[23:26]), make, f)
    if made:
        append(r, "performer", made)


@rule("responsible-observer", reads=("OBX-16",), writes="performer")
def responsible_observer(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Each person in OBX-16."""

    def make(texts: list[str], b: Build) -> Referred:
        return _role(b, _person(b, "OBX-16", texts[0]), _NOBODY, _OBSERVER)

    if f[16] == '""':
        b.erase(r, "performer")
        return
    for text in f[16].split(b.ctx.repetition):
        made = b.recalled(("OBX-16", text), make, [text]) if text else None
        if made:
            append(r, "performer", made)


@rule(
    "order-requester",
    reads=("ORC-12", "ORC-21", "ORC-22", "ORC-23", "ORC-24"),
    writes="requester",
)
def order_requester(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ORC-12, at the address in ORC-24, for the facility of ORC-21 to ORC-23."""

    def make(f: list[str], b: Build) -> Referred:
        body = _reached(b, "ORC", address=(22, f[22]), telecom=(23, f[23]))
        facility = _company(b, ("ORC-21", f[21]), body)
        person = _person(b, "ORC-12", f[12], _reached(b, "ORC", address=(24, f[24])))
        return _role(b, person, facility) if any(facility) else person

    made = b.recalled(("ORC-12", f[12], *f[21:25]), make, f)
    if f[12] == '""' or f[21] == '""':
        b.erase(r, "requester")
    if made:
        r["requester"] = made


@rule("participant-performer", reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"), writes="performer")
def participant_performer(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT below an order, a report or a result: one of those who did it."""
    made = b.recalled(("PRT", f[4], f[5], f[8], f[15]), _participant, f)
    if made:
        append(r, "performer", made)


@rule(
    "participant-interpreter",
    reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"),
    writes="resultsInterpreter",
)
def participant_interpreter(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT of the primary interpreter, table 0443 PRI."""
    made = b.recalled(("PRT", f[4], f[5], f[8], f[15]), _participant, f)
    if made:
        append(r, "resultsInterpreter", made)


@rule("participant-requester", reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"), writes="requester")
def participant_requester(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT of the ordering provider, table 0443 OP, where ORC-12 and OBR-16 name none."""
    made = b.recalled(("PRT", f[4], f[5], f[8], f[15]), _participant, f)
    if made:
        r.setdefault("requester", made)


def _participant(f: list[str], b: Build) -> Referred:
    """PRT-5 in the function of PRT-4, for PRT-8, reached under PRT-15 (PRT[PractitionerRole])."""
    b.ctx.at = "PRT-4"
    function = DATATYPES["CWE.CodeableConcept"].function(b.first(f[4]), b.ctx, None)
    company = _company(b, ("PRT-8", f[8]), {})
    reached = _reached(b, "PRT", telecom=(15, f[15]))
    return _role(b, _person(b, "PRT-5", f[5]), company, function, reached)


def _laboratory(f: list[str], b: Build) -> Referred:
    return _company(b, ("OBX-23", f[23]), _reached(b, "OBX", address=(24, f[24])))


def _company(
    b: Build, named: tuple[str, str], body: JsonObject, number: JsonObject | None = None
) -> Referred:
    """The Organization of an XON: filed under its number, else under its name if one can reach it.

    A name alone is words (mapping of people and places).
    """
    b.ctx.at, text = named
    text = "" if text == '""' else b.first(text)
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


def _reached(b: Build, segment: str, **fields: tuple[int, str]) -> JsonObject:
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


_REACH: Final = {
    "address": "XAD.Address",
    "contact": "XPN.HumanName",
    "telecom": "XTN.ContactPoint",
}


def _person(b: Build, at: str, text: str, body: JsonObject | None = None) -> Referred:
    """A Practitioner where he has a number, else words; the first of several."""
    b.ctx.at = at
    text = "" if text == '""' else b.first(text)
    if not text:
        return _NOBODY
    reference, resources = b.referring("XCN.Practitioner", text)
    if body and resources:
        resources = [b.kept({**resources[0][1], **body}), *resources[1:]]
    return reference, resources


def _role(
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
        more: further elements of the PractitionerRole.
    """
    who, where = person[0], company[0]
    if not who:
        return company
    if "reference" not in who and "reference" not in where:
        return person
    names = [str(one.get("reference") or one.get("display", "")) for one in (who, where)]
    found = resource_id(b.namespace, "PractitionerRole", *names, _code(function or {}))
    made: JsonObject = {"resourceType": "PractitionerRole", "id": found, "practitioner": who}
    if where:
        made["organization"] = where
    if function:
        made["code"] = [function]
    resources: list[Kept] = [*person[1], *company[1], b.kept({**made, **(more or {})})]
    shown: JsonObject = {"display": who["display"]} if "display" in who else {}
    return {**shown, **reference_to(made)}, resources


def _code(function: JsonObject) -> str:
    """What tells one function from another: its first code, else its words."""
    codings = cast("list[dict[str, str]]", function.get("coding", []))
    return codings[0]["code"] if codings else str(function.get("text", ""))
