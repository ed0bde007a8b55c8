"""ConceptMaps in and out on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli.code_tables import CodeTables, export_table, import_table
from bridge.core.errors import BridgeError


def read(value: object, note: Callable[[str], None], where: str) -> dict[str, tuple[str, str, str]]:
    """One row."""
    note(f"{where} is read")
    return {str(value): ("", "1", "")}


TABLES = CodeTables(
    exported=lambda sender, name: {"resourceType": "ConceptMap", "title": f"{sender} {name} ä"},
    rows=read,
    toml=lambda name, rows: f"{name}: {', '.join(rows)}\n",
)


def test_import_says_table_and_doubts_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table can be appended to an overlay; it is called as the file unless told."""
    file = tmp_path / "codes.json"
    file.write_text('"A"')

    import_table(TABLES, file, "")
    import_table(TABLES, file, "other")

    said = capsys.readouterr()
    assert said.out == "codes: A\nother: A\n"
    assert said.err == f"{file} is read\n" * 2


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_file_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    """Or that is not there."""
    file = tmp_path / "codes.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(BridgeError, match=r"JSON|UTF-8|nest"):
        import_table(TABLES, file, "")
    with pytest.raises(BridgeError, match=r"cannot be read: No such file"):
        import_table(TABLES, tmp_path / "none.json", "")


def test_export_is_json_for_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    """Indented, letters as they are."""
    export_table(TABLES, "labx", "loinc")

    said = capsys.readouterr().out
    assert json.loads(said)["title"] == "labx loinc ä"
    assert "ä" in said
