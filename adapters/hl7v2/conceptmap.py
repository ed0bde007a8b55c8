"""A sender's code table as a FHIR R4 ConceptMap, and back: https://hl7.org/fhir/R4/conceptmap.html.

A row of a table is one code, the system, code and display that it becomes. A ConceptMap says more
(how well the two agree, several targets, what to do without): what a table cannot say is refused
or reported, never guessed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.hl7v2.compiler.rows import refuse

__all__ = ["Rows", "concept_map", "table_rows", "toml_of"]

Rows = Mapping[str, tuple[str, str, str]]
"""Code as sent to system, code and display."""
_NO_MATCH: Final = frozenset({"unmatched", "disjoint"})
_PLAIN: Final = frozenset({"equivalent", "equal"})
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
"""A key that TOML 1.0 takes without quotes."""
MAX_ROWS: Final = 100_000
"""Codes of one table; a laboratory's whole catalogue has some ten thousand."""


def concept_map(name: str, rows: Rows, *, url: str, source: str = "") -> dict[str, Any]:
    """The table as a ConceptMap: one group a target system, in the order of the codes.

    Args:
        name: of the table.
        rows: its rows.
        url: canonical URL of the ConceptMap.
        source: URI of the system whose codes the sender sends, where it has one.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for code, (system, target, display) in sorted(rows.items()):
        shown = {"display": display} if display else {}
        element = {"code": code, "target": [{"code": target, **shown, "equivalence": "equivalent"}]}
        groups.setdefault(system, []).append(element)
    made: dict[str, Any] = {
        "resourceType": "ConceptMap", "url": url, "title": name, "status": "active",
    }  # fmt: skip
    if groups:
        made["group"] = [
            {
                **({"source": source} if source else {}),
                **({"target": system} if system else {}),
                "element": elements,
            }
            for system, elements in sorted(groups.items())
        ]
    return made


def table_rows(value: object, note: Callable[[str], None], *, where: str) -> Rows:
    """The rows of a ConceptMap.

    Args:
        value: parsed JSON.
        note: told what the table cannot say, a sentence a code.
        where: the file, for errors.

    Raises:
        BridgeError: `conceptmap-form`, `conceptmap-targets`: it is no R4 ConceptMap, or a code has
            several targets among which nobody but a person can choose.
    """
    if not isinstance(value, dict) or value.get("resourceType") != "ConceptMap":
        raise refuse("conceptmap-form", "this is no ConceptMap", where, "give FHIR R4 JSON of one")
    rows: dict[str, tuple[str, str, str]] = {}
    for number, group in enumerate(_list(value.get("group", []), "ConceptMap.group", where)):
        place = f"{where}, ConceptMap.group[{number}]"
        system = _text(group.get("target", ""), f"{place}.target")
        for at, element in enumerate(_list(group.get("element", []), f"{place}.element", where)):
            _add(rows, element, system, f"{place}.element[{at}]", note)
        if "unmapped" in group:
            note(f"{place}: unmapped says what to do without a row; unmapped_code says it here")
    return rows


def toml_of(name: str, rows: Rows) -> str:
    """The table as an overlay has it."""
    lines = [f"[tables.{_key(name)}]"]
    for code, row in sorted(rows.items()):
        lines.append(f"{_key(code)} = [{', '.join(_quoted(part) for part in row)}]")
    return "\n".join(lines) + "\n"


def _add(
    rows: dict[str, tuple[str, str, str]],
    element: Mapping[str, Any],
    system: str,
    place: str,
    note: Callable[[str], None],
) -> None:
    """One code, unless it has no match; a second row that says the same is no matter."""
    code = _text(element.get("code", ""), f"{place}.code")
    if not code:
        raise refuse("conceptmap-form", "an element has no code", place, "give each code")
    target = _target(code, element, place, note)
    if target is None:
        note(f"{place}: {code} has no match and gets no row")
        return
    if target.get("dependsOn") or target.get("product"):
        raise refuse("conceptmap-targets", f"the target of {code} depends on something else", place,
                     "write a datatype function for it")  # fmt: skip
    if target.get("equivalence", "equivalent") not in _PLAIN:
        note(f"{place}: {code} and its target are only {target['equivalence']}; a table cannot say")
    row = (system, _text(target["code"], place), _text(target.get("display", ""), place))
    if rows.setdefault(code, row) != row:
        raise refuse("conceptmap-targets", f"{code} stands in two groups with other targets", place,
                     "split the ConceptMap into two tables")  # fmt: skip
    if len(rows) > MAX_ROWS:
        raise refuse("conceptmap-form", f"over {MAX_ROWS} codes", place, "split it")


def _target(
    code: str, element: Mapping[str, Any], place: str, note: Callable[[str], None]
) -> Mapping[str, Any] | None:
    """The only target, or the only one that is equivalent; None where none matches."""
    targets = [
        target
        for target in _list(element.get("target", []), f"{place}.target", place)
        if target.get("equivalence") not in _NO_MATCH and target.get("code")
    ]
    if len(targets) < 2:
        return targets[0] if targets else None
    exact = [one for one in targets if one.get("equivalence") in _PLAIN]
    if len(exact) != 1:
        raise refuse("conceptmap-targets", f"{code} has {len(targets)} targets", place,
                     "leave one, or mark one of them equivalent")  # fmt: skip
    note(f"{place}: of {len(targets)} targets of {code} the equivalent one was taken")
    return exact[0]


def _list(value: object, name: str, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise refuse("conceptmap-form", f"{name} is no list of objects", where,
                     "give FHIR R4 JSON")  # fmt: skip
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise refuse("conceptmap-form", "a value is not a text", where, "give FHIR R4 JSON")
    return value


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """A basic string of TOML 1.0."""
    made = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escaped(letter) for letter in made) + '"'


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x20 or code == 0x7F else letter
