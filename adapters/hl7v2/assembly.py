"""The Bundle around the resources: order, fullUrl, focus, Provenance, and the change set."""

from functools import lru_cache
from itertools import compress
from typing import Final, cast

from msgspec import Raw

from adapters.hl7v2.build import Build
from adapters.hl7v2.changes import changes
from adapters.hl7v2.datatypes.components import clean, token
from adapters.hl7v2.distinct import distinct
from adapters.hl7v2.elements import UNKNOWN, name_of
from adapters.hl7v2.group import Group
from adapters.hl7v2.published import system_of
from bridge.core.ids import Digest
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["MAPPING_VERSION", "assemble", "begin"]

MAPPING_VERSION: Final = "fhir-anchor-hl7v2/1"
_FOCUS: Final = frozenset({
    "Patient", "Encounter", "ServiceRequest", "DiagnosticReport", "DocumentReference",
    "Appointment", "Immunization", "MedicationRequest",
})  # fmt: skip
_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0076"
_EFFECTIVE: Final = frozenset({"effectiveDateTime", "effectivePeriod"})
_COMPLETED: Final = frozenset(
    {"DocumentReference", "Appointment", "Immunization", "MedicationAdministration"}
)
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_AUTHOR: Final[JsonObject] = {"coding": [{"system": _PARTICIPANT, "code": "author"}]}
_ASSEMBLER: Final[JsonObject] = {
    "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
    "who": {"display": MAPPING_VERSION},
}


def begin(build: Build, root: Group) -> None:
    """Bundle, MessageHeader and Provenance exist before the first row: every map may fill them."""
    key = build.fallback
    header: JsonObject = {
        "resourceType": "MessageHeader",
        "id": resource_id(build.namespace, "MessageHeader", *key),
    }
    provenance: JsonObject = {
        "resourceType": "Provenance",
        "id": resource_id(build.namespace, "Provenance", *key),
    }
    build.bundle["id"] = resource_id(build.namespace, "Bundle", *key)
    for resource in (build.bundle, header, provenance):
        root.put(cast("str", resource["resourceType"]), resource)


def assemble(build: Build, root: Group, *, source: Digest, mapping: Digest) -> JsonObject:
    """The finished Bundle."""
    header = root.resources["MessageHeader"]
    provenance = root.resources["Provenance"]
    kinds = build.kinds()
    if not _COMPLETED.isdisjoint(kinds):
        _complete_resources(build)
    changed = changes(build)
    focus = [*compress(build.resources, map(_FOCUS.__contains__, kinds))]
    if changed is not None:  # it is of the message's own data, and nothing else leads to it
        focus.append(name_of(changed))
    _complete_header(header, build, focus)
    _complete_provenance(provenance, [name_of(header), *build.resources], header, source, mapping)
    entries: list[Json] = [
        build.entry(header),
        *build.entries.values(),
        build.entry(provenance),
    ]
    if changed is not None:
        entries.append(build.entry(changed))
    build.bundle["entry"] = entries
    return build.bundle


def _complete_header(header: JsonObject, build: Build, focus: list[str]) -> None:
    """What R4 requires of a MessageHeader where MSH leaves it open, and the focus."""
    if "eventCoding" not in header and "eventUri" not in header:
        code = token(clean(build.code, build.ctx)) or "unknown"
        header["eventCoding"] = {"system": system_of(_TYPES, code, build.ctx), "code": code}
    origin = cast("JsonObject", header.setdefault("source", {}))
    if "endpoint" not in origin:
        origin["_endpoint"] = UNKNOWN
    for destination in cast("list[JsonObject]", header.get("destination", [])):
        if "endpoint" not in destination:
            destination["_endpoint"] = UNKNOWN
    if focus:
        header["focus"] = _references(focus)


def _complete_resources(build: Build) -> None:
    """What R4 requires and only the end of the message can tell to be missing."""
    for made in build.resources.values():
        kind = made["resourceType"]
        if kind == "DocumentReference" and "content" not in made:
            made["content"] = [{"attachment": UNKNOWN}]
        elif kind == "Appointment" and "participant" not in made:
            made["participant"] = [{"actor": UNKNOWN, "status": "needs-action"}]
        elif kind == "MedicationAdministration":
            _complete_administration(made)
        elif kind == "Immunization":
            _complete_immunization(made)


def _complete_immunization(made: JsonObject) -> None:
    """A dose number, and what each information sheet is about (imm-1)."""
    for protocol in cast("list[JsonObject]", made.get("protocolApplied", [])):
        if not {"doseNumberPositiveInt", "doseNumberString"} & protocol.keys():
            protocol["doseNumberString"] = "unknown"
    for sheet in cast("list[JsonObject]", made.get("education", [])):
        sheet.setdefault("documentType", "unknown")


def _complete_administration(made: JsonObject) -> None:
    """A time, and a dose beside every route (mad-1)."""
    if not made.keys() & _EFFECTIVE:
        made["_effectiveDateTime"] = UNKNOWN
    dosage = made.get("dosage")
    if isinstance(dosage, dict) and "dose" not in dosage:
        made["dosage"] = {**dosage, "dose": UNKNOWN}


def _complete_provenance(
    provenance: JsonObject,
    references: list[str],
    header: JsonObject,
    source: Digest,
    mapping: Digest,
) -> None:
    """Target, activity, agents and entities: https://hl7.org/fhir/R4/provenance.html.

    The author is whom MSH-22 makes responsible, else the facility of MSH-4, and the activity is the
    message's event (v2-to-FHIR MSH[Provenance-Source]).
    """
    provenance["target"] = _references(references)
    event = header.get("eventCoding")
    if event:
        provenance["activity"] = {"coding": [event]}
    if "recorded" not in provenance:
        provenance["_recorded"] = UNKNOWN
    sender = header.get("responsible") or header.get("sender")
    origin = cast("JsonObject", header["source"])
    who: Json = sender if isinstance(sender, dict) else {"display": origin.get("name") or "unknown"}
    operators = cast("list[Json]", provenance.get("agent", []))
    provenance["agent"] = [{"type": _AUTHOR, "who": who}, *distinct(operators), _ASSEMBLER]
    provenance["entity"] = [
        {"role": "source", "what": _digest(source, "the message as received")},
        _derivation(mapping),
    ]


def _references(names: list[str]) -> Raw:
    """References to our own resources, encoded: neither their types nor their ids need escapes."""
    joined = '"},{"reference":"'.join(names)
    return Raw(f'[{{"reference":"{joined}"}}]')


def _digest(value: Digest, display: str) -> JsonObject:
    """A reference by content: nothing but the bytes themselves has this identifier."""
    identifier: JsonObject = {
        "system": "urn:ietf:rfc:3986",
        "value": f"urn:sha256:{value.hex()}",
    }
    return {"identifier": identifier, "display": display}


@lru_cache(maxsize=64)  # one a sender
def _derivation(mapping: Digest) -> JsonObject:
    """The entity of the rules that made the bundle. Shared, never altered."""
    return {"role": "derivation", "what": _digest(mapping, f"mapping {MAPPING_VERSION}")}
