"""A part of a resource, as `_summary` and `_elements` ask for it, marked as what it is.

Source: https://hl7.org/fhir/R4/search.html#summary. Elements are left out whole, at the top; what
is kept keeps every digit.
"""

from typing import Final, assert_never, cast

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.canon import canonical, parse
from bridge.core.search.definitions import elements_kept, summary_elements
from bridge.core.search.query import Subset, Summary

__all__ = ["part_of"]

_NAMED = frozenset({"resourceType", "id", "meta"})
SUBSETTED: Final[JsonObject] = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
"""So that nobody writes back what was cut, https://hl7.org/fhir/R4/resource.html#simple-tags."""


def part_of(body: bytes, subset: Subset) -> bytes:
    """The wanted part of a canonical resource; the same bytes where all of it is wanted."""
    if subset.whole:
        return body
    resource = cast("JsonObject", parse(body))
    kind = cast("str", resource["resourceType"])
    kept: JsonObject = {
        name: value
        for name, value in resource.items()
        if _is_wanted(name.removeprefix("_"), kind, subset)
    }
    meta = cast("JsonObject", kept.get("meta", {}))
    tags: list[Json] = [*cast("list[Json]", meta.get("tag", [])), SUBSETTED]
    return canonical({**kept, "meta": {**meta, "tag": tags}})


def _is_wanted(name: str, kind: str, subset: Subset) -> bool:
    if name in _NAMED or name in elements_kept(kind):
        return True
    if subset.elements:
        return any(_is_named(name, element) for element in subset.elements)
    match subset.summary:
        case Summary.TRUE:
            return name in summary_elements(kind)
        case Summary.TEXT:
            return name == "text"
        case Summary.DATA:
            return name != "text"
        case Summary.FALSE:
            return True
        case _ as never:
            assert_never(never)


def _is_named(name: str, element: str) -> bool:
    """Itself, or `value` as one of its types: `valueQuantity`."""
    rest = name.removeprefix(element)
    return name == element or (rest != name and rest[:1].isupper())
