"""The expression that makes a row's value of one text, known values first."""

from collections.abc import Mapping
from typing import Final

from adapters.hl7v2 import tables
from adapters.hl7v2.compiler.alike import RESOURCES
from adapters.hl7v2.compiler.code import Code, slot_of
from adapters.hl7v2.compiler.rows import Row, nearest, refuse
from adapters.hl7v2.datatypes import DATATYPES, Datatype
from adapters.hl7v2.tables import CodeTable

__all__ = ["conversion", "wrapped"]

_ONCE: Final = frozenset({
    "ST", "TX", "FT", "NM", "SI", "ED", "RP", "DR", "XPN", "PN", "XAD", "AD", "XTN", "TN",
})  # fmt: skip
"""Datatypes whose texts are cheap, long or of one patient: not remembered."""
_WITHIN: Final = frozenset({"TS", "DTM", "DT", "CX", "EI"})
"""Datatypes whose texts come again in one message, and hardly in another."""


def conversion(code: Code, row: Row, kind: Datatype, code_tables: Mapping[str, CodeTable]) -> str:
    """The value of `s`: a reference to a person or place, or what the datatype function gives."""
    gives = kind.gives.removesuffix("[]")
    if gives not in RESOURCES:
        return _converted(code, row, kind, code_tables)
    shown = (DATATYPES[name].function for name in _display_names(row.function) if name in DATATYPES)
    function = next(shown, None)
    display = code.name("D", function) if function else "None"
    name = code.name(row.function.replace(".", "_"), kind.function)
    return f"b.refer({slot_of(kind.name, display)}, {gives!r}, {name}, s, {display})"


def _display_names(function: str) -> tuple[str, ...]:
    """Functions that show the same datatype as words."""
    source = function.split(".", 1)[0]
    return (f"{source}.display", f"{source}.string")


def _converted(code: Code, row: Row, kind: Datatype, code_tables: Mapping[str, CodeTable]) -> str:
    """The call of the datatype function, where the value is not known."""
    name = code.name(row.function.replace(".", "_").replace(":", "_"), kind.function)
    source = kind.name.split(".", 1)[0]
    if not kind.coded:
        if row.table:
            raise refuse("row-table", f"{row.function} takes no table", row.place,
                         "remove table, or use a coded function")  # fmt: skip
        if source in _WITHIN:
            return f"values.get(({name}, s)) or b.within({name}, s)"
        if source in _ONCE:
            return f"{name}(s, ctx)"
        return _recalled(slot_of(kind.name, ""), f"{name}, s")
    if not row.table:
        return _recalled(slot_of(kind.name, ""), f"{name}, s, None")
    table = code_tables.get(row.table)
    if table is None:
        if row.table not in tables.names():
            raise refuse("row-table", f"there is no table {row.table}", row.place,
                         nearest(row.table, {*tables.names(), *code_tables}))  # fmt: skip
        table = tables.load(row.table)
    slot = slot_of(kind.name, row.table if row.table not in code_tables else f"{id(table)}")
    return _recalled(slot, f"{name}, s, {code.name('T', table)}")


def _recalled(slot: int, arguments: str) -> str:
    """A value that was made of this text before; one with findings is kept where they are."""
    return f"shelf[{slot}].get(s) or b.cached({slot}, {arguments})"


def wrapped(row: Row, kind: Datatype) -> str:
    """The value `x` inside its extension, where the row names one."""
    if not row.url:
        return "x"
    gives = kind.gives.removesuffix("[]")
    value = f"value{gives[0].upper()}{gives[1:]}" if gives not in RESOURCES else "valueReference"
    if row.part:
        inner = f"[{{'url': {row.part!r}, {value!r}: x}}]"
        return f"{{'url': {row.url!r}, 'extension': {inner}}}"
    return f"{{'url': {row.url!r}, {value!r}: x}}"
