"""Whether a resource has the shape that FHIR R4 gives it: elements, types, cardinality, codes.

All problems are collected, each with its path, none with content. Source:
https://hl7.org/fhir/R4/json.html and the definitions in `definitions.py`.
"""

import re
from functools import cache

from fhir_core.fhirabstractmodel import FHIRAbstractModel

from adapters.fhir.constraint import Rule, is_absolute
from adapters.fhir.definitions import Element, Shape, resource_shape, type_shape
from adapters.fhir.problems import Path, Problems, Reference
from adapters.fhir.references import check_contained, check_form
from adapters.fhir.rules import rules_of
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["check_resource"]

_LINKS = frozenset({"uri", "url", "oid", "uuid", "xhtml"})
"""Types whose values follow an entry to its new name, https://hl7.org/fhir/R4/http.html#trules."""
_NAME = re.compile(r"_?[A-Za-z0-9]{1,64}").fullmatch


def check_resource(value: Json, at: Path, problems: Problems) -> Shape | None:
    """Judge one resource with all it contains.

    Args:
        value: as `canon.parse` gives it.
        at: where it stands; None for a resource alone, whose path starts with its type.
        problems: receives every problem and every Reference.

    Returns:
        Its shape, or None when it has no known type.
    """
    if not isinstance(value, dict):
        problems.add("not-an-object", at, "a resource must be a JSON object")
        return None
    name = value.get("resourceType")
    if not isinstance(name, str):
        problems.add("resource-type-missing", at, "a resource must name its resourceType")
        return None
    shape = resource_shape(name)
    if shape is None:
        problems.add("resource-type-unknown", at, "resourceType is no resource type of FHIR R4")
        return None
    place = (None, name) if at is None else at
    first = len(problems.references)
    _check_object(value, shape, place, problems)
    if "contained" in shape.elements and not _is_contained(at):
        check_contained(value, place, problems.references[first:], problems)
    return shape


def _is_contained(at: Path) -> bool:
    return at is not None and at[0] is not None and at[0][1] == "contained"


def _check_object(value: JsonObject, shape: Shape, at: Path, problems: Problems) -> None:
    elements = shape.elements
    chosen: dict[str, str] = {}
    for name, item in value.items():
        element = elements.get(name)
        if element is None:
            _check_unknown(name, shape, at, problems)
            continue
        if element.repeats:
            _check_list(item, element, value, (at, name), problems)
        else:
            _check_value(item, element, (at, name), problems)
        if element.choice:
            _check_choice(name, element, chosen, at, problems)
    _check_required(value, shape, chosen, at, problems)
    for rule in _rules(shape.name):
        if not rule.holds(value):
            problems.add(rule.key, at, rule.text)
    if shape.name != "Extension" and ("extension" in value or "modifierExtension" in value):
        _check_extension_urls(value, at, problems)


def _check_extension_urls(value: JsonObject, at: Path, problems: Problems) -> None:
    """Only an extension inside an extension may have a name in place of a URL.

    https://hl7.org/fhir/R4/extensibility.html#Extension
    """
    for name in ("extension", "modifierExtension"):
        listed = value.get(name)
        for index, item in enumerate(listed if isinstance(listed, list) else ()):
            url = item.get("url") if isinstance(item, dict) else None
            if isinstance(url, str) and not is_absolute(url):
                place = (((at, name), index), "url")
                problems.add("extension-url", place, "the url of an extension is absolute")


@cache
def _rules(type_name: str) -> tuple[Rule, ...]:
    return rules_of(type_name)


def _check_unknown(name: str, shape: Shape, at: Path, problems: Problems) -> None:
    if name != "resourceType" or not shape.is_resource:
        where = (at, name) if _NAME(name) else at
        problems.add("element-unknown", where, f"{shape.name} has no such element in FHIR R4")


def _check_choice(
    name: str, element: Element, chosen: dict[str, str], at: Path, problems: Problems
) -> None:
    plain = name.removeprefix("_")
    if chosen.setdefault(element.choice, plain) != plain:
        problems.add(
            "choice-repeated", (at, name), f"{element.choice}[x] may be given in one type only"
        )


def _check_required(
    value: JsonObject, shape: Shape, chosen: dict[str, str], at: Path, problems: Problems
) -> None:
    if len(value) == 1 and "id" in value and shape.name != "FHIRPrimitiveExtension":
        problems.add("ele-1", at, "an element is more than its id")
    for name in shape.required:
        if name not in value and f"_{name}" not in value:
            problems.add("element-missing", (at, name), f"{shape.name}.{name} is required")
    for choice in shape.choices:
        if choice not in chosen:
            problems.add("element-missing", at, f"{shape.name}.{choice}[x] is required")


def _check_list(
    value: Json, element: Element, parent: JsonObject, at: Path, problems: Problems
) -> None:
    if not isinstance(value, list) or not value:
        problems.add("not-a-list", at, "this element repeats: write it as a list of values")
        return
    for index, item in enumerate(value):
        if item is None and _has_sibling(element, parent, index):
            continue
        _check_value(item, element, (at, index), problems)


def _has_sibling(element: Element, parent: JsonObject, index: int) -> bool:
    """A null keeps the place of a value or of its extension, when the other is there."""
    if element.type_name == "_":
        other = parent.get(element.name.removeprefix("_"))
    elif element.grammar is not None:
        other = parent.get(f"_{element.name}")
    else:
        return False
    return isinstance(other, list) and index < len(other) and other[index] is not None


def _check_value(value: Json, element: Element, at: Path, problems: Problems) -> None:
    if element.grammar is not None:
        _check_primitive(value, element, at, problems)
    elif not isinstance(value, dict):
        problems.add("not-an-object", at, f"{element.type_name} must be one JSON object")
    elif element.type_name == "Resource":
        check_resource(value, at, problems)
    else:
        if element.type_name == "Reference":
            reference = Reference(at=at, value=value, targets=element.targets)
            problems.references.append(reference)
            check_form(reference, problems)
        _check_object(value, _shape(element.model), at, problems)
        if element.concept is not None and not element.concept.holds(value):
            problems.add("code-unknown", at, "no coding is of the required value set")


def _check_primitive(value: Json, element: Element, at: Path, problems: Problems) -> None:
    assert element.grammar is not None  # noqa: S101  its caller looked
    if not element.grammar(value):
        problems.add("value-form", at, f"the value is no valid {element.form or element.type_name}")
    elif element.codes and value not in element.codes:
        problems.add("code-unknown", at, "the code is not in the required value set")
    elif element.type_name in _LINKS and isinstance(value, str) and _may_link(value, element):
        problems.links.append(at)


def _may_link(value: str, element: Element) -> bool:
    """A `urn:` anywhere, or a URL such as that of an attachment: other URIs only name things."""
    return "urn:" in value or element.type_name == "url"


def _shape(model: type[FHIRAbstractModel] | None) -> Shape:
    assert model is not None  # noqa: S101  grammar and model exclude each other
    return type_shape(model)
