"""The CapabilityStatement, from the search definitions that the server itself uses.

https://hl7.org/fhir/R4/capabilitystatement.html. There is no `oauth-uris` extension: this node
issues no tokens, and a client that is told of no token service sends the one it was given.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.definitions import parameters_of, resource_types

__all__ = ["capability_statement"]

RELEASED = "2026-11-22"
VERSION = "0.1.0"
INTERACTIONS = (
    "read",
    "vread",
    "update",
    "patch",
    "delete",
    "history-instance",
    "create",
    "search-type",
)
LOG_PARAMETERS = ("patient",)
SECURITY = (
    "Bearer tokens with the roles sender, reader, compliance, monitor and admin (RFC 6750); the "
    "operator hands them out. Header X-Purpose-Of-Use states a code of v3-PurposeOfUse, TREAT by "
    "default."
)
ACCESS_LOG = (
    "Searches find the node's own access log, for the role compliance: by patient, newest first."
)
MERGED = (
    "Searches by a patient (AuditEvent among them), _revinclude and $everything find also what is "
    "filed under records that this patient took over (Patient.link replaces, replaced-by). Under a "
    "retired record they find its own."
)
FOLLOWED = (
    "Chained parameters and _has are searched over up to three references; _include and "
    "_revinclude may iterate. _summary and _elements leave out whole elements and mark what is "
    "left SUBSETTED; receipts are of whole resources."
)
BASE = "http://hl7.org/fhir/OperationDefinition/"
SEARCH_COMMON = (("_id", "token"), ("_lastUpdated", "date"))


@lru_cache(maxsize=8)
def capability_statement(base: str) -> bytes:
    """What `GET /fhir/metadata` answers; `base` is the URL that the client used."""
    rest: JsonObject = {
        "mode": "server",
        "documentation": f"{MERGED}\n\n{FOLLOWED}",
        "security": {"cors": False, "description": SECURITY},
        "interaction": [{"code": "transaction"}, {"code": "batch"}],
        "operation": [_operation("validate", BASE + "Resource-validate")],
        "resource": [_resource(kind) for kind in resource_types()],
    }
    statement: JsonObject = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "fhir-anchor", "version": VERSION},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json"],
        "implementation": {"description": "fhir-anchor", "url": base},
        "rest": [rest],
    }
    return msgspec.json.encode(statement)


def _resource(kind: str) -> JsonObject:
    interactions: list[Json] = [{"code": code} for code in INTERACTIONS]
    found = {name: parameter.type.value for name, parameter in parameters_of(kind).items()}
    references = sorted(name for name, type_ in found.items() if type_ == "reference")
    found |= dict(SEARCH_COMMON)
    row: JsonObject = {
        "type": kind,
        "interaction": interactions,
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical", "local"],
    }
    if kind == "AuditEvent":
        found = {name: found[name] for name in LOG_PARAMETERS}
        references = []
        row["documentation"] = ACCESS_LOG
    if references:
        row["searchInclude"] = [f"{kind}:{name}" for name in references]
    row["searchRevInclude"] = list(_leading_to(kind))
    if kind == "Patient":
        row["operation"] = [_operation("everything", BASE + "Patient-everything")]
    parameters: list[Json] = [{"name": name, "type": found[name]} for name in sorted(found)]
    return row | {"searchParam": parameters}


def _leading_to(kind: str) -> Iterator[Json]:
    """References to this type; of those to any type the one that says where a resource is from."""
    for source in resource_types():
        for name, parameter in sorted(parameters_of(source).items()):
            if kind in parameter.targets or (source, name) == ("Provenance", "target"):
                yield f"{source}:{name}"


def _operation(name: str, definition: str) -> JsonObject:
    return {"name": name, "definition": definition}
