"""The change set of a message: which elements it deletes, and which of its values are assumed.

A closed subset of FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): what it cannot say is
refused, never guessed. docs/mapping-language.md has it as a table.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.elements import choice_of

__all__ = [
    "Assumption",
    "Condition",
    "Deletion",
    "Exactly",
    "Move",
    "Operation",
    "Path",
    "parse_path",
    "read",
    "without",
]

_NAMES: Final = r"[A-Za-z]+(?:\.[A-Za-z]+)*"
_CONDITION: Final = rf"({_NAMES})(=| !~ )'([^'\\]{{1,256}})'"
_WHERE: Final = rf"\.where\(({_CONDITION}(?: and {_CONDITION}){{0,15}})\)"
"""Sixteen conditions: no array of R4 is filled by more fields of one segment."""
_PATH: Final = re.compile(rf"({_NAMES})(?:{_WHERE}((?:\.[A-Za-z]+)*))?")
_ONE: Final = re.compile(_CONDITION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison in `where(...)`."""

    names: tuple[str, ...]
    """Element names below the item."""
    equal: bool
    """`=`: one of the values there is the text. `!~`: none is, or there is no value."""
    text: str

    def holds(self, item: Json) -> bool:
        """Whether the item meets it."""
        return (self.text in _values(item, self.names)) == self.equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What a deletion takes: `names`, of which those up to `where` name a list with a choice."""

    names: tuple[str, ...]
    """Empty for the whole resource."""
    conditions: tuple[Condition, ...] = ()
    at: int = 0
    """How many names stand before `where`; 0 without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The element of this resource goes, or the whole resource."""

    target: tuple[str, str]
    """Type and id."""
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """The snapshot's value of that element was not stated: it never overwrites a stored one."""

    target: tuple[str, str]
    element: str
    """Empty for the whole resource: the message identifies it and states something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exactly:
    """The snapshot's value of that element is the whole of it: no part of a stored one is kept."""

    target: tuple[str, str]
    element: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The visit or account is now the patient's whom the snapshot names, with what it holds."""

    target: tuple[str, str]


Operation: TypeAlias = Deletion | Assumption | Exactly | Move


def parse_path(text: str) -> Path | None:
    """`birthDate`, `telecom.where(use='work')`, `name.where(use !~ 'old').given`; None if odd.

    Identity cannot be deleted, and indexes and other functions are not spoken here.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        return None
    before = tuple(found[1].split("."))
    if before[0] in {"id", "resourceType"}:
        return None
    if found[2] is None:
        return Path(names=before)
    after = tuple(name for name in (found[9] or "").split(".") if name)
    conditions = tuple(
        Condition(names=tuple(names.split(".")), equal=sign == "=", text=value)
        for names, sign, value in _ONE.findall(found[2])
    )
    return Path(names=before + after, conditions=conditions, at=len(before))


def read(body: JsonObject, where: str) -> Iterator[Operation]:
    """What a Parameters entry says, in its order.

    Each parameter names its resource in a part `target`, since one Parameters speaks of several.

    Raises:
        BridgeError: `patch-form` for a parameter that cannot be read in exactly one way.
    """
    for number, parameter in enumerate(cast("list[JsonObject]", body.get("parameter", []))):
        parts = {
            part["name"]: part.get("valueString", part.get("valueCode"))
            for part in cast("list[dict[str, str]]", parameter.get("part", []))
        }
        found = _read_one(str(parameter.get("name")), parts)
        if found is None:
            raise BridgeError(
                "patch-form",
                Fault.US,
                what="a patch operation is not target Type/id, type delete, path Type.element, "
                "nor a default, exact or move with target and path",
                where=f"{where}.parameter[{number}]",
                do="write element names joined by dots, starting with the type of the target, "
                "and choose items of one list by where(element='text')",
            )
        yield found


def _read_one(name: str, parts: dict[str, str | None]) -> Operation | None:
    kind, _, resource = (parts.get("target") or "").partition("/")
    root, dot, below = (parts.get("path") or "").partition(".")
    if not resource or root != kind or (dot and not below):
        return None
    if name == "default" and "type" not in parts:
        plain = not below or below.isalpha()
        return Assumption(target=(kind, resource), element=below) if plain else None
    if name == "exact" and "type" not in parts:
        return Exactly(target=(kind, resource), element=below) if below.isalpha() else None
    if name == "move" and "type" not in parts:
        return Move(target=(kind, resource)) if not below else None
    if name != "operation" or parts.get("type") != "delete":
        return None
    path = parse_path(below) if below else Path(names=())
    return Deletion(target=(kind, resource), path=path) if path is not None else None


def without(body: JsonObject, path: Path) -> JsonObject:
    """The body less what is at `path`, in every item of the lists on the way; empty parents go.

    A name may be that of a choice element without its type: `deceased` takes `deceasedBoolean`.
    """
    return _without(body, path, 0)


def _without(body: JsonObject, path: Path, depth: int) -> JsonObject:
    name = path.names[depth]
    chosen = path.at == depth + 1
    last = depth + 1 == len(path.names)
    kept: JsonObject = {}
    for key, value in body.items():
        plain = key.removeprefix("_")
        if name not in (plain, choice_of(plain)):
            kept[key] = value
        elif chosen or not last:
            left = _left(value, path, depth + 1, chosen=chosen)
            if left not in ({}, []):
                kept[key] = left
    return kept


def _left(value: Json, path: Path, depth: int, *, chosen: bool) -> Json:
    if isinstance(value, list):
        items = [_left(item, path, depth, chosen=chosen) for item in value]
        return [item for item in items if item != {}]
    if chosen and not all(condition.holds(value) for condition in path.conditions):
        return value
    if depth == len(path.names):
        return {}
    return _without(value, path, depth) if isinstance(value, dict) else value


def _values(value: Json, names: tuple[str, ...]) -> list[str]:
    """The texts at a path, through the lists on the way."""
    if isinstance(value, list):
        return [text for item in value for text in _values(item, names)]
    if not names:
        return [value] if isinstance(value, str) else []
    if not isinstance(value, dict) or names[0] not in value:
        return []
    return _values(value[names[0]], names[1:])
