"""The Bundle around the resources: order, fullUrl, focus, Provenance, and the change set."""

from typing import Final, cast

from adapters.hl7v2.build import Build, reference_to
from adapters.hl7v2.changes import changes
from adapters.hl7v2.grammar import Group
from bridge.core.ids import Digest
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["MAPPING_VERSION", "UNKNOWN", "assemble", "begin"]

MAPPING_VERSION: Final = "fhir-anchor-hl7v2/1"
UNKNOWN: Final = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
"""What stands beside a required primitive that nobody knows: FHIR R4 extensibility s2.4."""
_FOCUS: Final = frozenset({
    "Patient", "Encounter", "ServiceRequest", "DiagnosticReport", "DocumentReference",
    "Appointment", "Immunization", "MedicationRequest",
})  # fmt: skip
_EFFECTIVE: Final = frozenset({"effectiveDateTime", "effectivePeriod"})
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


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
    _complete_header(header, build)
    _complete_resources(build)
    references = [f"{kind}/{name}" for kind, name in build.resources]
    _complete_provenance(provenance, references, header, source, mapping)
    entries = [build.entry(header), *build.entries(), build.entry(provenance)]
    changed = changes(build)
    if changed is not None:
        entries.append(build.entry(changed))
    build.bundle["entry"] = entries
    return build.bundle


def _complete_header(header: JsonObject, build: Build) -> None:
    """What R4 requires of a MessageHeader where MSH leaves it open, and the focus."""
    if "eventCoding" not in header and "eventUri" not in header:
        header["eventCoding"] = {
            "system": "http://terminology.hl7.org/CodeSystem/v2-0076",
            "code": build.ctx.text(build.code).strip() or "unknown",
        }
    origin = cast("JsonObject", header.setdefault("source", {}))
    if "endpoint" not in origin:
        origin["_endpoint"] = cast("Json", UNKNOWN)
    for destination in cast("list[JsonObject]", header.get("destination", [])):
        if "endpoint" not in destination:
            destination["_endpoint"] = cast("Json", UNKNOWN)
    focus: list[Json] = [
        {"reference": f"{kind}/{name}"} for kind, name in build.resources if kind in _FOCUS
    ]
    if focus:
        header["focus"] = focus


def _complete_resources(build: Build) -> None:
    """What R4 requires and only the end of the message can tell to be missing."""
    for (kind, _), made in build.resources.items():
        if kind == "DocumentReference" and "content" not in made:
            made["content"] = [{"attachment": cast("Json", UNKNOWN)}]
        elif kind == "Appointment" and "participant" not in made:
            made["participant"] = [{"actor": cast("Json", UNKNOWN), "status": "needs-action"}]
        elif kind == "MedicationAdministration" and not made.keys() & _EFFECTIVE:
            made["_effectiveDateTime"] = cast("Json", UNKNOWN)


def _complete_provenance(
    provenance: JsonObject,
    references: list[str],
    header: JsonObject,
    source: Digest,
    mapping: Digest,
) -> None:
    """Target, agents and entities: https://hl7.org/fhir/R4/provenance.html."""
    provenance["target"] = [
        reference_to(header),
        *[cast("Json", {"reference": reference}) for reference in references],
    ]
    if "recorded" not in provenance:
        provenance["_recorded"] = cast("Json", UNKNOWN)
    sender = header.get("sender")
    origin = cast("JsonObject", header["source"])
    who: Json = sender if isinstance(sender, dict) else {"display": origin.get("name") or "unknown"}
    agents = cast("list[Json]", provenance.setdefault("agent", []))
    agents.insert(0, {"type": {"coding": [{"system": _PARTICIPANT, "code": "author"}]}, "who": who})
    agents.append({
        "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
        "who": {"display": MAPPING_VERSION},
    })  # fmt: skip
    provenance["entity"] = [
        {"role": "source", "what": _digest(source, "the message as received")},
        {"role": "derivation", "what": _digest(mapping, f"mapping {MAPPING_VERSION}")},
    ]


def _digest(value: Digest, display: str) -> JsonObject:
    """A reference by content: nothing but the bytes themselves has this identifier."""
    identifier: JsonObject = {
        "system": "urn:ietf:rfc:3986",
        "value": f"urn:sha256:{value.hex()}",
    }
    return {"identifier": identifier, "display": display}
