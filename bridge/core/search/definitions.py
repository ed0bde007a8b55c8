"""Which parameters each resource type has, and where in a resource their values stand.

`definitions.json` is made from HL7's own search parameters: https://hl7.org/fhir/R4/searchparameter-registry.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

import msgspec

__all__ = [
    "Parameter",
    "SearchType",
    "Source",
    "elements_kept",
    "parameters_of",
    "patient_parameters",
    "resource_types",
    "summary_elements",
]


class SearchType(Enum):
    """https://hl7.org/fhir/R4/valueset-search-param-type.html, those that are indexed."""

    TOKEN = "token"  # noqa: S105  a search type, no secret
    REFERENCE = "reference"
    STRING = "string"
    DATE = "date"
    URI = "uri"
    QUANTITY = "quantity"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place of values: element names from the top, each with the member that it must have."""

    steps: tuple[tuple[str, str, str], ...]
    """Name, and where only some items count the key and the value that they must have."""
    type: str
    """FHIR type of what stands there."""
    target: str
    """Resource type that a reference must lead to; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One search parameter of one resource type."""

    name: str
    type: SearchType
    sources: tuple[Source, ...]
    targets: tuple[str, ...] = ()
    """Types that a reference leads to; none for any."""


class _File(msgspec.Struct):
    parameters: dict[str, dict[str, tuple[str, list[tuple[str, str, str]]]]]
    patient: dict[str, list[str]]
    targets: dict[str, dict[str, list[str]]]
    always: dict[str, list[str]]
    summary: dict[str, list[str]]


@cache
def resource_types() -> tuple[str, ...]:
    """Every resource type of R4 that can be searched, sorted."""
    return tuple(sorted(_file().parameters))


@cache
def parameters_of(resource_type: str) -> Mapping[str, Parameter]:
    """Every indexed parameter by name; empty for a type that has none."""
    rows = _file().parameters.get(resource_type, {})
    targets = _file().targets.get(resource_type, {})
    return {
        name: _parameter(name, SearchType(kind), paths, targets.get(name, []))
        for name, (kind, paths) in rows.items()
    }


def _parameter(
    name: str, kind: SearchType, paths: list[tuple[str, str, str]], targets: list[str]
) -> Parameter:
    """A parameter with where it may lead to; what only counts for some types leads to these."""
    sources = tuple(
        Source(steps=_steps(path), type=end, target=target) for path, end, target in paths
    )
    told = {source.target for source in sources}
    return Parameter(
        name=name,
        type=kind,
        sources=sources,
        targets=tuple(targets if "" in told else sorted(told)),
    )


def patient_parameters(resource_type: str) -> tuple[str, ...]:
    """Parameters that put a resource of this type into a Patient compartment.

    Source: https://hl7.org/fhir/R4/compartmentdefinition-patient.html. Empty for types outside it.
    """
    return tuple(_file().patient.get(resource_type, ()))


def elements_kept(resource_type: str) -> frozenset[str]:
    """Elements that no subset may leave out: required, or changing what the others mean."""
    return frozenset(_file().always.get(resource_type, ()))


def summary_elements(resource_type: str) -> frozenset[str]:
    """Elements that R4 marks as part of a summary."""
    return frozenset(_file().summary.get(resource_type, ()))


@cache
def _file() -> _File:
    data = resources.files("bridge.core.search").joinpath("definitions.json").read_bytes()
    return msgspec.json.decode(data, type=_File)


def _steps(path: str) -> tuple[tuple[str, str, str], ...]:
    steps = []
    for text in path.split(" "):
        name, _, test = text.removesuffix("]").partition("[")
        key, _, value = test.partition("=")
        steps.append((name, key, value))
    return tuple(steps)
