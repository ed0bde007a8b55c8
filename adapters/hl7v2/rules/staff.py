"""Rules of the people who work in a house: master files (STF) and referrals (PRD)."""

from typing import Final

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import NO_FIELDS, append, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_GONE: Final = frozenset({"MDL", "MDC"})
"""MFE-1, table 0180: deleted, deactivated."""


@rule(
    "staff",
    reads=("STF-2", "STF-3", "STF-5", "STF-6", "STF-7", "STF-10", "STF-11", "STF-15", "MFE-1"),
)
def staff(f: list[str], g: Group, b: Build, _r: JsonObject) -> None:
    """A Practitioner by the first number in STF-2, which is what XCN.1 refers to.

    HL7 v2.5.1 ch. 15.4.10. Without a number there is nothing to file him under.
    """
    body: JsonObject = {}
    _fill(body, "identifier", "CX.Identifier", f[2], "STF-2", b)
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


@rule("referral-provider", reads=("PRD-1", "PRD-2", "PRD-3", "PRD-5", "PRD-7"), writes="requester")
def referral_provider(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRD by its role (table 0286): RP asked, RT is asked; others are named in words.

    HL7 v2.5.1 ch. 11.6.3. A person without number is words, as everywhere.
    """
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
    if not reference:
        return
    role = b.comp(f[1], 1)
    if role == "RP":
        r["requester"] = reference
    elif role == "RT":
        append(r, "performer", reference)
    else:
        append(r, "supportingInfo", reference)


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
        body[name] = found
