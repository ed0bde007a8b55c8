"""Who did it and with what: OBX-16, OBX-18, OBX-23 to OBX-25, OBR-32 to OBR-35, and PRT.

A person is a PractitionerRole in his function (v2-to-FHIR OBX[Observation], NDL[PractitionerRole],
PRT[PractitionerRole]). docs/adr/0022.
"""

from typing import Final

from adapters.hl7v2.build import Build, Referred
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.datatypes.identifiers import is_placeholder
from adapters.hl7v2.elements import append
from adapters.hl7v2.group import Group
from adapters.hl7v2.rules.parties import NOBODY, company, person, place, reached, role
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
        return role(b, person(b, "OBX-25", f[25]), _laboratory(f, b), _DIRECTOR)

    made = b.recalled(("OBX-25", *f[23:26]), make, f)
    if made:
        append(r, "performer", made)


@rule("responsible-observer", reads=("OBX-16",), writes="performer")
def responsible_observer(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """Each person in OBX-16."""

    def make(texts: list[str], b: Build) -> Referred:
        return role(b, person(b, "OBX-16", texts[0]), NOBODY, _OBSERVER)

    if f[16] == '""':
        b.erase(r, "performer")
        return
    for text in f[16].split(b.ctx.repetition):
        made = b.recalled(("OBX-16", text), make, [text]) if text else None
        if made:
            append(r, "performer", made)


@rule("measuring-device", reads=("OBX-18",), writes="device")
def measuring_device(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBX-18: repetitions are numbers of one device, such as its model and its serial number.

    All of them name it, for a laboratory has several of a model (IHE LAB TF-2b, OBX-18 of LAW).
    """
    if f[18] == '""':
        b.erase(r, "device")
        return
    made = b.recalled(("OBX-18", f[18]), _device, f)
    if made:
        r["device"] = made


@rule("principal-interpreter", reads=("OBR-32",), writes="resultsInterpreter")
def principal_interpreter(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-32, table 0443 PI."""
    _did(f[32], ("OBR-32", "resultsInterpreter", "PI", "Primary Interpreter"), b, r)


@rule("assistant-interpreter", reads=("OBR-33",), writes="resultsInterpreter")
def assistant_interpreter(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-33, table 0443 AI."""
    _did(f[33], ("OBR-33", "resultsInterpreter", "AI", "Assistant/Alternate Interpreter"), b, r)


@rule("report-technician", reads=("OBR-34",), writes="performer")
def report_technician(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-34, table 0443 TN."""
    _did(f[34], ("OBR-34", "performer", "TN", "Technician"), b, r)


@rule("report-transcriber", reads=("OBR-35",), writes="performer")
def report_transcriber(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """OBR-35, table 0443 TR."""
    _did(f[35], ("OBR-35", "performer", "TR", "Transcriptionist"), b, r)


@rule("participant-performer", reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"), writes="performer")
def participant_performer(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT below an order, a report or a result: one of those who did it."""
    made = _participant(f, b)
    if made:
        append(r, "performer", made)


@rule(
    "participant-interpreter",
    reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"),
    writes="resultsInterpreter",
)
def participant_interpreter(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT of the primary interpreter, table 0443 PRI."""
    made = _participant(f, b)
    if made:
        append(r, "resultsInterpreter", made)


@rule("participant-requester", reads=("PRT-4", "PRT-5", "PRT-8", "PRT-15"), writes="requester")
def participant_requester(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """PRT of the ordering provider, table 0443 OP, where ORC-12 and OBR-16 name none."""
    made = _participant(f, b)
    if made:
        r.setdefault("requester", made)


def _did(text: str, said: tuple[str, str, str, str], b: Build, r: JsonObject) -> None:
    """Each NDL in his function, where he worked.

    NDL.2 and NDL.3, when he did it, are read and left: a role would be another one each time, and
    OBR-22 says when the report was made.
    """
    at, element, code, display = said
    if text == '""':
        b.erase(r, element)
        return

    def make(texts: list[str], b: Build) -> Referred:
        b.ctx.at = at
        who = b.referring("NDL.Practitioner", texts[0])
        where, places = place(b, at, texts[0], "NDL.Location")
        function: JsonObject = {"coding": [{"system": _V2, "code": code, "display": display}]}
        reference, resources = role(b, who, NOBODY, function, where)
        return reference, [*resources, *places]

    for one in text.split(b.ctx.repetition):
        made = b.recalled((at, one), make, [one]) if one else None
        if made:
            append(r, element, made)


def _device(f: list[str], b: Build) -> Referred:
    """The device of all numbers in OBX-18; it is called what stands first."""
    number = DATATYPES["EI.Identifier"].function
    found = [known for one in f[18].split(b.ctx.repetition) if (known := number(one, b.ctx))]
    numbers = [one for one in found if not is_placeholder(one["value"])]
    if not numbers:
        return {"display": found[0]["value"]} if found else {}, []
    key = [part for one in numbers for part in (one.get("system") or f"|{b.sender}", one["value"])]
    name = resource_id(b.namespace, "Device", *key)
    kept = b.kept({"resourceType": "Device", "id": name, "identifier": numbers})
    return {"display": numbers[0]["value"], "reference": kept[0]}, [kept]


def _participant(f: list[str], b: Build) -> JsonObject | None:
    """PRT-5 in the function of PRT-4, for PRT-8, reached under PRT-15 (PRT[PractitionerRole])."""

    def make(f: list[str], b: Build) -> Referred:
        b.ctx.at = "PRT-4"
        function = DATATYPES["CWE.CodeableConcept"].function(b.first(f[4]), b.ctx, None)
        where = company(b, ("PRT-8", f[8]), {})
        more = reached(b, "PRT", telecom=(15, f[15]))
        return role(b, person(b, "PRT-5", f[5]), where, function, more)

    return b.recalled(("PRT", f[4], f[5], f[8], f[15]), make, f)


def _laboratory(f: list[str], b: Build) -> Referred:
    return company(b, ("OBX-23", f[23]), reached(b, "OBX", address=(24, f[24])))
