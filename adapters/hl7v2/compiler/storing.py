"""Statements that put a value where its row says, and note it in the trace."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.hl7v2.compiler.code import Code
from adapters.hl7v2.compiler.rows import Position, Row, Target

__all__ = ["components_of", "store", "touch", "touch_row"]


def store(
    code: Code,
    depth: int,
    base: str,
    path: Sequence[Target],
    value: str,
    siblings: Mapping[str, Any],
) -> None:
    """Put the value at the path, making objects and array elements on the way."""
    at = base
    fresh = False
    for number, step in enumerate(path[:-1]):
        made = f"p{number}"
        if step.kind == "":
            # A copy: the object may be a remembered value, which is never altered.
            copy = f"{{**({at}.get({step.name!r}) or EMPTY_OBJECT)}}"
            code.put(depth, f"{made} = {at}[{step.name!r}] = {copy}")
        elif step.kind == "[]":
            code.put(depth, f"{made} = {dict(siblings)!r}")
            _append(code, depth, at, step.name, made)
            fresh = True
        else:
            code.put(depth, f"{made} = element({at}, {step.name!r}, {step.kind})")
        at = made
    last = path[-1]
    if siblings and not fresh:
        code.put(depth, f"x = {{**{value}}}")
        value = "x"
        for key, held in siblings.items():
            code.put(depth, f"if {key!r} not in x: x[{key!r}] = {held!r}")
    if last.kind == "":
        code.put(depth, f"{at}[{last.name!r}] = {value}")
    elif last.kind == "[]":
        _append(code, depth, at, last.name, value)
    else:
        code.put(depth, f"element({at}, {last.name!r}, {last.kind}).update({value})")


def _append(code: Code, depth: int, target: str, name: str, value: str) -> None:
    """To the array of that name, made when absent."""
    code.put(depth, f"if {name!r} in {target}: {target}[{name!r}].append({value})")
    code.put(depth, f"else: {target}[{name!r}] = [{value}]")


def touch_row(code: Code, depth: int, row: Row, reads: frozenset[int]) -> None:
    """In the trace build: this row read its position for its target."""
    if row.source is not None:
        touch(code, depth, row, row.source, reads, row.path)
    else:
        touch_constant(code, depth, row)


def touch_constant(code: Code, depth: int, row: Row) -> None:
    """In the trace build: the row said this of the segment itself, and read no position for it."""
    if code.tracing:
        target = f"b.target({'o' if row.on else 'r'}, {_full(code, row.path)!r})"
        code.put(depth, f"b.touch({row.id!r}, f, {code.rules.segment!r}, 0, (), {target})")


def touch(code: Code, depth: int, row: Row, at: Position, reads: frozenset[int], path: str) -> None:
    """In the trace build: this row read this position for that element."""
    if not code.tracing:
        return
    components = components_of(at) or tuple(sorted(reads))
    known = f"s_{at.segment}" if at.segment in code.foreign else "1"
    holder = "f" if at.segment == code.rules.segment else known
    base = "o" if row.on else "r"
    code.put(depth, f"b.touch({row.id!r}, {holder}, {at.segment!r}, {at.field}, "
                    f"{components!r}, b.target({base}, {_full(code, path)!r}))")  # fmt: skip


def _full(code: Code, path: str) -> str:
    """The path below the resource, with the element that the map makes."""
    into = ".".join(step.name for step in code.rules.into)
    plain = ".".join(part.split("[")[0] for part in path.split("."))
    return f"{into}.{plain}" if into else plain


def components_of(at: Position) -> tuple[int, ...]:
    """The component that a position names; none is the whole field."""
    return (at.component,) if at.component else ()
