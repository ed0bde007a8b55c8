"""Doses of orders: RXO and RXE say how much, RXR which way, TQ1 when; and what is dispensed.

HL7 v2.5.1 ch. 4.14; v2-to-FHIR maps RXO[MedicationRequest], RXR[MedicationRequest],
TQ1[MedicationRequest]. RXE has no official map and is read as RXO is.
"""

from decimal import Decimal
from typing import Final, cast

from msgspec import Raw

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.dosing import Dosing
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.medications import amount
from adapters.hl7v2.rules.registry import rule
from adapters.hl7v2.rules.schedules import schedule
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__: list[str] = []

_DAY: Final[JsonObject] = {
    "value": 1, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d",
}  # fmt: skip
_ORDERED: Final[JsonObject] = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/dose-rate-type",
            "code": "ordered",
            "display": "Ordered",
        }
    ]
}


@rule(
    "requested-dose",
    reads=("RXO-2", "RXO-3", "RXO-4", "RXO-7", "RXO-21", "RXO-22", "RXO-23"),
    writes="dosageInstruction",
)
def requested_dose(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """What the prescriber asks for."""
    dosing = b.dosed(r)
    _add_dose(dosing, (f[2], f[3], f[4]), (f[21], f[22]), "RXO", b)
    _add_limit(dosing, f[23], "RXO-23", b)
    _add_words(dosing, f[7], "RXO-7", b)


@rule(
    "encoded-dose",
    reads=("RXE-1", "RXE-3", "RXE-4", "RXE-5", "RXE-7", "RXE-19", "RXE-22", "RXE-23", "RXE-24"),
    writes="dosageInstruction",
)
def encoded_dose(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """What the pharmacy made of it: it stands for what RXO asked."""
    dosing = b.dosed(r)
    dosing.encoded = True
    _add_dose(dosing, (f[3], f[4], f[5]), (f[23], f[24]), "RXE", b)
    _add_limit(dosing, f[19], "RXE-19", b)
    _add_words(dosing, f[7], "RXE-7", b)
    b.ctx.at = "RXE-22"
    per = DATATYPES["ST.string"].function(f[22], b.ctx) if f[22] else None
    if per:
        _append_text(dosing.base, f"per {per}")
    _add_old_schedule(dosing, f[1], "RXE-1", b, r)


@rule("old-dose-schedule", reads=("ORC-7",), writes="dosageInstruction")
def old_dose_schedule(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """ORC-7, a TQ: what TQ1 says since version 2.5."""
    _add_old_schedule(b.dosed(r), f[7], "ORC-7", b, r)


@rule(
    "dose-schedule",
    reads=("TQ1-2", "TQ1-3", "TQ1-4", "TQ1-5", "TQ1-6", "TQ1-7", "TQ1-8", "TQ1-9", "TQ1-10",
           "TQ1-11", "TQ1-12", "TQ1-13", "TQ1-14"),
    writes="dosageInstruction",
)  # fmt: skip
def dose_schedule(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """One TQ1 is one instruction; what is as needed has its condition, else that is an advice."""
    made = schedule(f, b)
    time: JsonObject = {name: made[name] for name in ("timing", "text") if name in made}
    quantity, condition = made.get("quantity"), made.get("condition")
    if quantity:
        time["doseAndRate"] = [{"doseQuantity": quantity}]
    if made.get("asNeeded"):
        if condition:
            time["asNeededCodeableConcept"] = {"text": condition}
        else:
            time["asNeededBoolean"] = True
    elif condition:
        time["additionalInstruction"] = [{"text": condition}]
    if time:
        b.dosed(r).time(time)


@rule(
    "dose-route", reads=("RXR-1", "RXR-2", "RXR-4", "RXR-5"), writes="dosageInstruction", version=1
)
def dose_route(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Route, site, method and what else the route needs."""
    route: JsonObject = {}
    for name, field, table in (("route", 1, "RouteOfAdministration"), ("site", 2, "BodySite"),
                               ("method", 4, "AdministrationMethod")):  # fmt: skip
        b.ctx.at = f"RXR-{field}"
        concept = _concept(f[field], b, table)
        if concept:
            route[name] = concept
    b.ctx.at = "RXR-5"
    further = _concept(f[5], b)
    if further:
        route["additionalInstruction"] = [further]
    if route:
        b.dosed(r).route(route)


@rule("requested-supply", reads=("RXO-11", "RXO-12"), writes="dispenseRequest")
def requested_supply(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """How much to dispense."""
    _add_supply(amount(f[11], f[12], "RXO-11", b), r)


@rule("encoded-supply", reads=("RXE-10", "RXE-11"), writes="dispenseRequest")
def encoded_supply(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """How much to dispense."""
    _add_supply(amount(f[10], f[11], "RXE-10", b), r)


@rule("dispensed-limit", reads=("RXD-12",), writes="dosageInstruction")
def dispensed_limit(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """RXD-12: the total daily dose of what is supplied."""
    dosing = Dosing()
    _add_limit(dosing, f[12], "RXD-12", b)
    if dosing.base:
        r["dosageInstruction"] = [dosing.base]


def _add_supply(quantity: JsonObject | None, r: JsonObject) -> None:
    if quantity:
        request = {**cast("JsonObject", r.get("dispenseRequest", {}))}
        r["dispenseRequest"] = {**request, "quantity": quantity}


def _add_dose(
    dosing: Dosing, dose: tuple[str, str, str], rate: tuple[str, str], at: str, b: Build
) -> None:
    """A dose or a range of doses, and a rate.

    A greatest dose that is no number, where no unit follows, is the unit one field too early.
    """
    first = 2 if at == "RXO" else 3
    low = amount(dose[0], dose[2], f"{at}-{first}", b)
    high = amount(dose[1], dose[2], f"{at}-{first + 1}", b)
    if low and not (high or dose[2]):
        low = amount(dose[0], dose[1], f"{at}-{first}", b)
    made: JsonObject = {}
    if low and high and _below(low, high):
        made["doseRange"] = {"low": low, "high": high}
    elif low or high:
        made["doseQuantity"] = low or high
    speed = amount(rate[0], rate[1], f"{at}-{21 if at == 'RXO' else 23}", b)
    if speed:
        made["rateQuantity"] = speed
    if made:
        dosing.base["doseAndRate"] = [{"type": _ORDERED, **made}]


def _below(low: JsonObject, high: JsonObject) -> bool:
    """Whether it is a range at all (rng-2)."""
    first, second = (Decimal(bytes(cast("Raw", end["value"])).decode()) for end in (low, high))
    return first < second


def _add_limit(dosing: Dosing, text: str, at: str, b: Build) -> None:
    """The total daily dose, a CQ."""
    b.ctx.at = at
    total = DATATYPES["CQ.Quantity"].function(b.first(text), b.ctx) if text else None
    if total:
        dosing.base["maxDosePerPeriod"] = {"numerator": total, "denominator": _DAY}


def _add_words(dosing: Dosing, text: str, at: str, b: Build) -> None:
    """Instructions, each a concept where it has a code; together the text that a person reads."""
    if not text or text == '""':
        return
    b.ctx.at = at
    label = DATATYPES["CWE.string"].function
    repeated = text.split(b.ctx.repetition)
    dosing.base.pop("text", None)
    for one in repeated:
        words = label(one, b.ctx) if one else None
        if words:
            _append_text(dosing.base, words)
    coded = [found for one in repeated if b.ctx.component in one and (found := _concept(one, b))
             and "coding" in found]  # fmt: skip
    if coded:
        dosing.base["additionalInstruction"] = cast("Json", coded)


def _append_text(base: JsonObject, words: str) -> None:
    held = cast("str", base.get("text", ""))
    base["text"] = f"{held}; {words}" if held else words


def _add_old_schedule(dosing: Dosing, text: str, at: str, b: Build, r: JsonObject) -> None:
    """A TQ: interval, duration, bounds, priority, condition and text in one field."""
    if not text or text == '""':
        return
    b.ctx.at = at
    repetition = b.ctx.repetition
    for one in text.split(repetition) if repetition in text else [text]:
        time: JsonObject = {}
        for name, function in (("timing", "TQ.Timing"), ("text", "TQ.string")):
            kind = DATATYPES[function]
            value = kind.function(one, b.ctx, None) if kind.coded else kind.function(one, b.ctx)
            if value:
                time[name] = value
        quantity = DATATYPES["TQ.Quantity"].function(one, b.ctx)
        if quantity:
            time["doseAndRate"] = [{"doseQuantity": quantity}]
        if time:
            dosing.old_time(time)
    priority = DATATYPES["TQ.code"].function(b.first(text), b.ctx, load("Priority"))
    if priority:
        r["priority"] = priority


def _concept(text: str, b: Build, table: str = "") -> JsonObject | None:
    if not text or text == '""':
        return None
    function = DATATYPES["CWE.CodeableConcept"].function
    found: JsonObject | None = function(b.first(text), b.ctx, load(table) if table else None)
    return found
