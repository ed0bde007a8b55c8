"""Who changes what a name stands for is asked for the name: projection rules, index rules."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.core.record import revision
from bridge.core.search import index

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "bridge" / "core"
HERE = Path(__file__).parent
LOCKS = {
    "projection": (revision.RULES, CORE / "record" / "revision.py", "bridge.core.record."),
    "index": (index.RULES, CORE / "search" / "index.py", "bridge.core.search."),
}
"""Name of the rules, where they begin, and the room whose modules they are made of."""


@pytest.mark.parametrize("lock", LOCKS)
def test_changed_rules_have_another_name(lock: str) -> None:
    """Or somebody looked and said that nothing comes out otherwise (docs/adr/0012)."""
    _, begin, _ = LOCKS[lock]
    assert _file(lock).read_text("utf-8") == locked(lock), (
        f"the rules of the {lock} were changed: if something else can come out of the same input, "
        f"raise RULES in {begin.relative_to(ROOT)} (not before the first release); "
        "then run `.venv/bin/python -m tests.shape.test_rules`"
    )


def locked(lock: str) -> str:
    """Name of the rules and digest of all that they are made of."""
    name, begin, room = LOCKS[lock]
    parts = _reached(begin, room) | set(begin.parent.glob("*.json"))
    sources = b"".join(path.read_bytes() for path in sorted(parts))
    return f"{name} {hashlib.sha256(sources).hexdigest()}\n"


def _file(lock: str) -> Path:
    return HERE / f"{lock}.lock"


def _reached(begin: Path, room: str) -> set[Path]:
    """What the first module reaches within its room."""
    found: set[Path] = set()
    waiting = [begin]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path, room)
    return found


def _imported(path: Path, room: str) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if module.startswith(room):
            yield path.with_name(f"{module.removeprefix(room)}.py")


if __name__ == "__main__":
    for name in LOCKS:
        _file(name).write_text(locked(name), "utf-8")
