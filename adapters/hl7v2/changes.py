"""The change set of a message: what it deletes, what it only identifies, what it concludes.

A Parameters entry of FHIRPath Patch deletions and of `default` parameters, which the projector
reads (docs/mapping-language.md, "What a message changes").
"""

from functools import lru_cache
from typing import Final, cast

from adapters.hl7v2.build import Build
from adapters.hl7v2.elements import reference_to
from adapters.hl7v2.memory import plain
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["STATED_BY", "changes"]

_ADMINISTRATION: Final = frozenset({"ADT", "BAR"})
STATED_BY: Final = {
    "Encounter": _ADMINISTRATION,
    "EpisodeOfCare": _ADMINISTRATION,
    "Patient": _ADMINISTRATION | {"VXU", "RSP", "ADR"},
}
"""Message types (MSH-9.1) that are about a patient or a visit: administration, and for the person
the vaccination record and the answer to a query. All others carry PID and PV1 to say whose."""


def changes(build: Build) -> JsonObject | None:
    """The Parameters entry; None where the snapshot says it all."""
    operations = {
        **_identified(build),
        **_assumed(build),
        **_exact(build),
        **_deleted(build),
        **_moved(build),
    }
    if not operations:
        return None
    return {
        "resourceType": "Parameters",
        "id": resource_id(build.namespace, "Parameters", *build.fallback),
        "parameter": [operations[key] for key in sorted(operations)],
    }


_Operations = dict[tuple[str, str], Json]


def _identified(build: Build) -> _Operations:
    """Patient and visit of a message that is about something else."""
    mentioned = _mentioned(build.code)
    if not mentioned:
        return {}
    kinds = zip(build.resources, build.kinds(), strict=True)
    return dict([_default(name, kind) for name, kind in kinds if kind in mentioned])


@lru_cache(maxsize=64)  # message types; bounded against a sender that varies them
def _mentioned(code: str) -> frozenset[str]:
    """Types of which a message of this type is not."""
    return frozenset(kind for kind, codes in STATED_BY.items() if code not in codes)


def _assumed(build: Build) -> _Operations:
    """Elements that a default or a conclusion filled, and that no later row stated."""
    return dict(
        _default(f"{kind}/{cast('str', resource['id'])}", f"{kind}.{name}")
        for resource, name, value in build.assumed
        if resource.get(name) == value
        for kind in (cast("str", resource["resourceType"]),)
    )


def _exact(build: Build) -> _Operations:
    """Elements of which the sender deleted a part: the snapshot's value is the whole of it."""
    return dict(
        _default(f"{kind}/{cast('str', resource['id'])}", f"{kind}.{name}", "exact")
        for resource, name in build.exacts
        for kind in (cast("str", resource["resourceType"]),)
    )


def _moved(build: Build) -> _Operations:
    """Visits and accounts that are another patient's now, with what is filed under them."""
    names = [cast("str", reference_to(one)["reference"]) for one in build.moved]
    return dict(_default(name, name.partition("/")[0], "move") for name in names)


def _default(target: str, path: str, says: str = "default") -> tuple[tuple[str, str], JsonObject]:
    return (target, path), {
        "name": says,
        "part": [{"name": "target", "valueString": target}, {"name": "path", "valueString": path}],
    }


def _deleted(build: Build) -> _Operations:
    """The deletes as FHIRPath Patch; none for what the snapshot sets."""
    operations: _Operations = {}
    for resource, below in build.deletes:
        target = cast("str", reference_to(resource)["reference"])
        path = f"{cast('str', resource['resourceType'])}.{below}"
        if _is_set(resource, below):
            continue
        operations[target, path] = {
            "name": "operation",
            "part": [
                {"name": "target", "valueString": target},
                {"name": "type", "valueCode": "delete"},
                {"name": "path", "valueString": path},
            ],
        }
    return operations


def _is_set(resource: JsonObject, path: str) -> bool:
    """Whether the snapshot holds the element itself. Chosen items of a list go before it sets."""
    if ".where(" in path:
        return False
    at: Json = resource
    for name in path.split("."):
        at = plain(at)
        if isinstance(at, list) and at:
            at = at[0]
        if not isinstance(at, dict) or name not in at:
            return False
        at = at[name]
    return True
