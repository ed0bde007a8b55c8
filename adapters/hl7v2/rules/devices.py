"""What measured: OBX-18, and the lines of IHE PCD-01 that say which device the results are of.

IHE DEV TF-2 appendix B.8: OBX-4 is the place in the device, `1.0.1.3`: medical device system,
virtual device, channel, metric. A line without a value, of code system MDC, describes what it is a
place of; in OBX-11 it has X or R, though no result is missing.
"""

from collections.abc import Sequence

from adapters.hl7v2.build import Build, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.identifiers import is_placeholder
from adapters.hl7v2.elements import append, name_of, reference_to
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import resource_id

__all__: list[str] = []


@rule("measuring-device", reads=("OBX-18",), writes="device")
def measuring_device(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-18: repetitions are numbers of one device, such as its model and its serial number.

    All of them name it, for a laboratory has several of a model (IHE LAB TF-2b, OBX-18 of LAW).
    """
    if f[18] == '""':
        b.erase(r, "device")
        return
    made = b.recalled(("OBX-18", f[18]), _numbered, f)
    if made:
        r["device"] = made


@rule("device-line", reads=("OBX-3", "OBX-4", "OBX-18"), writes="device")
def device_line(f: list[str], _g: Group, b: Build, _r: JsonObject) -> None:
    """A device of its own where it is the outermost or has a number; else what a part of it is."""
    b.ctx.at = "OBX-3"
    kind = DATATYPES["CWE.CodeableConcept"].function(b.first(f[3]), b.ctx, None)
    place = _place(f[4])
    whole = _containing(place, b)
    numbers = _numbers(f[18], b)
    if whole is not None and not numbers:
        append(whole, "specialization", {"systemType": kind})
        return
    key = _key(numbers, b) if numbers else (b.header[3], f[3], f[4])
    made: JsonObject = {
        "resourceType": "Device",
        "id": resource_id(b.namespace, "Device", *key),
        "type": kind,
    }
    if numbers:
        made["identifier"] = [*numbers]
    if whole is not None:
        made["parent"] = reference_to(whole)
    b.keep(made)
    b.devices[place] = b.resources[name_of(made)]


@rule("containing-device", reads=("OBX-4",), writes="device")
def containing_device(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """The device that a line before described, of which OBX-4 is a place."""
    device = _containing(_place(f[4]), b)
    if device is not None:
        r["device"] = reference_to(device)


def _place(text: str) -> tuple[str, ...]:
    """OBX-4 without the zeros at its end: `1.0.0.0` is all of device 1."""
    parts = text.split(".")
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return tuple(parts)


def _containing(place: tuple[str, ...], b: Build) -> JsonObject | None:
    """The innermost device around the place."""
    ends = range(len(place) - 1, 0, -1)
    return next((b.devices[place[:end]] for end in ends if place[:end] in b.devices), None)


def _numbered(f: list[str], b: Build) -> Referred:
    """The device of all numbers in OBX-18; it is called what stands first."""
    numbers = _numbers(f[18], b)
    if not numbers:
        shown = DATATYPES["EI.string"].function(b.first(f[18]), b.ctx)
        return {"display": shown} if shown else {}, []
    name = resource_id(b.namespace, "Device", *_key(numbers, b))
    kept = b.kept({"resourceType": "Device", "id": name, "identifier": [*numbers]})
    return {"display": numbers[0]["value"], "reference": kept[0]}, [kept]


def _numbers(text: str, b: Build) -> list[JsonObject]:
    b.ctx.at = "OBX-18"
    number = DATATYPES["EI.Identifier"].function
    found = (number(one, b.ctx) for one in text.split(b.ctx.repetition) if one)
    return [one for one in found if one and not is_placeholder(one["value"])]


def _key(numbers: Sequence[JsonObject], b: Build) -> tuple[str, ...]:
    parts = [(one.get("system") or f"|{b.sender}", one["value"]) for one in numbers]
    return tuple(str(part) for pair in parts for part in pair)
