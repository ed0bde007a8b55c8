"""Who changes how a record meets what is stored is asked for the name of the rules."""

import ast
import hashlib
from pathlib import Path

from bridge.core.record.revision import RULES

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "bridge" / "core" / "record"
LOCK = Path(__file__).with_name("projection.lock")


def test_changed_rules_have_another_name() -> None:
    """Or somebody looked and said that no byte comes out otherwise (docs/adr/0012)."""
    assert LOCK.read_text("utf-8") == locked(), (
        "the rules of the projection were changed: if another byte can come out of the same record "
        "and state, raise RULES in bridge/core/record/revision.py (not before the first release); "
        "then run `.venv/bin/python -m tests.shape.test_rules`"
    )


def locked() -> str:
    """Name of the rules and digest of all that they are made of."""
    sources = b"".join(path.read_bytes() for path in sorted(_rules()))
    return f"{RULES} {hashlib.sha256(sources).hexdigest()}\n"


def _rules() -> set[Path]:
    """What `revise` reaches within `core.record`."""
    found: set[Path] = set()
    waiting = [RECORD / "revision.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> list[Path]:
    return [
        RECORD / f"{node.module.rsplit('.', 1)[1]}.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("bridge.core.record.")
        if node.module
    ]


if __name__ == "__main__":
    LOCK.write_text(locked(), "utf-8")
