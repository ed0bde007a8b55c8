"""The type check of mapping rows against the R4 element definitions; run at load of an overlay.

Definitions come from the `fhir.resources` R4B models, https://hl7.org/fhir/R4/resourcelist.html.
It stands apart from code generation because the models take half a second to import.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class

from adapters.hl7v2.compiler.alike import RESOURCES
from adapters.hl7v2.compiler.constants import check_constant
from adapters.hl7v2.compiler.rows import Row, SegmentMap, Target, nearest, refuse
from adapters.hl7v2.datatypes import DATATYPES

__all__ = ["Element", "check", "elements", "resolve_type"]

_TEXTUAL: Final = frozenset({"string", "markdown", "code", "uri", "url", "id", "canonical"})
_COMPATIBLE: Final = {
    "string": _TEXTUAL,
    "markdown": _TEXTUAL,
    "uri": frozenset({"uri", "url", "canonical"}),
    "url": frozenset({"uri", "url"}),
    "dateTime": frozenset({"dateTime", "date", "instant"}),
    "decimal": frozenset({"decimal", "integer", "positiveInt", "unsignedInt"}),
    "integer": frozenset({"integer", "positiveInt", "unsignedInt"}),
    "unsignedInt": frozenset({"unsignedInt", "positiveInt"}),
    "Quantity": frozenset({"Quantity", "Duration", "Age"}),
}
"""What an element takes besides its own type."""
_REFERRED: Final = frozenset(RESOURCES)
"""Made by datatype functions, where no map makes them."""
_COMPLEX: Final = re.compile(r"abc\.(\w+)Type")
_PRIMITIVE: Final = re.compile(r"Annotated\[[^,]+, (\w+)\(")
_SPELLINGS: Final = {"datetime": "dateTime", "positiveint": "positiveInt",
                     "unsignedint": "unsignedInt", "base64binary": "base64Binary"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element of a resource or datatype."""

    type: str
    repeats: bool
    required: bool
    choice: str
    """Name of the choice, such as `value`, where this is one of its types and one is required."""
    targets: tuple[str, ...]
    """Resource types that a Reference may name; empty is any."""


@cache
def elements(type_name: str) -> dict[str, Element]:
    """The elements of an R4 type by their JSON names; empty for a primitive."""
    try:
        model = get_fhir_model_class(type_name)
    except (ValueError, LookupError, AttributeError):
        return {}
    return {
        info.alias or name: _element(info)
        for name, info in model.model_fields.items()
        if name not in {"fhir_comments", "resource_type"}
    }


def _element(info: Any) -> Element:  # noqa: ANN401 - pydantic's FieldInfo, which mypy cannot see through the factory
    extra = info.json_schema_extra or {}
    text, targets = str(info.annotation), extra.get("enum_reference_types", ())
    return Element(
        type=_type_name(text),
        repeats="List[" in text,
        required=bool(extra.get("element_required")) or info.is_required(),
        choice=extra.get("one_of_many", "") if extra.get("one_of_many_required") else "",
        targets=() if "Resource" in targets else tuple(targets),
    )


def _type_name(annotation: str) -> str:
    found = _COMPLEX.search(annotation)
    if found:
        return found[1]
    if "bool" in annotation:
        return "boolean"
    found = _PRIMITIVE.search(annotation)
    if found is None:
        return "string"
    name = found[1][0].lower() + found[1][1:]
    return _SPELLINGS.get(name.lower(), name)


def check(maps: Iterable[SegmentMap]) -> None:
    """Check every row's target and function, and that required elements are always filled.

    Raises:
        BridgeError: `row-to`, `row-type`, `map-required`, naming file, line and nearest name.
    """
    maps = tuple(maps)
    types = _REFERRED | {rules.target for rules in maps}
    made: dict[str, list[SegmentMap]] = {}
    for rules in maps:
        for row in rules.rows:
            _check_row(rules, row, types)
        if rules.instance == "new":
            made.setdefault(rules.target, []).append(rules)
    for rules in (found for group in made.values() for found in group):
        _check_required(rules)


def resolve_type(root: str, path: Iterable[Target], place: str) -> Element | None:
    """The element at the path; None below an extension, which is open."""
    at = root
    found: Element | None = None
    for step in path:
        known = elements(at)
        found = known.get(step.name)
        if found is None:
            do = nearest(step.name, set(known)) if known else "end the path before it"
            raise refuse("row-to", f"{at} has no element {step.name}", place, do)
        if found.repeats != bool(step.kind):
            wanted = f"{step.name}[]" if found.repeats else step.name
            raise refuse("row-to", f"{at}.{step.name} {'repeats' if found.repeats else 'is one'}",
                         place, f"write {wanted}")  # fmt: skip
        at = found.type
        if at in {"Extension", "FHIRPrimitiveExtension"}:
            return None
    return found


def _check_row(rules: SegmentMap, row: Row, types: frozenset[str]) -> None:
    for name in (row.on, row.ref):
        if name and name not in types:
            raise refuse("row-target", f"no map makes a {name}", row.place, nearest(name, types))
    if not row.to:
        return
    path = (*(() if row.on else rules.into), *row.to)
    found = resolve_type(row.on or rules.target, path, row.place)
    _check_extension(row)
    if found is None:
        _check_value(row)
        return
    _check_constants(rules, row, path, found)
    if row.ref and found.type == "Reference" and found.targets and row.ref not in found.targets:
        raise refuse("row-type", f"{row.path} cannot refer to a {row.ref}", row.place,
                     f"refer to {' or '.join(found.targets)}")  # fmt: skip
    if row.function:
        _check_function(row, found)


def _check_function(row: Row, found: Element) -> None:
    """What the function gives is what the element is."""
    kind = DATATYPES.get(row.function)
    if kind is None:
        raise refuse("row-as", f"there is no datatype function {row.function}", row.place,
                     nearest(row.function, set(DATATYPES)))  # fmt: skip
    gives = kind.gives.removesuffix("[]")
    if found.type == "Reference":
        if found.targets and not {gives, "Resource"} & set(found.targets):
            raise refuse("row-type", f"{row.path} cannot refer to a {gives}", row.place,
                         f"use a function that gives {' or '.join(found.targets)}")  # fmt: skip
    elif gives != found.type and gives not in _COMPATIBLE.get(found.type, frozenset()):
        raise refuse("row-type", f"{row.path} is a {found.type}, {row.function} gives a {gives}",
                     row.place, _fitting(row.function, found.type))  # fmt: skip


def _check_extension(row: Row) -> None:
    """An extension needs its URL, and nothing else has one."""
    inside = row.to[-1].name in {"extension", "modifierExtension"}
    kind = DATATYPES.get(row.function)
    whole = kind is not None and kind.gives.removesuffix("[]") == "Extension"
    if row.function and inside and not row.url and not whole:
        raise refuse("row-url", "an extension has no url", row.place,
                     'say which, url = "https://..."')  # fmt: skip
    if row.url and not inside:
        raise refuse("row-url", f"{row.path} is no extension and takes no url", row.place,
                     f"remove url, or write {row.to[0].name}.extension[]")  # fmt: skip
    if row.url and (":" not in row.url or any(letter.isspace() for letter in row.url)):
        raise refuse("row-url", "url is no absolute URI", row.place,
                     "write one of yours, such as https://lab.example/fhir/x")  # fmt: skip


def _check_value(row: Row) -> None:
    """What an extension can hold, https://hl7.org/fhir/R4/extensibility.html#Extension."""
    kind = DATATYPES.get(row.function)
    if not row.url or kind is None:
        return
    gives = kind.gives.removesuffix("[]")
    held = {name.removeprefix("value").lower() for name in elements("Extension")}
    if gives not in RESOURCES and gives.lower() not in held:
        source = row.function.split(".", 1)[0]
        near = [name for name, other in DATATYPES.items()
                if name.startswith(f"{source}.") and other.gives.lower() in held]  # fmt: skip
        raise refuse("row-type", f"an extension cannot hold a {gives}", row.place,
                     f"use {near[0] if near else 'a function that gives one value'}")  # fmt: skip


def _check_constants(rules: SegmentMap, row: Row, path: Sequence[Target], found: Element) -> None:
    for value in (row.fixed, row.default):
        if value is not None:
            check_constant(value, found.type, row.place, elements)
    if row.siblings:
        # They stand in the array element that the path opens, else in the value itself.
        opened = max((at for at, step in enumerate(path[:-1]) if step.kind == "[]"), default=-1)
        beside = path[: opened + 1] if opened >= len(path) - len(row.to) else path
        at = resolve_type(row.on or rules.target, beside, row.place)
        if at is not None:
            check_constant(row.siblings, at.type, row.place, elements)


def _fitting(function: str, wanted: str) -> str:
    """Functions of the same HL7 datatype, or of any, that give the wanted type."""
    source = function.split(".", 1)[0]
    same = [name for name, kind in DATATYPES.items()
            if kind.gives == wanted and name.startswith(f"{source}.")]  # fmt: skip
    other = [name for name, kind in DATATYPES.items() if kind.gives == wanted]
    return f"use {(same or other or ['another element'])[0]}"


def _check_required(rules: SegmentMap) -> None:
    """Each required element needs a row that cannot come up empty."""
    sure = {row.to[0].name for row in rules.rows if row.to and _always(row)}
    called = {row.call for row in rules.rows if row.call}
    for name, element in elements(rules.target).items():
        if element.required and name not in sure and not _is_called(name, called):
            raise refuse("map-required", f"{rules.target}.{name} is required and may stay empty",
                         rules.place, f"add a row with default to {name}")  # fmt: skip


def _always(row: Row) -> bool:
    """A default, or a constant without source; with `when` the other case must be said too."""
    return row.default is not None or (row.fixed is not None and row.source is None)


def _is_called(name: str, called: set[str]) -> bool:
    """Rules say in `writes` which element they fill; the payor's is always filled."""
    return name in {"payor", "content", "participant"} and (
        name in called or name in {"content", "participant"}
    )
