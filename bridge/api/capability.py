"""The CapabilityStatement, from the search definitions that the server itself uses.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from functools import lru_cache

import msgspec

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.definitions import parameters_of, resource_types

__all__ = ["capability_statement"]

RELEASED = "2026-11-22"
INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")


@lru_cache(maxsize=8)
def capability_statement(base: str) -> bytes:
    """What `GET /fhir/metadata` answers; `base` is the URL that the client used."""
    rest: JsonObject = {
        "mode": "server",
        "security": {"description": "Bearer tokens with roles (RFC 6750)."},
        "interaction": [{"code": "transaction"}, {"code": "batch"}],
        "resource": [_resource(kind) for kind in resource_types()],
    }
    statement: JsonObject = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "implementation": {"description": "fhir-anchor", "url": base},
        "rest": [rest],
    }
    return msgspec.json.encode(statement)


def _resource(kind: str) -> JsonObject:
    interactions: list[Json] = [{"code": code} for code in INTERACTIONS]
    parameters: list[Json] = [
        {"name": name, "type": parameter.type.value}
        for name, parameter in sorted(parameters_of(kind).items())
    ]
    row: JsonObject = {
        "type": kind,
        "interaction": interactions,
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "searchParam": parameters,
    }
    if kind == "Patient":
        definition = "http://hl7.org/fhir/OperationDefinition/Patient-everything"
        row["operation"] = [{"name": "everything", "definition": definition}]
    return row
