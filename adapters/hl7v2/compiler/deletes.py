"""Which items of a list a field speaks of, as the path of what its `""` deletes.

Several fields may fill one list (PID-13 and PID-14 both fill Patient.telecom). Each deletes what
bears its mark: the constants that its row puts beside the value, or the URL of its extension. A
field without a mark deletes what bears no other field's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.hl7v2.compiler.rows import Row, SegmentMap

__all__ = ["delete_path"]


def delete_path(rules: SegmentMap, row: Row) -> str:
    """Below the resource: `birthDate`, `telecom.where(use='work')`, `name.where(use !~ 'old')`."""
    names = [step.name for step in row.to]
    listed = next((at for at, step in enumerate(row.to) if step.kind), None)
    if listed is None:
        return ".".join(names)
    array = ".".join(names[: listed + 1])
    own = _marks(row)
    if own:
        return f"{array}.where({' and '.join(_equal(mark) for mark in own)})"
    others = {
        mark: None
        for other in rules.rows
        if other is not row and ".".join(s.name for s in other.to[: listed + 1]) == array
        for mark in _marks(other)[:1]
    }
    if not others:
        return ".".join(names)
    return f"{array}.where({' and '.join(_other(mark) for mark in others)})"


def _equal(mark: tuple[str, str]) -> str:
    return f"{mark[0]}='{mark[1]}'"


def _other(mark: tuple[str, str]) -> str:
    return f"{mark[0]} !~ '{mark[1]}'"


def _marks(row: Row) -> tuple[tuple[str, str], ...]:
    """Path and text of the constants that tell the row's items from those of other rows."""
    if row.url:
        return (("url", row.url),)
    return tuple(mark for mark in _texts("", row.siblings) if not set(mark[1]) & set("'\\"))


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Codes and plain texts; not a code's system and display nor a concept's text, said again."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list) and value:
        yield from _texts(path, value[0])
    elif isinstance(value, Mapping):
        main = next((name for name in ("code", "coding") if name in value), "")
        parts: Mapping[str, Any] = {main: value[main]} if main else value
        for name, part in parts.items():
            yield from _texts(f"{path}.{name}" if path else name, part)
