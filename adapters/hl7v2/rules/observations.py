"""OBX-5 by OBX-2: the value of an observation, its components, and its reference ranges."""

from collections.abc import Callable
from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.readings import reference_range
from adapters.hl7v2.elements import append
from adapters.hl7v2.enclosed import Enclosed
from adapters.hl7v2.group import Group
from adapters.hl7v2.memory import plain
from adapters.hl7v2.rules.documents import filed
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.rules.values import Value, number_of, text_of, unit_of, value_of
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []

_BETWEEN: Final = "\x1c"
"""Between two fields in the key of what is remembered: no text of a message holds it."""
_UNREADABLE: Final[JsonObject] = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "error",
            "display": "Error",
        }
    ]
}
_TEXTS: Final = frozenset({"TX", "FT"})
_DOCUMENTS: Final = frozenset({"ED", "RP"})


@rule("observation-value", reads=("OBX-2", "OBX-4", "OBX-5", "OBX-6"), writes="value", version=4)
def observation_value(f: list[str], g: Group, b: Build, r: JsonObject) -> None:
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
    if "dataAbsentReason" in r:
        _say_why(text, b, r)
        return
    kind = f[2]
    if kind == "NM" and ctx.repetition not in text:  # most results: one number
        result = number_of(text, f[6], b)
        if result is not None:
            r[result[0]] = result[1]
        return
    kind = b.comp(kind, 1)
    if kind in _DOCUMENTS:
        _documents(kind, f, g, b, r)
    else:
        _typed(kind, f, b, r)


def _say_why(text: str, b: Build, r: JsonObject) -> None:
    """OBX-11 X or N: what stands in OBX-5 is no value (obs-6) but says why there is none."""
    label = DATATYPES["CWE.string"].function
    words = "; ".join(found for one in _repeated(text, b) if (found := label(one, b.ctx)))
    r["dataAbsentReason"] = {**cast("JsonObject", plain(r["dataAbsentReason"])), "text": words}


def _documents(kind: str, f: list[str], g: Group, b: Build, r: JsonObject) -> None:
    """ED and RP: R4 has no attachment as a value, so a DocumentReference that the result names.

    What is no document is kept as text.
    """
    function = DATATYPES[f"{kind}.Attachment"].function
    name = cast("str", r["id"])
    owner: JsonObject = {
        "resourceType": "DocumentReference",
        "id": resource_id(b.namespace, "DocumentReference", f"Observation/{name}"),
    }
    report = b.near(g, "DiagnosticReport")
    title = DATATYPES["CWE.string"].function(f[3], b.ctx) if f[3] else None
    for text in _repeated(f[5], b):
        made = filed(function(text, b.ctx), owner, b) if text else None
        if made is None:
            value = text_of(text, b) if text and kind == "RP" else None
            if value:
                _put(r, value)
            elif text:
                r["dataAbsentReason"] = _UNREADABLE
            continue
        shown: JsonObject = {**made, "title": title} if title else made
        append(owner, "content", {"attachment": shown})
        if report is not None:
            append(report, "presentedForm", shown)
    if "content" in owner:
        append(r, "derivedFrom", {"reference": f"DocumentReference/{cast('str', owner['id'])}"})
        b.enclosed.append(Enclosed(document=owner, result=r, report=report))


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
    values = [value for one in repeated if (value := value_of(kind, one, f[6], b)) is not None]
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
    target[value[0]] = value[1]


@rule("reference-range", reads=("OBX-6", "OBX-7"), writes="referenceRange")
def ranges(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-7: text, and low and high with the unit of the result where it says them.

    Of a result that repeats it is each component's: v2-to-FHIR map OBX[Observation-Component].
    """
    if f[7] == '""':
        b.erase(r, "referenceRange")
        return
    unit = unit_of(f[6], b)
    b.ctx.at = "OBX-7"
    text = f"{f[7]}{_BETWEEN}{f[6]}"
    found = b.shelf["OBX-7"].get(text) or b.cached("OBX-7", _ranges_of(unit), text)
    holders = cast("list[JsonObject]", r.get("component", [])) or [r]
    for holder in holders if found else ():
        holder["referenceRange"] = [*found]


def _ranges_of(unit: JsonObject | None) -> Callable[[str, Context], list[JsonObject]]:
    """The ranges of a field that may repeat, as a function that the build can remember."""

    def convert(text: str, ctx: Context) -> list[JsonObject]:
        field = text.partition(_BETWEEN)[0]
        texts = field.split(ctx.repetition) if ctx.repetition in field else [field]
        made = [reference_range(one, unit, ctx) for one in texts]
        return [one for one in made if one]

    return convert


def _sampled(text: str, b: Build, r: JsonObject) -> None:
    """NA: numbers of one channel whose period HL7 does not say, so as text of the numbers."""
    values = [part for one in _repeated(text, b) for part in one.split(b.ctx.component)]
    joined = " ".join(DATATYPES["ST.string"].function(value, b.ctx) or "E" for value in values)
    r["valueString"] = joined
