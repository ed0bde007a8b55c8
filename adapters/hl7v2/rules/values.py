"""One repetition of OBX-5 by the datatype that OBX-2 names, with the unit of OBX-6.

HL7 v2.5.1 ch. 7.4.2.5; v2-to-FHIR map OBX[Observation]. What does not fit its datatype is text.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.components import clean
from adapters.hl7v2.datatypes.numbers import decimal_part
from adapters.hl7v2.datatypes.readings import reading
from bridge.core.record.bundle import Json, JsonObject, Severity

__all__ = ["Value", "number_of", "text_of", "unit_of", "value_of"]

Value: TypeAlias = tuple[str, Json]
"""Element name such as `valueQuantity`, and the value."""
_UNIT: Final = DATATYPES["CWE.Quantity"].function
_CODED: Final = frozenset({"CE", "CWE", "CNE", "CF", "IS", "ID"})
_PLAIN: Final = {
    "DT": ("valueDateTime", "DT.dateTime"),
    "TS": ("valueDateTime", "TS.dateTime"),
    "DTM": ("valueDateTime", "DTM.dateTime"),
    "TM": ("valueTime", "TM.time"),
    "DR": ("valuePeriod", "DR.Period"),
    "NR": ("valueRange", "NR.Range"),
    "VR": ("valueString", "VR.string"),
    "XPN": ("valueString", "XPN.string"),
    "PN": ("valueString", "PN.string"),
    "XCN": ("valueString", "XCN.display"),
    "CN": ("valueString", "CN.display"),
    "XAD": ("valueString", "XAD.string"),
    "AD": ("valueString", "AD.string"),
    "XTN": ("valueString", "XTN.string"),
    "TN": ("valueString", "TN.string"),
    "XON": ("valueString", "XON.string"),
    "CX": ("valueString", "CX.string"),
    "EI": ("valueString", "EI.string"),
    "HD": ("valueString", "HD.string"),
    "PL": ("valueString", "PL.string"),
}


def value_of(kind: str, text: str, units: str, b: Build) -> Value | None:
    """One repetition by its datatype."""
    if kind in _CODED:
        concept = b.cached("OBX-5", DATATYPES["CWE.CodeableConcept"].function, text, None)
        if unit_of(units, b):
            _note_unread(b)
        return ("valueCodeableConcept", concept) if concept else None
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(text, units, b)
    name, function = _PLAIN.get(kind, ("valueString", "ST.string"))
    made = DATATYPES[function].function(text, b.ctx)
    if made is None and name != "valueString":
        b.ctx.note("value-as-text", "a value does not fit its datatype in OBX-2: kept as text")
        return text_of(text, b)
    return _measured((name, made), units, b) if made is not None else None


def text_of(text: str, b: Build) -> Value | None:
    """The text as it was sent; None where it is empty."""
    made = DATATYPES["ST.string"].function(text, b.ctx)
    return ("valueString", made) if made else None


def number_of(text: str, units: str, b: Build) -> Value | None:
    """NM with its unit; `<5.6` and its like by the rule of SN; what is no number is text."""
    ctx = b.ctx
    text = text.rstrip(ctx.component)
    if ctx.component in text:
        make = _structured if _is_structured(text, b) else _no_number
        return make(text, units, b)
    findings = len(ctx.findings)
    number = decimal_part(text, ctx)
    if number is not None:
        return "valueQuantity", _with_unit({"value": number}, units, b)
    del ctx.findings[findings:]
    return _read(text, units, b) or _no_number(text, units, b)


def _is_structured(text: str, b: Build) -> bool:
    """An SN that OBX-2 calls NM: a comparator or nothing, then a number."""
    parts = text.split(b.ctx.component)
    return parts[0] in {"", "<", ">", "<=", ">=", "=", "<>"} and len(parts) <= 4


def _read(text: str, units: str, b: Build) -> Value | None:
    """A comparator, a range, a titer or grouped digits in one text."""
    shown = clean(text, b.ctx)
    unit = unit_of(units, b)
    behind = str((unit or {"unit": "%"})["unit"])
    bare = shown.removesuffix(behind).rstrip() if shown.lower().endswith(behind.lower()) else shown
    found = reading(bare)
    if found is None:
        return None
    b.ctx.note("number-form", "a value in OBX-5 was rewritten by the rule of SN",
               Severity.INFORMATION)  # fmt: skip
    if unit is None and bare != shown:
        unit = {"unit": behind}
    kind, value = found
    for end in (value,) if kind == "Quantity" else value.values():
        cast("JsonObject", end).update(unit or {})
    return f"value{kind}", value


def _no_number(text: str, units: str, b: Build) -> Value | None:
    """Kept as text with its unit, so that a reader sees both."""
    b.ctx.note("number-invalid", "OBX-5 should be a number and is none: kept as text")
    return _measured(text_of(text, b), units, b)


def _measured(value: Value | None, units: str, b: Build) -> Value | None:
    """A text with the unit of OBX-6 behind it, as the official rule of SN has it."""
    unit = unit_of(units, b)
    if value is None or unit is None or value[0] != "valueString":
        return value
    text = cast("str", value[1])
    shown = str(unit["unit"])
    if text.lower().endswith(shown.lower()):
        return value
    if not any(letter.isdigit() for letter in text):
        _note_unread(b)
        return value
    return "valueString", f"{text} {shown}"


def _note_unread(b: Build) -> None:
    b.ctx.at = "OBX-6"
    b.ctx.note("unit-unread", "the value has no number that could have a unit",
               Severity.INFORMATION)  # fmt: skip
    b.ctx.at = "OBX-5"


def _with_unit(quantity: JsonObject, units: str, b: Build) -> JsonObject:
    """OBX-6 into the quantity."""
    unit = unit_of(units, b)
    if unit:
        quantity.update(unit)
    return quantity


def unit_of(units: str, b: Build) -> JsonObject | None:
    """OBX-6 as unit, system and code; shared, and never altered."""
    unit: JsonObject | None = b.shelf["OBX-6"].get(units)
    if unit is not None or not units or units == '""':
        return unit
    b.ctx.at = "OBX-6"
    unit = b.cached("OBX-6", _UNIT, b.first(units))
    b.ctx.at = "OBX-5"
    return unit


def _structured(text: str, units: str, b: Build) -> Value | None:
    """SN by the official rule: quantity, range, ratio, else the four components as text."""
    if b.ctx.component not in text:  # one component: what should be four stands in one text
        return number_of(text, units, b)
    quantity = DATATYPES["SN.Quantity"].function(text, b.ctx)
    if quantity:
        return "valueQuantity", _with_unit(quantity, units, b)
    for name, function, ends in (
        ("valueRange", "SN.Range", ("low", "high")),
        ("valueRatio", "SN.Ratio", ("numerator", "denominator")),
    ):
        made = DATATYPES[function].function(text, b.ctx)
        if made:
            for end in ends:
                if end in made:
                    made[end] = _with_unit(made[end], units, b)
            return name, made
    words = DATATYPES["SN.string"].function(text, b.ctx)
    return _measured(("valueString", words), units, b) if words else None


def _range(text: str, units: str, b: Build) -> Value | None:
    """NR with the unit on both ends."""
    made = DATATYPES["NR.Range"].function(text, b.ctx)
    if made is None:
        return text_of(text, b)
    for end in ("low", "high"):
        if end in made:
            made[end] = _with_unit(made[end], units, b)
    return "valueRange", made


def _composite(text: str, _units: str, b: Build) -> Value | None:
    """CQ holds its own unit."""
    made = DATATYPES["CQ.Quantity"].function(text, b.ctx)
    return ("valueQuantity", made) if made else text_of(text, b)


def _empty(text: str, units: str, b: Build) -> Value | None:
    """No OBX-2: a number where it is one with a unit, a code where it has components, else text."""
    if b.ctx.component in text:
        concept = DATATYPES["CWE.CodeableConcept"].function(text, b.ctx, None)
        return ("valueCodeableConcept", concept) if concept else None
    if units and text.strip().lstrip("+-").replace(".", "", 1).isdigit():
        return number_of(text, units, b)
    return _measured(text_of(text, b), units, b)


_SPECIAL: Final[dict[str, Callable[[str, str, Build], Value | None]]] = {
    "NM": number_of,
    "SN": _structured,
    "NR": _range,
    "CQ": _composite,
    "": _empty,
}
