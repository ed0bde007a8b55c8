"""An access as a FHIR AuditEvent, in the shape of IHE Basic Audit Log Patterns.

Source: https://profiles.ihe.net/ITI/BALP/. It names who, when, what for, and which resources; it
holds no value of a search and no content, so that it can be kept and shown for long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from bridge.core.ids import Instant, RecordId, instant_text, sha256
from bridge.core.plain import plain
from bridge.core.policy.access import Caller
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical
from bridge.core.record.claims import Kind, claim, commitment, leaf

__all__ = ["Interaction", "Shown", "access_event", "access_leaf", "event_facts"]

PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"


class Interaction(Enum):
    """https://hl7.org/fhir/R4/valueset-type-restful-interaction.html."""

    READ = "read"
    VREAD = "vread"
    HISTORY = "history-instance"
    SEARCH = "search-type"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What leaves the house: names only."""

    interaction: Interaction
    names: tuple[str, ...] = ()
    """References such as `Observation/a/_history/3`, or `records/0190.../source`."""
    patients: tuple[str, ...] = ()
    """Ids of the patients concerned."""
    parameters: tuple[str, ...] = ()
    """Names of the search parameters, without their values."""


def access_event(shown: Shown, *, caller: Caller, access: RecordId, at: Instant) -> bytes:
    """The canonical bytes of the AuditEvent."""
    searched = shown.interaction in {Interaction.SEARCH, Interaction.OPERATION}
    profile = ("Patient" if shown.patients else "") + ("Query" if searched else "Read")
    event: JsonObject = {
        "resourceType": "AuditEvent",
        "id": access,
        "meta": {"profile": [PROFILES + profile]},
        "type": _coding(TERMINOLOGY + "audit-event-type", "rest"),
        "subtype": [_coding("http://hl7.org/fhir/restful-interaction", shown.interaction.value)],
        "action": "E" if searched else "R",
        "recorded": instant_text(at),
        "outcome": "0",
        "purposeOfEvent": [_concept(TERMINOLOGY + "v3-ActReason", caller.purpose)],
        "agent": [_agent(caller), _server()],
        "source": {"observer": {"display": "fhir-anchor"}},
    }
    entities = [*map(_thing, shown.names), *map(_patient, shown.patients)]
    if shown.parameters:
        entities.append(_query(shown.parameters))
    if entities:
        event["entity"] = entities
    return canonical(event)


def access_leaf(event: bytes, salts: bytes) -> bytes:
    """The leaf over the one claim of an access; `salts` in the order of `ACCESS_NAMES`."""
    commit = commitment({"event": claim("event", salts, sha256(event))})
    return leaf(Kind.AUDIT, commit)


def event_facts(event: bytes) -> tuple[str, str, tuple[str, ...]]:
    """Id, time and patients (sorted ids) of an event that `access_event` made; empty for another.

    What an access can be found by must be what its event says.
    """
    try:
        made = _Event.decode(event)
    except msgspec.DecodeError:
        return "", "", ()
    patients = [one.what.reference for one in made.entity if one.role.code == "1"]
    return made.id, made.recorded, tuple(sorted(name.removeprefix("Patient/") for name in patients))


class _Role(msgspec.Struct):
    code: str = ""


class _What(msgspec.Struct):
    reference: str = ""


class _Entity(msgspec.Struct):
    what: _What = msgspec.field(default_factory=_What)
    role: _Role = msgspec.field(default_factory=_Role)


class _Made(msgspec.Struct):
    id: str
    recorded: str
    entity: tuple[_Entity, ...] = ()


_Event = msgspec.json.Decoder(_Made)


def _agent(caller: Caller) -> JsonObject:
    return {
        "type": _concept("http://dicom.nema.org/resources/ontology/DCM", "110152"),
        "who": {"identifier": {"value": plain(caller.subject)}},
        "requestor": True,
    }


def _server() -> JsonObject:
    return {
        "type": _concept("http://dicom.nema.org/resources/ontology/DCM", "110153"),
        "who": {"display": "fhir-anchor"},
        "requestor": False,
    }


def _thing(name: str) -> Json:
    return {
        "what": {"reference": name},
        "type": _coding(TERMINOLOGY + "audit-entity-type", "2"),
        "role": _coding(TERMINOLOGY + "object-role", "4"),
    }


def _patient(name: str) -> Json:
    return {
        "what": {"reference": f"Patient/{name}"},
        "type": _coding(TERMINOLOGY + "audit-entity-type", "1"),
        "role": _coding(TERMINOLOGY + "object-role", "1"),
    }


def _query(parameters: Sequence[str]) -> Json:
    return {
        "type": _coding(TERMINOLOGY + "audit-entity-type", "2"),
        "role": _coding(TERMINOLOGY + "object-role", "24"),
        "detail": [{"type": "parameter", "valueString": plain(name)} for name in parameters],
    }


def _coding(system: str, code: str) -> JsonObject:
    return {"system": system, "code": code}


def _concept(system: str, code: str) -> JsonObject:
    return {"coding": [_coding(system, code)]}
