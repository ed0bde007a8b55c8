"""Where an element came from, what a field became, and which populated fields nobody read."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.hl7v2.build import Touch
from adapters.hl7v2.compiler.layers import base_maps
from adapters.hl7v2.compiler.rows import nearest, refuse, table_lines
from adapters.hl7v2.context import Context
from adapters.hl7v2.dialect import Converted, Hl7v2

__all__ = ["Lineage", "explain", "residue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One row that read one position for one element."""

    row: str
    """Row id and the file and line that hold it."""
    source: str
    """HL7 position, such as `OBX[3]-5.1`; only the segment where the row reads none."""
    target: str
    """Such as `Observation/abc.valueQuantity`."""


def explain(
    dialect: Hl7v2, raw: bytes, question: str, *, sender: str = "", charset: str = ""
) -> tuple[Lineage, ...]:
    """The rows behind an element (`Observation.status`) or a position (`OBX-11`, `OBX[2]-5`).

    Raises:
        BridgeError: as `Hl7v2.convert`; `explain-nothing` when no row touched what was asked.
    """
    made = dialect.converted(raw, sender=sender, charset=charset, tracing=True)
    places = {
        (row.on or rules.target, row.id): f"{row.id} ({row.place})"
        for rules in made.engine.maps
        for row in rules.rows
    }
    touches = made.build.trace or []
    if _is_position(question):
        found = [touch for touch in touches if _position(touch).startswith(question)
                 and _position(touch)[len(question) :][:1] in {"", ".", "-"}]  # fmt: skip
    else:
        found = [touch for touch in touches if _plain(touch[5]).startswith(question)]
    lines = tuple(
        Lineage(
            row=places.get((touch[5].partition("/")[0], touch[0]), touch[0]),
            source=_position(touch),
            target=touch[5],
        )
        for touch in found
        if touch[5]
    )
    if not lines:
        known = {_plain(touch[5]) for touch in touches} | {_position(touch) for touch in touches}
        raise refuse("explain-nothing", f"no row touched {question}", "message",
                     _dropped(question, made) or nearest(question, known - {""}))  # fmt: skip
    return lines


def _dropped(question: str, made: Converted) -> str:
    """Which overlay took the row of a position away, and why."""
    ids = {
        row.id
        for rules in base_maps()
        for row in rules.rows
        if row.source and row.source.text.partition(".")[0] == question.partition(".")[0]
    }
    for overlay in made.engine.profile.overlays:
        for line, change in zip(table_lines(overlay.text, "drop"), overlay.dropped, strict=True):
            if change.get("id") in ids:
                return f"{overlay.place}, line {line} drops it: {change.get('why', 'no reason')}"
    return ""


def residue(dialect: Hl7v2, raw: bytes, *, sender: str = "", charset: str = "") -> tuple[str, ...]:
    """Populated positions that no row read, in the order of the message; components where known."""
    made = dialect.converted(raw, sender=sender, charset=charset, tracing=True)
    read: dict[tuple[str, int, int], set[int] | None] = {}
    for _, segment, occurrence, field, components, _target in made.build.trace or []:
        key = (segment, occurrence, field)
        held = read.get(key, set())
        read[key] = None if held is None or not components else held | set(components)
    return tuple(_unread(made, read))


def _unread(made: Converted, read: dict[tuple[str, int, int], set[int] | None]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for fields in made.lines:
        name = fields[0]
        count = counts[name] = counts.get(name, 0) + 1
        shown = f"{name}[{count}]" if count > 1 else name
        for number, text in enumerate(fields[1:], 1):
            if not text:
                continue
            known = read.get((name, count, number), set())
            if known is None:
                continue
            filled = _populated(text, made.build.ctx)
            if not known and filled:
                yield f"{shown}-{number}"
                continue
            for component in filled - known:
                yield f"{shown}-{number}.{component}"


def _populated(text: str, ctx: Context) -> set[int]:
    """Numbers of the components that any repetition fills."""
    return {
        number
        for one in text.split(ctx.repetition)
        for number, part in enumerate(one.split(ctx.component), 1)
        if part.strip(ctx.subcomponent)
    }


def _is_position(question: str) -> bool:
    name = question.split("-", 1)[0].split("[", 1)[0]
    return len(name) == 3 and name.isupper() and name.isalnum()


def _position(touch: Touch) -> str:
    _, segment, occurrence, field, components, _target = touch
    shown = f"{segment}[{occurrence}]" if occurrence > 1 else segment
    if not field:
        return shown
    return f"{shown}-{field}.{components[0]}" if len(components) == 1 else f"{shown}-{field}"


def _plain(target: str) -> str:
    """`Observation/abc.status` as `Observation.status`."""
    kind, slash, rest = target.partition("/")
    return f"{kind}.{rest.partition('.')[2]}" if slash else kind
