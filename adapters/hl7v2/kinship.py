"""What belongs to what in one message: parent orders, reports and specimens, organisms and tests.

A rule that meets a parent's number notes it; once all segments are read the number is a reference
to the resource that bears it, or stays a logical reference to one that another message brought.
Microbiology: the susceptibilities of a child report are members of the organism that OBR-26 names,
HL7 v2.5.1 ch. 7.4.1.26; within one report those of the organism's own OBX-4, ch. 7.4.2.4.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

import msgspec
from msgspec import Raw

from adapters.hl7v2.datatypes.concepts import SUB_ID
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Child", "Kin", "Numbered", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One report whose parent result OBR-26 names."""

    report: JsonObject
    numbers: tuple[JsonObject, ...]
    """Identifiers of OBR-29; none where the sender left it empty."""
    code: JsonObject
    """The parent result's code, a CodeableConcept."""
    sub_id: str
    value: str
    """What the parent result said, as the sender repeats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One reference by number, from the resource that holds it."""

    reference: JsonObject
    """Its `type` and `identifier`."""
    holder: JsonObject
    stub: JsonObject | None = None
    """What the number says of a resource of another message, under the id that it has there."""


@dataclass(slots=True, kw_only=True)
class Kin:
    """What the rules of one message noted; empty for most messages."""

    logical: list[Numbered] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    cultures: list[JsonObject] = field(default_factory=list)
    """Reports of microbiology, whose OBX-4 may tell organisms apart."""


Resources = Iterable[tuple[tuple[str, str], JsonObject]]


def resolve(kin: Kin, resources: Resources, keep: Callable[[JsonObject], None]) -> None:
    """Make references of numbers, and members of results; alters the resources in place."""
    if not (kin.logical or kin.children or kin.cultures):
        return
    made = [(kind, resource) for (kind, _), resource in resources]
    for one in kin.logical:
        _number_to_name(one, made, keep)
    by_name = {_name(one): one for kind, one in made if kind == "Observation"}
    reports = [one for kind, one in made if kind == "DiagnosticReport"]
    for child in kin.children:
        _adopt(child, reports, by_name)
    for report in kin.cultures:
        _group(_results(report, by_name))


def _number_to_name(
    one: Numbered, made: list[tuple[str, JsonObject]], keep: Callable[[JsonObject], None]
) -> None:
    """A literal reference where one resource of the message bears the number, or a stub does."""
    number = cast("JsonObject", one.reference["identifier"])
    found = [
        resource
        for kind, resource in made
        if kind == one.reference["type"] and resource is not one.holder and _bears(resource, number)
    ]
    if not found and one.stub is not None and one.stub["id"] != one.holder["id"]:
        keep(one.stub)
        found = [one.stub]
    if len(found) == 1:
        del one.reference["identifier"]
        one.reference["reference"] = _name(found[0])


def _adopt(child: Child, reports: list[JsonObject], by_name: dict[str, JsonObject]) -> None:
    """The child's results become members of the parent result, or say in words whose they are."""
    members = _results(child.report, by_name)
    parents = [
        one
        for report in reports
        if report is not child.report and (not child.numbers or _any(report, child.numbers))
        for one in _results(report, by_name)
        if _is_parent(one, child)
    ]
    if len(parents) > 1 and child.value:
        parents = [one for one in parents if child.value in _shown(one)] or parents
    if parents:
        _add_members(parents[0], members)
        return
    words = ": ".join(text for text in (_label(child.code), child.value) if text)
    for member in members:
        _append(member, "derivedFrom", {"type": "Observation", "display": words})


def _group(results: list[JsonObject]) -> None:
    """One report holds organisms and their tests: those of one group of OBX-4 are one organism's.

    The group is OG.2, or the text before the first dot; its first coded result is the organism.
    """
    organisms: dict[str, JsonObject] = {}
    for one in results:
        group = _cluster(one)
        if group and "valueCodeableConcept" in one:
            organisms.setdefault(group, one)
    for one in results:
        organism = organisms.get(_cluster(one))
        if organism is not None and one is not organism:
            _add_members(organism, [one])


def _add_members(parent: JsonObject, members: Iterable[JsonObject]) -> None:
    for member in members:
        if member is not parent:
            _append(parent, "hasMember", {"reference": _name(member)})


def _append(resource: JsonObject, name: str, reference: JsonObject) -> None:
    held = cast("list[Json]", resource.setdefault(name, []))
    if reference not in held:
        held.append(reference)


def _is_parent(one: JsonObject, child: Child) -> bool:
    """The same code, and the same OBX-4 where OBR-26 gives one."""
    if child.sub_id and _sub_id(one) != child.sub_id:
        return False
    wanted, own = _codes(child.code), _codes(_plain(one.get("code")))
    if wanted and own:
        return bool(wanted & own)
    return _label(child.code) == _label(_plain(one.get("code")))


def _codes(concept: JsonObject) -> set[str]:
    return {str(one.get("code", "")) for one in cast("list[JsonObject]", concept.get("coding", []))}


def _label(concept: JsonObject) -> str:
    """Text of a concept, else a display, else a code."""
    first = next(iter(cast("list[dict[str, str]]", concept.get("coding", []))), {})
    return str(concept.get("text") or first.get("display") or first.get("code") or "")


def _shown(one: JsonObject) -> set[str]:
    """Every text by which a result's value may be repeated."""
    concept = _plain(one.get("valueCodeableConcept"))
    shown = {str(one.get("valueString", "")), str(concept.get("text", ""))}
    for coding in cast("list[JsonObject]", concept.get("coding", [])):
        shown |= {str(coding.get("code", "")), str(coding.get("display", ""))}
    return shown - {""}


def _sub_id(one: JsonObject) -> str:
    """OBX-4 as the extension keeps it: the original text, else its parts joined by dots."""
    return ".".join(_text(part) for part in _sub_parts(one))


def _cluster(one: JsonObject) -> str:
    """What OBX-4 groups by."""
    for part in _sub_parts(one):
        if part.get("url") in {"group", "original-sub-identifier"}:
            return _text(part).partition(".")[0]
    return ""


def _sub_parts(one: JsonObject) -> list[JsonObject]:
    for extension in _items(one, "extension"):
        if extension.get("url") == SUB_ID:
            return cast("list[JsonObject]", extension["extension"])
    return []


def _text(part: JsonObject) -> str:
    value = part.get("valueString", part.get("valueDecimal", ""))
    return bytes(value).decode() if isinstance(value, Raw) else str(value)


def _results(report: JsonObject, by_name: dict[str, JsonObject]) -> list[JsonObject]:
    names = [str(one.get("reference", "")) for one in _items(report, "result")]
    return [by_name[name] for name in names if name in by_name]


def _any(resource: JsonObject, numbers: Iterable[JsonObject]) -> bool:
    return any(_bears(resource, number) for number in numbers)


def _bears(resource: JsonObject, number: JsonObject) -> bool:
    """Whether it has that identifier; an authority that one of the two leaves out is no other."""
    return any(
        one.get("value") == number.get("value")
        and one.get("system", number.get("system")) == number.get("system", one.get("system"))
        for one in _items(resource, "identifier")
    )


def _items(resource: JsonObject, name: str) -> Iterator[JsonObject]:
    for one in cast("list[Json]", _plain(resource.get(name)) or []):
        yield _plain(one)


def _plain(value: Json) -> JsonObject:
    """The value itself where it is kept as its bytes."""
    return cast("JsonObject", msgspec.json.decode(value) if isinstance(value, Raw) else value or {})


def _name(resource: JsonObject) -> str:
    return f"{cast('str', resource['resourceType'])}/{cast('str', resource['id'])}"
