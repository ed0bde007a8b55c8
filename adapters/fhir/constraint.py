"""One constraint of FHIR as a value, and the few questions that constraints ask of an element."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from msgspec import Raw

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.ranges import date_range, number

__all__ = [
    "Rule",
    "any_of",
    "codes",
    "has",
    "has_choice",
    "in_order",
    "is_absolute",
    "items",
    "needs",
    "not_both",
    "number_of",
    "one_of",
    "text_of",
    "unique",
]


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:").match


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A constraint under its FHIR key, such as `pat-1`. `holds` is asked of each such element."""

    key: str
    text: str
    holds: Callable[[JsonObject], bool]


def has(value: JsonObject, *names: str) -> bool:
    """Whether any of the elements is there, by value or by extension."""
    return any(name in value or f"_{name}" in value for name in names)


def has_choice(value: JsonObject, name: str) -> bool:
    """Whether the choice element `name[x]` is there in any type."""
    at = len(name)
    return any(
        key.startswith(name) and key[at : at + 1].isupper()
        for key in (key.removeprefix("_") for key in value)
    )


def items(value: Json, *path: str) -> Iterator[JsonObject]:
    """Every object at a path of lists and objects."""
    nodes = [value]
    for name in path:
        found = [node[name] for node in nodes if isinstance(node, dict) and name in node]
        nodes = [one for item in found for one in (item if isinstance(item, list) else [item])]
    yield from (node for node in nodes if isinstance(node, dict))


def text_of(value: Json, name: str) -> str:
    """A text element, empty when it is not there."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def codes(value: JsonObject, *path: str) -> set[str]:
    """Every Coding.code of the CodeableConcepts at a path."""
    return {text_of(coding, "code") for coding in items(value, *path, "coding")}


def number_of(value: Json, name: str) -> Decimal | None:
    """A number element as written; None when it is not there."""
    found = value.get(name) if isinstance(value, dict) else None
    if isinstance(found, Raw):
        return number(bytes(found).decode())
    return Decimal(found) if isinstance(found, int) else None


def in_order(earlier: str, later: str) -> bool:
    """Whether two dates, each of its own precision, can be in this order; absent ones can."""
    first, second = date_range(earlier), date_range(later)
    return first is None or second is None or first[0] <= second[1]


def is_absolute(url: str) -> bool:
    """Whether it has a scheme, https://www.rfc-editor.org/rfc/rfc3986#section-4.3."""
    return _SCHEME(url) is not None


def unique(texts: list[str]) -> bool:
    """Whether no text that is there stands twice."""
    given = [text for text in texts if text]
    return len(given) == len(set(given))


def not_both(first: str, second: str) -> Callable[[JsonObject], bool]:
    """Two elements exclude each other."""
    return lambda value: not (has(value, first) and has(value, second))


def one_of(first: str, second: str) -> Callable[[JsonObject], bool]:
    """Exactly one of two elements is there."""
    return lambda value: has(value, first) != has(value, second)


def any_of(*names: str) -> Callable[[JsonObject], bool]:
    """At least one of the elements is there."""
    return lambda value: has(value, *names)


def needs(given: str, needed: str) -> Callable[[JsonObject], bool]:
    """Where the one is, the other is too."""
    return lambda value: not has(value, given) or has(value, needed)
