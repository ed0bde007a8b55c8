"""OBX-5 by OBX-2: the value of an observation, its components, and results of a parent."""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from adapters.hl7v2.build import Build, append
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

Value: TypeAlias = tuple[str, Json]
"""Element name such as `valueQuantity`, and the value."""
_QUANTITY: Final = DATATYPES["NM.Quantity"].function
_UNIT: Final = DATATYPES["CWE.Quantity"].function
_ATTACHMENT: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.value"
_TEXTS: Final = frozenset({"TX", "FT"})
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


@rule("observation-value", reads=("OBX-2", "OBX-4", "OBX-5", "OBX-6"), writes="value", version=2)
def observation_value(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """One value, or a component a repetition; text lines are one string.

    Source: v2-to-FHIR map OBX[Observation], HL7 v2.5.1 ch. 7.4.2.
    """
    text = f[5]
    if not text:
        return
    ctx = b.ctx
    ctx.at = "OBX-5"
    if text == '""':
        _erase(b, r)
        return
    kind = f[2]
    if kind == "NM" and ctx.repetition not in text:  # most results: one number
        result = _number(text, f[6], b)
        if result is not None:
            r[result[0]] = result[1]
        return
    _typed(b.comp(kind, 1), f, b, r)


def _typed(kind: str, f: list[str], b: Build, r: JsonObject) -> None:
    """OBX-5 of any type and any number of repetitions."""
    text = f[5]
    if kind in _TEXTS:
        _lines(text, b, r)
        return
    if kind == "NA":
        _sampled(text, b, r)
        return
    repeated = [one for one in _repeated(text, b) if one]
    values = [value for one in repeated if (value := _value(kind, one, f[6], b)) is not None]
    if len(values) == 1:
        _put(r, values[0])
    for value in values if len(values) > 1 else ():
        component: JsonObject = {"code": r["code"]}
        _put(component, value)
        append(r, "component", component)


def _erase(b: Build, r: JsonObject) -> None:
    """The sender deletes the result: whichever type it had."""
    for name in ("value", "component", "interpretation"):
        b.erase(r, name)


def _lines(text: str, b: Build, r: JsonObject) -> None:
    """TX and FT: every repetition is a line."""
    function = DATATYPES["TX.string"].function
    lines = [function(line, b.ctx) or "" for line in _repeated(text, b)]
    joined = "\n".join(lines).strip("\n")
    if joined:
        r["valueString"] = joined


def _repeated(text: str, b: Build) -> list[str]:
    return text.split(b.ctx.repetition) if b.ctx.repetition in text else [text]


def _put(target: JsonObject, value: Value) -> None:
    if value[0] == "extension":
        append(target, "extension", value[1])
    else:
        target[value[0]] = value[1]


def _value(kind: str, text: str, units: str, b: Build) -> Value | None:
    """One repetition by its datatype."""
    if kind in _CODED:
        concept = b.cached("OBX-5", DATATYPES["CWE.CodeableConcept"].function, text, None)
        return ("valueCodeableConcept", concept) if concept else None
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(text, units, b)
    name, function = _PLAIN.get(kind, ("valueString", "ST.string"))
    made = DATATYPES[function].function(text, b.ctx)
    if made is None and name != "valueString":
        b.ctx.note("value-as-text", "a value does not fit its datatype in OBX-2: kept as text")
        return _string(text, b)
    return (name, made) if made is not None else None


def _string(text: str, b: Build) -> Value | None:
    made = DATATYPES["ST.string"].function(text, b.ctx)
    return ("valueString", made) if made else None


def _number(text: str, units: str, b: Build) -> Value | None:
    """NM with its unit; text that is no number is text, and a warning."""
    findings = len(b.ctx.findings)
    quantity = _QUANTITY(text, b.ctx)
    if quantity is None:
        del b.ctx.findings[findings:]
        b.ctx.note("number-invalid", "OBX-2 says NM and the value is no number: kept as text")
        return _string(text, b)
    return "valueQuantity", _with_unit(quantity, units, b)


def _with_unit(quantity: JsonObject, units: str, b: Build) -> JsonObject:
    """OBX-6 into the quantity."""
    if units and units != '""':
        b.ctx.at = "OBX-6"
        unit = b.cached("OBX-6", _UNIT, b.first(units))
        b.ctx.at = "OBX-5"
        if unit:
            quantity.update(unit)
    return quantity


def _structured(text: str, units: str, b: Build) -> Value | None:
    """SN by the official rule: quantity, range, ratio, else the four components as text."""
    quantity = DATATYPES["SN.Quantity"].function(text, b.ctx)
    if quantity:
        return "valueQuantity", _with_unit(quantity, units, b)
    for name, function, ends in (
        ("valueRange", "SN.Range", ("low", "high")),
        ("valueRatio", "SN.Ratio", ("numerator", "denominator")),
    ):
        made = DATATYPES[function].function(text, b.ctx)
        if made:
            for end in ends if name == "valueRange" else ends[:1]:
                if end in made:
                    made[end] = _with_unit(made[end], units, b)
            return name, made
    words = DATATYPES["SN.string"].function(text, b.ctx)
    return ("valueString", words) if words else None


def _range(text: str, units: str, b: Build) -> Value | None:
    """NR with the unit on both ends."""
    made = DATATYPES["NR.Range"].function(text, b.ctx)
    if made is None:
        return _string(text, b)
    for end in ("low", "high"):
        if end in made:
            made[end] = _with_unit(made[end], units, b)
    return "valueRange", made


def _composite(text: str, _units: str, b: Build) -> Value | None:
    """CQ holds its own unit."""
    made = DATATYPES["CQ.Quantity"].function(text, b.ctx)
    return ("valueQuantity", made) if made else _string(text, b)


def _document(text: str, _units: str, b: Build) -> Value | None:
    """ED: R4 has no valueAttachment on Observation, so the extension of R5."""
    return _attachment("ED.Attachment", text, b)


def _pointer(text: str, _units: str, b: Build) -> Value | None:
    """RP: a document elsewhere."""
    return _attachment("RP.Attachment", text, b)


def _attachment(function: str, text: str, b: Build) -> Value | None:
    made = DATATYPES[function].function(text, b.ctx)
    if made is None:
        return _string(text, b)
    return "extension", {"url": _ATTACHMENT, "valueAttachment": made}


def _empty(text: str, units: str, b: Build) -> Value | None:
    """No OBX-2: a number where it is one with a unit, a code where it has components, else text."""
    if b.ctx.component in text:
        concept = DATATYPES["CWE.CodeableConcept"].function(text, b.ctx, None)
        return ("valueCodeableConcept", concept) if concept else None
    if units and text.strip().lstrip("+-").replace(".", "", 1).isdigit():
        return _number(text, units, b)
    return _string(text, b)


_SPECIAL: Final[dict[str, Callable[[str, str, Build], Value | None]]] = {
    "NM": _number,
    "SN": _structured,
    "NR": _range,
    "CQ": _composite,
    "ED": _document,
    "RP": _pointer,
    "": _empty,
}


def _sampled(text: str, b: Build, r: JsonObject) -> None:
    """NA: numbers of one channel whose period HL7 does not say, so as text of the numbers."""
    values = [part for one in _repeated(text, b) for part in one.split(b.ctx.component)]
    joined = " ".join(DATATYPES["ST.string"].function(value, b.ctx) or "E" for value in values)
    r["valueString"] = joined


@rule("parent-result", reads=("OBR-26", "OBR-29"), writes="extension")
def parent_result(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-26 and OBR-29: the report whose finding led to this one, in the message or stored.

    Microbiology: the susceptibility of an organism that the parent report found.
    """
    if not f[29]:
        return
    b.ctx.at = "OBR-29"
    parts = b.first(f[29]).split(b.ctx.component)
    filler = parts[1] if len(parts) > 1 else ""
    number = (filler or parts[0]).replace(b.ctx.subcomponent, b.ctx.component)
    kind = "EI.FillerIdentifier" if filler else "EI.PlacerIdentifier"
    identifier = DATATYPES[kind].function(number, b.ctx) if number else None
    if identifier:
        reference = cast("Json", {"type": "DiagnosticReport", "identifier": identifier})
        url = "http://hl7.org/fhir/StructureDefinition/event-partOf"
        append(r, "extension", {"url": url, "valueReference": reference})
