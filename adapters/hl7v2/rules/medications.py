"""Rules of medication that need more than one value: ingredients of a mixture, amounts."""

from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["amount"]

_SUBSTITUTION: Final = "http://terminology.hl7.org/CodeSystem/v2-0167"
_PLACES: Final = ("MedicationRequest", "MedicationDispense")


@rule("ingredient", reads=("RXC-1", "RXC-2", "RXC-3", "RXC-4"), writes="ingredient")
def ingredient(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """RXC: one part of a mixture; the order then refers to the mixture instead of naming it.

    RXC-1 B (base) is no active part, A (additive) is. HL7 v2.5.1 ch. 4.14.3.
    """
    b.ctx.at = "RXC-2"
    concept = DATATYPES["CWE.CodeableConcept"].function(f[2], b.ctx, None) if f[2] else None
    if not concept:
        return
    made: JsonObject = {"itemCodeableConcept": concept, "isActive": b.comp(f[1], 1) != "B"}
    strength = amount(f[3], f[4], "RXC-3", b)
    if strength:
        made["strength"] = {"numerator": strength, "denominator": {"value": 1}}
    append(r, "ingredient", cast("Json", made))
    for kind in _PLACES:
        order = b.near(g, kind)
        if order is not None and "medicationCodeableConcept" in order:
            r.setdefault("code", order.pop("medicationCodeableConcept"))
            order["medicationReference"] = {"reference": f"Medication/{cast('str', r['id'])}"}


@rule(
    "requested-product",
    reads=("RXO-5", "RXO-18", "RXO-19", "RXO-25", "RXO-26"),
    writes="medication",
)
def requested_product(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """Form and strength of what is ordered stand at a Medication: the order has no place for it."""
    _product(r, g, b, form=("RXO-5", f[5]), strength=("RXO-18", f[18], f[19], f[25], f[26]))


@rule(
    "encoded-product",
    reads=("RXE-6", "RXE-25", "RXE-26", "RXE-31", "RXE-33", "RXE-34"),
    writes="medication",
)
def encoded_product(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """The same of what the pharmacy encoded; RXE-31 names the drug in further systems."""
    b.ctx.at = "RXE-31"
    further = _codings(f[31], b)
    concept = cast("JsonObject", r.get("medicationCodeableConcept", {}))
    held = cast("list[Json]", concept.get("coding", []))
    if further:
        coding = cast("Json", [*held, *(one for one in further if one not in held)])
        r["medicationCodeableConcept"] = {**concept, "coding": coding}
    _product(r, g, b, form=("RXE-6", f[6]), strength=("RXE-25", f[25], f[26], f[33], f[34]))


@rule("dispensed-product", reads=("RXD-6", "RXD-16", "RXD-17", "RXD-18", "RXD-19", "RXD-20"),
      writes="medication")  # fmt: skip
def dispensed_product(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """Form, strength, lot and maker of what was handed out."""
    batch = _batch(("RXD-18", f[18]), ("RXD-19", f[19]), ("RXD-20", f[20]), b)
    strength = ("RXD-16", f[16], f[17], "", "")
    _product(r, g, b, form=("RXD-6", f[6]), strength=strength, more=batch)


@rule("given-product", reads=("RXA-8", "RXA-13", "RXA-14", "RXA-15", "RXA-16", "RXA-17"),
      writes="medication")  # fmt: skip
def given_product(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """Form, strength, lot and maker of what was given."""
    batch = _batch(("RXA-15", f[15]), ("RXA-16", f[16]), ("RXA-17", f[17]), b)
    strength = ("RXA-13", f[13], f[14], "", "")
    _product(r, g, b, form=("RXA-8", f[8]), strength=strength, more=batch)


def _product(
    r: JsonObject,
    g: Group,
    b: Build,
    *,
    form: tuple[str, str],
    strength: tuple[str, str, str, str, str],
    more: JsonObject | None = None,
) -> None:
    """A Medication of the order where form, strength or lot is said, else the code alone."""
    made: JsonObject = {**(more or {})}
    b.ctx.at = form[0]
    concept = DATATYPES["CWE.CodeableConcept"].function
    shape = concept(b.first(form[1]), b.ctx, None) if form[1] else None
    if shape:
        made["form"] = shape
    code = cast("JsonObject", r.get("medicationCodeableConcept", {"text": "unknown"}))
    at, value, unit, volume, volume_unit = strength
    numerator = amount(value, unit, at, b)
    if numerator:
        per = amount(volume, volume_unit, at, b) or {"value": 1}
        ratio: JsonObject = {"numerator": numerator, "denominator": per}
        made["ingredient"] = [{"itemCodeableConcept": code, "strength": ratio}]
    if not made and "medicationReference" not in r:
        return
    kind, name = cast("str", r["resourceType"]), cast("str", r["id"])
    product = b.opened(g, "Medication", (f"{kind}/{name}",), merge=True)
    product.update(made)
    if "medicationCodeableConcept" in r:
        product["code"] = r.pop("medicationCodeableConcept")
    r["medicationReference"] = {"reference": f"Medication/{cast('str', product['id'])}"}


def _batch(
    lot: tuple[str, str], until: tuple[str, str], maker: tuple[str, str], b: Build
) -> JsonObject:
    """`batch` and `manufacturer` of a Medication."""
    found: JsonObject = {}
    for name, (at, text), function in (("lotNumber", lot, "ST.string"),
                                       ("expirationDate", until, "TS.dateTime")):  # fmt: skip
        b.ctx.at = at
        value = DATATYPES[function].function(b.first(text), b.ctx) if text else None
        if value:
            found[name] = value
    made: JsonObject = {"batch": found} if found else {}
    b.ctx.at = maker[0]
    shown = DATATYPES["CWE.string"].function(b.first(maker[1]), b.ctx) if maker[1] else None
    if shown:
        made["manufacturer"] = {"display": shown}
    return made


def _codings(text: str, b: Build) -> list[JsonObject]:
    function = DATATYPES["CWE.CodeableConcept"].function
    repeated = text.split(b.ctx.repetition) if b.ctx.repetition in text else [text]
    found = [function(one, b.ctx, None) for one in repeated if one]
    return [coding for one in found if one for coding in one.get("coding", [])]


@rule("substituted", reads=("RXD-11",), writes="substitution")
def substituted(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """RXD-11, table 0167: N and 0 say that nothing was substituted."""
    b.ctx.at = "RXD-11"
    code = b.comp(f[11], 1).strip()
    if code and code != '""':
        made: JsonObject = {"wasSubstituted": code not in {"N", "0", "1", "7"}}
        made["type"] = {"coding": [{"system": _SUBSTITUTION, "code": code}]}
        r["substitution"] = made


@rule("dispensed-amount", reads=("RXD-4", "RXD-5"), writes="quantity")
def dispensedamount(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """RXD-4 with the unit of RXD-5."""
    quantity = amount(f[4], f[5], "RXD-4", b)
    if quantity:
        r["quantity"] = quantity


def amount(value: str, unit: str, at: str, b: Build) -> JsonObject | None:
    """A number with its unit; None without a number."""
    b.ctx.at = at
    quantity: JsonObject | None = (
        DATATYPES["NM.Quantity"].function(b.first(value), b.ctx) if value else None
    )
    if quantity is None:
        return None
    found = DATATYPES["CWE.Quantity"].function(b.first(unit), b.ctx) if unit else None
    return {**quantity, **(found or {})}
