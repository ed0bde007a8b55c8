"""The house's own laws, read from the source: sizes, SQL, floats, excepts, mirror."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.telemetry import ALLOWED

ROOT = Path(__file__).resolve().parents[2]
TOWERS = ("bridge", "adapters", "workers")
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
SQL_WORDS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")
VAGUE_NAMES = {"utils", "helpers", "common", "manager", "base", "misc"}


def _sources() -> list[Path]:
    return sorted(path for tower in TOWERS for path in (ROOT / tower).rglob("*.py"))


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield path, node


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_no_file_is_longer_than_a_reader_holds() -> None:
    """A file stops at 500 lines."""
    long = [
        path for path in _sources() if len(path.read_text("utf-8").splitlines()) > MAX_FILE_LINES
    ]

    assert long == []


def test_no_function_is_longer_than_a_page() -> None:
    """A function stops at 60 lines; a migration is a list of tables, generated."""
    long = [
        f"{_place(path, node)} {node.name}"
        for path, node in _nodes()
        if "migrations" not in path.parts
        and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    """No utils, helpers, common, manager, base or misc."""
    assert [path for path in _sources() if path.stem in VAGUE_NAMES] == []


def test_every_module_says_its_one_idea() -> None:
    """The first statement of a file is its docstring."""
    silent = [p for p in _sources() if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]

    assert silent == []


def test_nothing_catches_everything() -> None:
    """`except Exception` and a bare except hide defects."""
    broad = [
        _place(path, node)
        for path, node in _nodes()
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]

    assert broad == []


def test_sql_is_never_put_together_from_strings() -> None:
    """An f-string holds no SQL: values are bound, names are columns of the schema."""
    made = [
        _place(path, node)
        for path, node in _nodes()
        if isinstance(node, ast.JoinedStr)
        and any(
            isinstance(part, ast.Constant) and str(part.value).lstrip().startswith(SQL_WORDS)
            for part in node.values
        )
    ]

    assert made == []


def test_core_has_no_floats() -> None:
    """A float in core would round what is hashed or compared."""
    floats = [
        _place(path, node)
        for path, node in _nodes()
        if path.is_relative_to(ROOT / "bridge" / "core")
        and (
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Name) and node.id == "float")
        )
    ]

    assert floats == []


def test_tests_mirror_the_source() -> None:
    """A unit test stands where its module stands, so that a reader finds it."""
    unit = ROOT / "tests" / "unit"
    stray = [
        str(test.relative_to(ROOT))
        for test in sorted(unit.rglob("test_*.py"))
        if not _mirrored(test.relative_to(unit))
    ]

    assert stray == []


def _mirrored(test: Path) -> bool:
    stem = test.stem.removeprefix("test_")
    folder = ROOT / test.parent
    return (folder / f"{stem}.py").is_file() or (folder / stem / "__init__.py").is_file()


@pytest.mark.parametrize("tower", TOWERS)
def test_every_public_module_lists_its_names(tower: str) -> None:
    """`__all__` says what is public; packages without code are let off."""
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / tower).rglob("*.py"))
        if "migrations" not in path.parts
        and any(
            isinstance(n, ast.FunctionDef | ast.ClassDef) for n in ast.parse(path.read_text()).body
        )
        and "__all__" not in path.read_text("utf-8")
    ]

    assert silent == []


def test_what_is_logged_may_pass() -> None:
    """A key that the scrubber does not know would be dropped at each line, and nobody would see."""
    keys = {
        (keyword.arg, _place(path, node))
        for path, node in _nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"info", "warning", "error"}
        for keyword in node.keywords
    }

    assert keys
    assert [(key, place) for key, place in keys if key not in ALLOWED and key != "exc_info"] == []


def test_pages_of_decisions_have_one_number_each() -> None:
    """Two that were written side by side take the same one."""
    numbers = [page.name[:4] for page in (ROOT / "docs" / "adr").glob("*.md")]
    titles = [page.read_text("utf-8")[2:6] for page in (ROOT / "docs" / "adr").glob("*.md")]

    assert len(set(numbers)) == len(numbers)
    assert titles == numbers
