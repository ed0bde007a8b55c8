"""Whether the values of an overlay are what its keys ask for, before they are read.

TOML says whether a value is a text, a number, a table or a list; a wrong one is refused with file
and line, never met later as an exception.
"""

from collections.abc import Mapping
from typing import Any, Final

from adapters.hl7v2.charset import TABLE_0211, is_charset
from adapters.hl7v2.compiler.rows import nearest, refuse, table_lines

__all__ = ["LAYER_KEYS", "SENDER_KEYS", "check_form", "line_of"]

_WORDS: Final = {str: "a text", dict: "a table", bool: "true or false"}
_CHOICES: Final = {
    "unmapped_code": ("keep", "task", "reject"),
    "unmapped_trigger": ("keep", "task", "reject"),
    "reused_control_id": ("keep", "reject"),
    "validate": ("keep", "strict"),
}
_TEXTS: Final = ("namespace", "zone", "charset", "fallback", "realm", "site", *_CHOICES)
_TABLES: Final = ("match", "systems", "tables")
_ROWS: Final = ("fix", "replace", "drop", "add")
LAYER_KEYS: Final = {
    *_TEXTS, *_TABLES, *_ROWS, "validate_bundles",
} - {"match", "realm", "site"}  # fmt: skip
"""What a realm or a site may say."""
SENDER_KEYS: Final = LAYER_KEYS | {"match", "realm", "site"}
_OF_ROW: Final = {
    **dict.fromkeys(
        ("id", "from", "to", "as", "table", "when", "ref", "on", "url", "part", "call", "why"), str
    ),
    **dict.fromkeys(("at", "do"), str),
    **dict.fromkeys(("first", "assumed"), bool),
    "with": dict,
}
_CONSTANTS: Final = ("fixed", "default", "with")
"""Of whatever type the element is, which the type check compares."""


def check_form(data: Mapping[str, Any], text: str, place: str) -> None:
    """Refuse what has the wrong type.

    Args:
        data: the parsed file, its keys known.
        text: the file, to name lines.
        place: the file's name.

    Raises:
        BridgeError: `overlay-form`, `profile-...`, naming file, line and what is right.
    """
    flags = (("validate_bundles", bool),)
    for name, kind in (*((n, str) for n in _TEXTS), *((n, dict) for n in _TABLES), *flags):
        if name in data:
            _typed(data[name], kind, name, f"{place}, {line_of(text, name)}")
    for name in ("match", "systems"):
        for key, value in data.get(name, {}).items():
            _typed(value, str, f"{name}.{key}", f"{place}, {line_of(text, key, name)}")
    _check_words(data, text, place)
    for name, rows in data.get("tables", {}).items():
        _check_table(name, rows, text, place)
    for name in _ROWS:
        _check_rows(name, data.get(name, []), text, place)


def line_of(text: str, *names: str) -> str:
    """`line N` of the first line that starts with the key or its header, the first name that does.

    A key of an inline table stands on the line of that table, which is named after it.
    """
    for name in names:
        for number, line in enumerate(text.splitlines(), 1):
            word = line.lstrip("[ \t\"'")
            if word.startswith(name) and word[len(name) : len(name) + 1] in {*" \t=.]\"'", ""}:
                return f"line {number}"
    return "line 1"


def _check_words(data: Mapping[str, Any], text: str, place: str) -> None:
    """Texts of which not every one will do."""
    for name, known in _CHOICES.items():
        if data.get(name, known[0]) not in known:
            where = f"{place}, {line_of(text, name)}"
            do = f"use {', '.join(known[:-1])} or {known[-1]}"
            raise refuse("profile-policy", f"{name} is {data[name]!r}", where, do)
    for name in ("charset", "fallback"):
        _check_charset(data.get(name, ""), f"{place}, {line_of(text, name)}")
    for position in data.get("match", {}):
        number = position.removeprefix("MSH-")
        if number == position or not (number.isascii() and number.isdigit() and len(number) < 3):
            raise refuse("profile-match", f"{position} is no field of MSH",
                         f"{place}, {line_of(text, position, 'match')}",
                         "match on MSH-3, MSH-4, MSH-5 or MSH-6")  # fmt: skip
    namespace = data.get("namespace", "urn:x")
    if ":" not in namespace or any(letter.isspace() for letter in namespace):
        raise refuse("profile-namespace", "namespace is no absolute URI",
                     f"{place}, {line_of(text, 'namespace')}",
                     "write one of yours, such as https://lab.example/fhir")  # fmt: skip
    for key, uri in data.get("systems", {}).items():
        _check_uri(uri, f"systems.{key}", f"{place}, {line_of(text, key, 'systems')}")


def _check_uri(uri: str, name: str, where: str) -> None:
    if ":" not in uri or any(letter.isspace() for letter in uri):
        raise refuse("profile-system", f"{name} is no absolute URI", where,
                     "write one such as http://loinc.org or urn:oid:1.2.3")  # fmt: skip


def _check_charset(name: str, where: str) -> None:
    if name and not is_charset(name):
        near = nearest(name.upper(), {known for known in TABLE_0211 if known})
        raise refuse("profile-charset", f"{name!r} is no character set", where, near)


def _check_table(name: str, rows: object, text: str, place: str) -> None:
    """`[tables.NAME]` with `CODE = [system, code, display]`."""
    header = f"tables.{name}"
    where = f"{place}, {line_of(text, header, 'tables')}"
    if not isinstance(rows, dict):
        raise refuse("overlay-form", f"{header} is not a table", where, "write a table there")
    for code, row in rows.items():
        at = f"{place}, {line_of(text, code, header)}"
        triple = isinstance(row, list) and [type(one) for one in row] == [str, str, str]
        if not (code and triple and row[1]):
            raise refuse("profile-table", f"{code} of table {name} is no triple", at,
                         'write ["system", "code", "display"], the code not empty')  # fmt: skip
        _check_uri(row[0] or "urn:none", f"the system of {code}", at)


def _check_rows(name: str, rows: object, text: str, place: str) -> None:
    """Each `[[name]]`, which must stand under a header of its own so that it has a line."""
    lines = table_lines(text, name)
    if not isinstance(rows, list) or len(rows) != len(lines):
        where = f"{place}, {line_of(text, name)}"
        do = f"write each under its own [[{name}]]"
        raise refuse("overlay-form", f"{name} is no list of tables", where, do)
    for row, line in zip(rows, lines, strict=True):
        for key, value in row.items():
            if key in _OF_ROW:
                _typed(value, _OF_ROW[key], key, f"{place}, line {line}")
            if key in _CONSTANTS:
                _check_constant(value, key, f"{place}, line {line}")


def _check_constant(value: object, key: str, where: str) -> None:
    """What JSON has and `canonical` takes: a date is written as text, and nothing is empty."""
    parts = (
        [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else None
    )
    if parts is None:
        if isinstance(value, bool | int) or (isinstance(value, str) and value):
            return
    elif parts:
        for part in parts:
            _check_constant(part, key, where)
        return
    do = "write texts, whole numbers, true or false; no dates, fractions or empty parts"
    raise refuse("overlay-form", f"{key} holds what no bundle can", where, do)


def _typed(value: object, kind: type, name: str, where: str) -> None:
    if not isinstance(value, kind):
        raise refuse("overlay-form", f"{name} is not {_WORDS[kind]}", where,
                     f"write {_WORDS[kind]} there")  # fmt: skip
