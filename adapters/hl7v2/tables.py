"""HL7 tables as mappings: a v2 code to the FHIR system, code and display that it becomes."""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Final

from bridge.core.errors import BridgeError, Fault

__all__ = ["CodeTable", "coding_system", "load", "names", "parse"]

_FOLDER: Final = "tables"
_HEADER: Final = ["code", "system", "target", "display"]
_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-"


class CodeTable(dict[str, tuple[str, str, str]]):
    """v2 code -> (system, code, display); built once, never changed afterwards."""

    __slots__ = ("source",)

    def __init__(self, rows: Mapping[str, tuple[str, str, str]], source: str = "") -> None:
        """Keep the rows.

        Args:
            rows: v2 code -> (system, code, display), the display may be empty.
            source: URI of the code system whose codes the keys are, empty for a site's own.
        """
        super().__init__(rows)
        self.source = source


@cache
def load(name: str) -> CodeTable:
    """The shipped table of that name, such as `PatientClass.EncounterClass`.

    Raises:
        BridgeError: `table-unknown`, naming the tables that begin alike.
    """
    sources = _index()
    if name not in sources:
        near = ", ".join(known for known in sources if known[:5] == name[:5]) or "tables/index.csv"
        raise BridgeError(
            "table-unknown",
            Fault.OPERATOR,
            what=f"there is no code table {name}",
            where="adapters/hl7v2/tables",
            do=f"use one of: {near}",
        )
    source = _V2 + sources[name] if sources[name] else ""
    return parse(_read(f"{name}.csv"), source=source, where=f"tables/{name}.csv")


def names() -> tuple[str, ...]:
    """Every shipped table, sorted."""
    return tuple(sorted(_index()))


def parse(lines: Iterable[str], *, source: str = "", where: str) -> CodeTable:
    """A table from CSV lines with the header `code,system,target,display`.

    Args:
        lines: the file.
        source: URI of the code system whose codes the first column holds.
        where: file name for errors.

    Raises:
        BridgeError: `table-form`, with file and line, when a line is not such a row or repeats
            a code.
    """
    rows: dict[str, tuple[str, str, str]] = {}
    for number, row in enumerate(csv.reader(lines), start=1):
        if number == 1 and row == _HEADER:
            continue
        if number == 1 or len(row) != 4 or not row[0] or not row[2] or row[0] in rows:
            raise BridgeError(
                "table-form",
                Fault.OPERATOR,
                what="a code table needs the header code,system,target,display and then rows of"
                " four values, each code once and none without target",
                where=f"{where}, line {number}",
                do="correct the line",
            )
        rows[row[0]] = (row[1], row[2], row[3])
    return CodeTable(rows, source)


def coding_system(name: str) -> str:
    """The URI of a coding system by its name of table 0396 or its OID; empty when unknown.

    `HL70001`, `HL7 0001` and `HL71` alike name table 0001. Source: HL7 v2.8 ch. 2C table 0396,
    https://hl7.org/fhir/R4/terminologies-systems.html.
    """
    known = _systems().get(name)
    if known is not None:
        return known
    upper = name.upper()
    return _systems().get(upper) or _table_system(upper)


def _table_system(name: str) -> str:
    """The URI of an HL7 table from `HL7nnnn` in its many spellings."""
    if not name.startswith("HL7"):
        return ""
    digits = name[3:].lstrip(" -_&")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 4:
        return ""
    return _V2 + digits.zfill(4)


@cache
def _systems() -> Mapping[str, str]:
    return {name: row[1] for name, row in load("CodingSystem").items()}


@cache
def _index() -> Mapping[str, str]:
    return {row[0]: row[1] for row in csv.reader(_read("index.csv")) if row[0] != "table"}


def _read(file: str) -> tuple[str, ...]:
    folder = resources.files("adapters.hl7v2").joinpath(_FOLDER)
    return tuple(folder.joinpath(file).read_text("utf-8").splitlines())
