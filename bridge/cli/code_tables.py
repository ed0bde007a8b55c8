"""`fhir-anchor map import-table` and `export-table`: code tables as FHIR R4 ConceptMaps."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.core.errors import BridgeError, Fault
from bridge.core.record import canon

__all__ = ["CodeTables", "export_table", "import_table"]

Rows = Mapping[str, tuple[str, str, str]]
MAX_BYTES = 64 << 20
"""A ConceptMap of 100,000 codes has some 20 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTables:
    """What the commands need of the dialect."""

    exported: Callable[[str, str], dict[str, Any]]
    """ConceptMap of a sender's table, by both names. Raises BridgeError."""
    rows: Callable[[object, Callable[[str], None], str], Rows]
    """Rows of a ConceptMap. Raises BridgeError."""
    toml: Callable[[str, Rows], str]


def export_table(tables: CodeTables, sender: str, name: str) -> None:
    """The ConceptMap, indented, on standard output."""
    sys.stdout.write(json.dumps(tables.exported(sender, name), indent=2, ensure_ascii=False) + "\n")


def import_table(tables: CodeTables, file: Path, name: str) -> None:
    """`[tables.NAME]` for an overlay on standard output; what it cannot say on standard error.

    Raises:
        BridgeError: `input-unreadable`, `conceptmap-...`, those of `canon.parse`.
    """
    try:
        with file.open("rb") as opened:
            value = canon.parse(opened.read(MAX_BYTES))
    except OSError as error:
        raise BridgeError(
            "input-unreadable",
            Fault.OPERATOR,
            what=f"the ConceptMap cannot be read: {error.strerror}",
            where=str(file),
            do="give a JSON file of FHIR R4",
        ) from error

    def note(text: str) -> None:
        sys.stderr.write(text + "\n")

    sys.stdout.write(tables.toml(name or file.stem, tables.rows(value, note, str(file))))
