"""Rules of medication that need more than one value: ingredients of a mixture, amounts."""

from typing import Final, cast

from adapters.hl7v2.build import Build, append
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

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
    strength = _amount(f[3], f[4], "RXC-3", b)
    if strength:
        made["strength"] = {"numerator": strength, "denominator": {"value": 1}}
    append(r, "ingredient", cast("Json", made))
    for kind in _PLACES:
        order = b.near(g, kind)
        if order is not None and "medicationCodeableConcept" in order:
            r.setdefault("code", order.pop("medicationCodeableConcept"))
            order["medicationReference"] = {"reference": f"Medication/{cast('str', r['id'])}"}


@rule("dispensed-amount", reads=("RXD-4", "RXD-5"), writes="quantity")
def dispensed_amount(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """RXD-4 with the unit of RXD-5."""
    amount = _amount(f[4], f[5], "RXD-4", b)
    if amount:
        r["quantity"] = amount


def _amount(value: str, unit: str, at: str, b: Build) -> JsonObject | None:
    """A number with its unit; None without a number."""
    b.ctx.at = at
    quantity: JsonObject | None = (
        DATATYPES["NM.Quantity"].function(b.first(value), b.ctx) if value else None
    )
    if quantity is None:
        return None
    found = DATATYPES["CWE.Quantity"].function(b.first(unit), b.ctx) if unit else None
    return {**quantity, **(found or {})}
