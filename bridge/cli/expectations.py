"""Expected facts of a bundle as FHIRPath lines: the small part of FHIRPath that tests need.

    Patient.name.where(use = 'official').family = 'Doe'
    Observation.count() = 3
    Encounter.subject.resolve().birthDate = '1970-01-31'
    Patient.telecom.value contains '555-2003'
Source: http://hl7.org/fhirpath/N1/. A path starts with a resource type and runs over every resource
of that type in the bundle.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from msgspec import Raw

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Expectation", "failures", "parse_expectations"]

MAX_LINE: Final = 2_000
"""A fact that needs more is several facts."""
_INDEXED = re.compile(r"\w+\[[0-9]{1,6}\]")
_OPERATORS: Final = (" contains ", "!=", "=")
_FUNCTIONS: Final = ("exists()", "empty()", "count()", "first()", "resolve()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One line of a facts file."""

    line: int
    text: str
    path: tuple[str, ...]
    """Steps between dots; `where(...)` and functions are steps of their own."""
    operator: str
    """`=`, `!=`, `contains`, or empty: then the path's own value must be true."""
    value: str | bool | None


def parse_expectations(name: str, text: str) -> tuple[Expectation, ...]:
    """The lines of one file; blank lines and those that start with # say nothing.

    Raises:
        BridgeError: `fact-form`, naming file and line.
    """
    return tuple(
        _parse(line.strip(), f"{name}, line {number}", number)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def failures(
    expected: Iterable[Expectation], bundle: Mapping[str, Any]
) -> list[tuple[Expectation, str]]:
    """Each line that does not hold, with what there was instead."""
    resources: list[JsonObject] = [entry["resource"] for entry in bundle["entry"]]
    failed = []
    for one in expected:
        found = _follow(one.path, resources)
        if not _holds(one, found):
            failed.append((one, ", ".join(_shown(item) for item in found) or "nothing"))
    return failed


def _parse(text: str, place: str, number: int) -> Expectation:
    if len(text) > MAX_LINE:
        _refuse("the line is too long", place, f"write at most {MAX_LINE} characters")
    left, operator, right = text, "", ""
    for sign in _OPERATORS:
        at = _outside(text, sign)
        if at >= 0:
            left, operator, right = text[:at], sign.strip(), text[at + len(sign) :]
            break
    steps = tuple(_steps(left.strip(), place))
    if not steps or not steps[0][:1].isupper():
        _refuse("the path starts with no resource type", place, "start it as in Patient.birthDate")
    value = _literal(right.strip(), place) if operator else None
    return Expectation(line=number, text=text, path=steps, operator=operator, value=value)


def _outside(text: str, sign: str) -> int:
    """Where the sign stands outside of brackets and quotes; -1 where nowhere."""
    depth, quoted = 0, False
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if depth == 0 and text.startswith(sign, at):
                return at
    return -1


def _steps(text: str, place: str) -> Iterable[str]:
    rest = text
    while rest:
        at = _outside(rest, ".")
        step, rest = (rest, "") if at < 0 else (rest[:at], rest[at + 1 :])
        if "(" in step and step not in _FUNCTIONS and not step.startswith("where("):
            _refuse(f"{step.partition('(')[0]}() is not known here", place,
                    f"use where(...), {', '.join(_FUNCTIONS)}")  # fmt: skip
        if step.startswith("where("):
            inner, value = _compared(step)
            if not step.endswith(")") or not inner or inner[-1] in "!<>":
                _refuse("where takes one comparison", place, "write where(path = 'text')")
            _literal(value, place)
            tuple(_steps(inner, place))
        elif "[" in step and not _INDEXED.fullmatch(step):
            _refuse(f"{step} is no element of a list", place, "count from 0, as in name[0]")
        yield step


def _compared(step: str) -> tuple[str, str]:
    """Path and literal of `where(path = 'text')`; two empty texts where it compares nothing."""
    inner = step[len("where(") : -1]
    at = _outside(inner, "=")
    return (inner[:at].strip(), inner[at + 1 :].strip()) if at > 0 else ("", "")


def _literal(text: str, place: str) -> str | bool:
    """A quoted text, true, false or a number, which is compared by its digits."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("\\'", "'")
    if text in {"true", "false"}:
        return text == "true"
    if not text or not all(character.isdigit() or character in "+-." for character in text):
        _refuse("the value is no literal", place, "write 'text', a number, true or false")
    return text


def _follow(path: tuple[str, ...], resources: list[JsonObject]) -> list[Json]:
    known = {f"{_text(body['resourceType'])}/{_text(body['id'])}": body for body in resources}
    found: list[Json] = [body for body in resources if body["resourceType"] == path[0]]
    for step in path[1:]:
        found = _step(step, found, known)
    return found


def _step(step: str, found: list[Json], known: Mapping[str, JsonObject]) -> list[Json]:
    if step in _FUNCTIONS:
        return _call(step, found, known)
    if step.startswith("where("):
        inner, value = _compared(step)
        wanted = _literal(value, "")
        path = tuple(_steps(inner, ""))
        return [item for item in found if _equal_any(_inside(path, item, known), wanted)]
    name, bracket, index = step.partition("[")
    children = [child for item in found for child in _children(item, name)]
    return children[int(index[:-1]) :][:1] if bracket else children


def _call(step: str, found: list[Json], known: Mapping[str, JsonObject]) -> list[Json]:
    if step == "first()":
        return found[:1]
    if step == "count()":
        return [len(found)]
    if step == "resolve()":
        names = [item.get("reference") for item in found if isinstance(item, dict)]
        return [known[name] for name in names if isinstance(name, str) and name in known]
    return [bool(found) == (step == "exists()")]


def _inside(path: Iterable[str], item: Json, known: Mapping[str, JsonObject]) -> list[Json]:
    found = [item]
    for step in path:
        found = _step(step, found, known)
    return found


def _children(item: Json, name: str) -> list[Json]:
    """The element, or each item of it; `value` also finds valueQuantity and its like."""
    if not isinstance(item, dict):
        return []
    held = item.get(name)
    if held is None and name == "value":
        held = next((item[key] for key in item if key.startswith("value")), None)
    if held is None:
        return []
    return held if isinstance(held, list) else [held]


def _holds(one: Expectation, found: list[Json]) -> bool:
    if one.operator == "contains":
        return _equal_any(found, one.value)
    if one.operator == "=":
        return len(found) == 1 and _equal_any(found, one.value)
    if one.operator == "!=":
        return not _equal_any(found, one.value)
    return found == [True]


def _equal_any(found: list[Json], wanted: str | bool | None) -> bool:
    return any(
        item is wanted if isinstance(wanted, bool) else _text(item) == wanted for item in found
    )


def _text(item: Json) -> str | None:
    """What a literal is compared with; None where the item is no single value."""
    if isinstance(item, Raw):
        return bytes(item).decode()
    if item is None or isinstance(item, bool | dict | list):
        return None
    return str(item)


def _shown(item: Json) -> str:
    """For the report: texts as they are, objects as JSON."""
    text = _text(item)
    return text if text is not None else json.dumps(item, default=lambda raw: bytes(raw).decode())


def _refuse(what: str, where: str, do: str) -> NoReturn:
    raise BridgeError("fact-form", Fault.OPERATOR, what=what, where=where, do=do)
