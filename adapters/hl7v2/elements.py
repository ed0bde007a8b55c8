"""Elements of a resource under construction: appended to, referred to, and empty segments."""

from typing import Final, cast

from msgspec import Raw, json

from bridge.core.record.bundle import Json, JsonObject

__all__ = ["NO_FIELDS", "UNKNOWN", "append", "element", "name_of", "reference_to"]

NO_FIELDS: Final = [""] * 128
"""A segment that is not there: every field is empty. No HL7 segment has more than 60."""
UNKNOWN: Final[JsonObject] = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
"""What stands in the place of what is required and nobody knows: FHIR R4 extensibility s2.4."""


def reference_to(resource: JsonObject) -> JsonObject:
    """A relative literal reference, https://hl7.org/fhir/R4/references.html#literal."""
    return {"reference": name_of(resource)}


def name_of(resource: JsonObject) -> str:
    """What refers to it: `Patient/abc`."""
    return f"{resource['resourceType']}/{resource['id']}"  # type: ignore[str-bytes-safe] # both texts


def append(target: JsonObject, name: str, value: Json) -> None:
    """Append to the array of that name, made when absent."""
    array = target.get(name)
    if array is None:
        target[name] = [value]
    elif isinstance(array, Raw):  # what a run of fields made before is kept as its bytes
        target[name] = [*json.decode(array, type=list[Raw]), cast("Raw", value)]
    else:
        cast("list[Json]", array).append(value)


def element(target: JsonObject, name: str, index: int) -> JsonObject:
    """The element of the array at that index, or the last there is, made when there is none.

    A copy in its place: the element may be a remembered value, which is never altered.
    """
    array = cast("list[JsonObject]", target.setdefault(name, []))
    if not array:
        array.append({})
    at = min(index, len(array) - 1)
    array[at] = {**array[at]}
    return array[at]
