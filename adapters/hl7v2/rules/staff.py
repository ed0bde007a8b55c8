"""Rules of the people who work in a house: master files (STF) and referrals (PRD)."""

from typing import Final, cast

from adapters.hl7v2.build import Build, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.times import period_between
from adapters.hl7v2.elements import NO_FIELDS, UNKNOWN, append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.parties import NOBODY, role
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_GONE: Final = frozenset({"MDL", "MDC"})
"""MFE-1, table 0180: deleted, deactivated."""


@rule(
    "staff",
    reads=(
        *(f"STF-{field}" for field in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 18, 19)),
        *(f"PRA-{field}" for field in (2, 3, 5, 6, 9)),
        "MFE-1",
    ),
    version=2,
)
def staff(f: list[str], g: Group, b: Build, _r: JsonObject) -> None:
    """A Practitioner by the first number in STF-2, which is what XCN.1 refers to, else by STF-1.

    HL7 v2.5.1 ch. 15.4.6 (STF) and 15.4.5 (PRA): his licences are numbers too, and what he does
    where since when is a PractitionerRole.
    """
    body: JsonObject = {}
    more = g.segment("PRA") or NO_FIELDS
    key = b.comp(f[1], 1)
    _fill(body, "identifier", "CX.Identifier", f[2] or key, "STF-2" if f[2] else "STF-1", b)
    _fill(body, "identifier", "PLN.Identifier", more[6], "PRA-6", b)
    _fill(body, "name", "XPN.HumanNames", f[3], "STF-3", b)
    _fill(body, "telecom", "XTN.ContactPoint", f[10], "STF-10", b)
    _fill(body, "address", "XAD.Address", f[11], "STF-11", b)
    b.ctx.at = "STF-5"
    gender = DATATYPES["IS.code"].function(b.first(f[5]), b.ctx, load("AdministrativeSex"))
    b.ctx.at = "STF-6"
    born = DATATYPES["TS.date"].function(b.first(f[6]), b.ctx) if f[6] else None
    mail = DATATYPES["ST.string"].function(b.first(f[15]), b.ctx) if f[15] else None
    if gender:
        body["gender"] = gender
    if born:
        body["birthDate"] = born
    if mail and mail not in str(body.get("telecom")):
        append(body, "telecom", {"system": "email", "value": mail})
    event = g.segment("MFE") or NO_FIELDS
    if b.comp(event[1], 1) in _GONE or b.comp(f[7], 1) == "I":
        body["active"] = False
    elif b.comp(f[7], 1) == "A":
        body["active"] = True
    made = b.identified("Practitioner", body)
    if made is not None:
        b.keep(made)
        _work(made, f, more, b)


def _work(practitioner: JsonObject, f: list[str], more: list[str], b: Build) -> None:
    """What a member of the staff does: his titles and specialties, for whom, in which service."""
    made: JsonObject = {}
    _fill(made, "code", "CWE.CodeableConcept", f[19], "STF-19", b)
    _fill(made, "code", "ST.CodeableConcept", f[18], "STF-18", b)
    _fill(made, "code", "CWE.CodeableConcept", more[3], "PRA-3", b)
    _fill(made, "specialty", "ST.CodeableConcept", b.comp(more[5], 1), "PRA-5", b)
    service, house = _words(f[9] or f[8], "STF-9", b), _words(more[9] or more[2], "PRA-9", b)
    if service:
        made["healthcareService"] = [{"display": service}]
    b.ctx.at = "STF-12"
    period = period_between(b.comp(f[12], 1), b.comp(f[13], 1), b.ctx)
    if period:
        made["period"] = period
    if not (made or house):
        return
    first = next(iter(cast("list[JsonObject]", made.get("code", []))), None)
    company: Referred = ({"display": house}, []) if house else NOBODY
    found = role(b, (reference_to(practitioner), []), company, first, made)
    for _, resource, _ in found[1]:
        b.keep(resource)


def _words(text: str, at: str, b: Build) -> str:
    b.ctx.at = at
    return DATATYPES["CWE.string"].function(b.first(text), b.ctx) or "" if text else ""


@rule("referral-provider", reads=("PRD-1", "PRD-2", "PRD-3", "PRD-5", "PRD-7"), version=2)
def referral_provider(f: list[str], g: Group, b: Build, _r: JsonObject) -> None:
    """PRD by its role (table 0286): RP asked, RT is asked; others are named in words.

    HL7 v2.5.1 ch. 11.6.3. A person without number is words, as everywhere. RF1 is optional: where
    nothing else is asked for, the message is the request.
    """
    reference = _provider(f, b)
    if not reference:
        return
    order = b.near(g, "ServiceRequest")
    if order is None:
        order = b.opened(g, "ServiceRequest", (*b.fallback, "PRD"), merge=True)
        order["status"] = "revoked" if b.trigger == "I14" else "active"
        order["intent"] = "order"
        order["subject"] = {**UNKNOWN}
    kind = b.comp(f[1], 1)
    if kind == "RP":
        order["requester"] = reference
    elif kind == "RT":
        append(order, "performer", reference)
    else:
        append(order, "supportingInfo", reference)


@rule("primary-care-provider", reads=(), writes="generalPractitioner")
def primary_care_provider(_f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRD with role PP, which stands before PID, is the patient's general practitioner."""
    findings = len(b.ctx.findings)
    for fields in b.lines:
        if fields[0] == "PRD" and b.comp(fields[1], 1) == "PP":
            reference = _provider(fields, b)
            if reference:
                append(r, "generalPractitioner", reference)
    del b.ctx.findings[findings:]  # PRD notes them


def _provider(f: list[str], b: Build) -> JsonObject:
    """A reference to the person of a PRD, whom his numbers make a Practitioner, else words."""
    body: JsonObject = {}
    _fill(body, "identifier", "PLN.Identifier", f[7], "PRD-7", b)
    _fill(body, "name", "XPN.HumanNames", f[2], "PRD-2", b)
    _fill(body, "telecom", "XTN.ContactPoint", f[5], "PRD-5", b)
    _fill(body, "address", "XAD.Address", f[3], "PRD-3", b)
    b.ctx.at = "PRD-2"
    label = DATATYPES["XPN.string"].function(b.first(f[2]), b.ctx) if f[2] else None
    reference: JsonObject = {"display": label} if label else {}
    made = b.identified("Practitioner", body)
    if made is not None:
        b.keep(made)
        reference |= reference_to(made)
    return reference


def _fill(body: JsonObject, name: str, function: str, text: str, at: str, b: Build) -> None:
    """Every repetition of a field as an item of the list."""
    b.ctx.at = at
    kind = DATATYPES[function]
    found: list[Json] = []
    for one in text.split(b.ctx.repetition) if text != '""' else ():
        if not one:
            continue
        made = kind.function(one, b.ctx, None) if kind.coded else kind.function(one, b.ctx)
        found += made if isinstance(made, list) else [made] if made else []
    if found:
        body[name] = [*cast("list[Json]", body.get(name, [])), *found]
