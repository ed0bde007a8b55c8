"""Bundles as facts: resource type, element path, value; what two mappings are compared by.

Ids, meta, narrative and fullUrl are no facts. A reference is a fact about what it points to: the
identifiers, name or words of its target.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

__all__ = ["Fact", "facts_of", "load"]

_DROPPED: Final = frozenset({"id", "meta", "text", "resourceType"})
_REFERENCE: Final = frozenset({"reference", "display", "type", "identifier"})
_NO_REFERENCES: Final = ("coding", "Coding", "class", "identifier", "Identifier", "tag")
"""Ends of paths whose values may have a display or type alone and are no references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One leaf of one resource. A reference has labels, anything else a value."""

    kind: str
    path: str
    """Element names joined by dots, without array indexes."""
    value: str
    labels: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """`Patient.name.family = Smith`."""
        return f"{self.kind}.{self.path} = {self.value}"


def load(data: bytes) -> dict[str, Any]:
    """JSON with decimals exact."""
    parsed: dict[str, Any] = json.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    return parsed


def facts_of(bundle: Mapping[str, Any]) -> frozenset[Fact]:
    """The facts of every resource in the bundle."""
    known: dict[str, Mapping[str, Any]] = {}
    resources = []
    for entry in bundle.get("entry", []):
        resource = entry.get("resource") or {}
        resources.append(resource)
        known[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
        known[entry.get("fullUrl", "")] = resource
    made: set[Fact] = set()
    for resource in resources:
        made.update(_of_object(resource.get("resourceType", ""), "", resource, known))
    return frozenset(made)


def _of_object(
    kind: str, path: str, node: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[Fact]:
    if path and _is_reference(path, node):
        labels = _labels(node, known)
        shown = " | ".join(sorted(labels))
        yield Fact(kind=kind, path=path, value=f"-> {shown}", labels=labels)
        return
    for name, value in node.items():
        if not path and name in _DROPPED:
            continue
        below = f"{path}.{name}" if path else name
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield from _of_object(kind, below, one, known)
            elif one is not None:
                yield Fact(kind=kind, path=below, value=_plain(one))


def _is_reference(path: str, node: Mapping[str, Any]) -> bool:
    if "reference" in node:
        return True
    return node.keys() <= _REFERENCE and "value" not in node and not path.endswith(_NO_REFERENCES)


def _labels(node: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """What a reference's target is known by, in lower case."""
    target = known.get(str(node.get("reference", "")), {})
    found = {str(node["display"])} if "display" in node else set()
    for holder in (node, target):
        identifiers = holder.get("identifier", [])
        for one in identifiers if isinstance(identifiers, list) else [identifiers]:
            found.add(str(one.get("value", "")))
    found |= set(_names(target))
    return frozenset(" ".join(sorted(text.lower().split())) for text in found if text)


def _names(target: Mapping[str, Any]) -> Iterator[str]:
    """Names of a target: of a person, a place, a thing."""
    names = target.get("name", [])
    for name in names if isinstance(names, list) else [names]:
        if isinstance(name, Mapping):
            parts = (*name.get("prefix", []), *name.get("given", []), name.get("family", ""))
            yield " ".join((*parts, *name.get("suffix", [])))
            yield " ".join((*name.get("given", []), name.get("family", "")))
        else:
            yield str(name)
    for name in target.get("deviceName", []):
        yield str(name.get("name", ""))
    code = target.get("code") or target.get("medicationCodeableConcept") or {}
    for coding in code.get("coding", []) if isinstance(code, Mapping) else []:
        yield str(coding.get("code", ""))


def _plain(value: object) -> str:
    """One text for one value: 7.40 and 7.4 are the same number to another converter."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal | int):
        return format(Decimal(value).normalize(), "f")
    return str(value)
