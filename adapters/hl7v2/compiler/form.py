"""Whether the values of an overlay have the types that its keys ask for, before they are read.

TOML says whether a value is a text, a number, a table or a list; a wrong one is refused with file
and line, never met later as an exception.
"""

from collections.abc import Mapping
from typing import Any, Final

from adapters.hl7v2.charset import TABLE_0211, is_charset
from adapters.hl7v2.compiler.rows import nearest, refuse, table_lines

__all__ = ["check_form", "line_of"]

_WORDS: Final = {str: "a text", dict: "a table", bool: "true or false"}
_TEXTS: Final = ("namespace", "zone", "charset", "fallback", "unmapped_code", "unmapped_trigger")
_TABLES: Final = ("match", "systems", "tables")
_ROWS: Final = ("fix", "replace", "drop", "add")
_OF_ROW: Final = {
    **dict.fromkeys(
        ("id", "from", "to", "as", "table", "when", "ref", "on", "url", "part", "call", "why"), str
    ),
    **dict.fromkeys(("at", "do"), str),
    "first": bool,
    "with": dict,
}
"""`fixed` and `default` are of whatever type the element is."""


def check_form(data: Mapping[str, Any], text: str, place: str) -> None:
    """Refuse what has the wrong type.

    Args:
        data: the parsed file, its keys known.
        text: the file, to name lines.
        place: the file's name.

    Raises:
        BridgeError: `overlay-form`, or `profile-charset` for a character set nobody can read.
    """
    for name, kind in (*((n, str) for n in _TEXTS), *((n, dict) for n in _TABLES)):
        if name in data:
            _typed(data[name], kind, name, f"{place}, {line_of(text, name)}")
    for name in ("match", "systems"):
        for key, value in data.get(name, {}).items():
            _typed(value, str, f"{name}.{key}", f"{place}, {line_of(text, name)}")
    for name, rows in data.get("tables", {}).items():
        _typed(rows, dict, f"tables.{name}", f"{place}, {line_of(text, 'tables.' + name)}")
    for name in ("charset", "fallback"):
        _check_charset(data.get(name, ""), f"{place}, {line_of(text, name)}")
    for name in _ROWS:
        _check_rows(name, data.get(name, []), text, place)


def _check_charset(name: str, where: str) -> None:
    if name and not is_charset(name):
        near = nearest(name.upper(), {known for known in TABLE_0211 if known})
        raise refuse("profile-charset", f"{name!r} is no character set", where, near)


def line_of(text: str, name: str) -> str:
    """`line N` of the first line that starts with the key or its header; line 1 where none does."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip("[ ").startswith(name):
            return f"line {number}"
    return "line 1"


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


def _typed(value: object, kind: type, name: str, where: str) -> None:
    if not isinstance(value, kind):
        raise refuse("overlay-form", f"{name} is not {_WORDS[kind]}", where,
                     f"write {_WORDS[kind]} there")  # fmt: skip
