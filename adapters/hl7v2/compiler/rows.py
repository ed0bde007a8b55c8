"""Rows: mapping files to frozen values, each remembering its file and line."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from bridge.core.errors import BridgeError, Fault

__all__ = [
    "Position",
    "Row",
    "SegmentMap",
    "Target",
    "map_form",
    "map_of",
    "nearest",
    "parse_map",
    "refuse",
    "row_form",
    "row_of",
]

MAP_KEYS: Final = {
    "segment", "target", "instance", "into", "when", "under", "key", "merge", "seen", "order",
    "row",
}  # fmt: skip
ROW_KEYS: Final = {
    "id", "from", "to", "as", "table", "when", "fixed", "default", "ref", "on", "with", "url",
    "part", "first", "call", "why", "assumed",
}  # fmt: skip


_DEEP: Final = re.compile(r"(?:[\[{][^\[\]{}]{0,80}){65}")
"""That many brackets opened and none closed; the deepest constant of a row has six."""
MAX_NUMBER: Final = 127
"""Of fields and components; the longest segment of HL7 has 60."""
MAX_WHEN: Final = 500
"""Characters; the condition is read by recursion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """`PID-5` or `PID-5.1` or `PID-5.1.2`; component and subcomponent 0 mean the whole."""

    segment: str
    field: int
    component: int = 0
    subcomponent: int = 0

    @property
    def text(self) -> str:
        """As HL7 writes it."""
        more = f".{self.component}" if self.component else ""
        more += f".{self.subcomponent}" if self.subcomponent else ""
        return f"{self.segment}-{self.field}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One step of `to`: an element name and whether it is an array."""

    name: str
    kind: str
    """Empty for one value, `[]` to append, a digit for that element of the array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule: where from, where to, through what. The unit of test, lineage and error."""

    id: str
    place: str
    """File and line, for errors."""
    source: Position | None = None
    to: tuple[Target, ...] = ()
    function: str = ""
    table: str = ""
    when: str = ""
    fixed: Any = None
    default: Any = None
    ref: str = ""
    on: str = ""
    siblings: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    part: str = ""
    first: bool = False
    call: str = ""
    assumed: bool = False
    """The value is concluded, not stated: it never overwrites one that is stored."""
    why: str = ""

    @property
    def path(self) -> str:
        """The target as written in the file."""
        return path_text(self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMap:
    """What one segment does to one resource."""

    name: str
    """`PV1.Encounter`: the file's name."""
    place: str
    segment: str
    target: str
    instance: str
    """`new` makes a resource; `scope` fills the nearest one; `call` makes none."""
    into: tuple[Target, ...]
    when: str
    under: tuple[str, ...]
    """Only in groups that this segment opened; empty is everywhere."""
    key: tuple[tuple[str, ...], ...]
    merge: bool
    order: int
    """Among the maps of one segment the lower runs first; then by name."""
    seen: Mapping[str, str]
    """Positions read by nobody on purpose, each with the reason."""
    rows: tuple[Row, ...]

    @property
    def is_stored(self) -> bool:
        """Whether the rows fill a resource that may be stored already, and not a part of one."""
        return not self.into and self.target not in {"Bundle", "MessageHeader", "Provenance"}


def parse_map(name: str, text: str) -> SegmentMap:
    """One mapping file. Raises BridgeError naming file and line on any unknown or wrong key."""
    place = f"{name}.toml"
    data = load_toml(place, text)
    check_keys(data, MAP_KEYS, f"{place}, line 1")
    for needed in ("segment", "target"):
        if not isinstance(data.get(needed), str):
            raise refuse(
                "map-form",
                f"{needed} is missing",
                f"{place}, line 1",
                f'name the {needed}, such as {needed} = "PID"',
            )
    lines = [f"{place}, line {line}" for line in table_lines(text, "row")]
    return map_of(name, data, place, lines)


def map_of(name: str, data: Mapping[str, Any], place: str, row_places: Iterable[str]) -> SegmentMap:
    """A segment map from its values; the inverse of `map_form`."""
    return SegmentMap(
        name=name,
        place=place,
        segment=data["segment"],
        target=data["target"],
        instance=data.get("instance", "new"),
        into=parse_to(data.get("into", ""), f"{place}, line 1"),
        when=data.get("when", ""),
        under=tuple(data.get("under", ())),
        key=tuple(tuple(parts) for parts in data.get("key", ())),
        merge=data.get("merge", False),
        order=data.get("order", 1),
        seen=data.get("seen", {}),
        rows=tuple(
            row_of(row, where) for row, where in zip(data.get("row", ()), row_places, strict=True)
        ),
    )


def map_form(rules: SegmentMap) -> dict[str, Any]:
    """What the map says, as its file would: without places, reasons, and keys left out."""
    form: dict[str, Any] = {
        "segment": rules.segment, "target": rules.target, "instance": rules.instance,
        "into": path_text(rules.into), "when": rules.when, "under": rules.under, "key": rules.key,
        "merge": rules.merge, "order": rules.order,
        "row": [row_form(row) for row in rules.rows],
    }  # fmt: skip
    return {key: value for key, value in form.items() if value not in ("", ())}


def row_form(row: Row) -> dict[str, Any]:
    """What the row says, as its table would; the inverse of `row_of` but for place and reason."""
    texts = {
        "id": row.id, "from": row.source.text if row.source else "", "to": row.path,
        "as": row.function, "table": row.table, "when": row.when, "ref": row.ref, "on": row.on,
        "url": row.url, "part": row.part, "call": row.call,
    }  # fmt: skip
    form: dict[str, Any] = {key: value for key, value in texts.items() if value}
    form |= {key: True for key in ("first", "assumed") if getattr(row, key)}
    constants = {"fixed": row.fixed, "default": row.default, "with": dict(row.siblings) or None}
    return form | {key: value for key, value in constants.items() if value is not None}


def row_of(data: Mapping[str, Any], place: str) -> Row:
    """One `[[row]]` or `[[add]]` table."""
    check_keys(data, ROW_KEYS, place)
    source = data.get("from", "")
    if not data.get("to") and not data.get("call"):
        raise refuse("row-form", "a row has neither to nor call", place,
                     "name the element, such as Patient.name[]")  # fmt: skip
    if len(data.get("when", "")) > MAX_WHEN:
        raise refuse("when-form", f"when has over {MAX_WHEN} characters", place,
                     "write a datatype function instead")  # fmt: skip
    if "as" not in data and not {"fixed", "default", "ref", "call"} & data.keys():
        raise refuse(
            "row-form",
            "a row says no way to make its value",
            place,
            "give one of as, fixed, default, ref or call",
        )
    return Row(
        id=data.get("id") or source or data.get("to", ""),
        place=place,
        source=parse_position(source, place) if source else None,
        to=parse_to(data.get("to", ""), place),
        function=data.get("as", ""),
        table=data.get("table", ""),
        when=data.get("when", ""),
        fixed=data.get("fixed"),
        default=data.get("default"),
        ref=data.get("ref", ""),
        on=data.get("on", ""),
        siblings=data.get("with", {}),
        url=data.get("url", ""),
        part=data.get("part", ""),
        first=data.get("first", False),
        call=data.get("call", ""),
        assumed=data.get("assumed", False),
        why=data.get("why", ""),
    )


def parse_position(text: str, place: str) -> Position:
    """`PID-5.1.2` to its parts."""
    segment, dash, rest = text.partition("-")
    numbers = rest.split(".")
    good = len(segment) == 3 and segment.isalnum() and segment.isupper() and dash
    if not good or len(numbers) > 3 or not all(n.isascii() and n.isdigit() for n in numbers):
        raise refuse(
            "row-from",
            f"{text!r} is no HL7 position",
            place,
            "write it as PID-5, PID-5.1 or PID-5.1.2",
        )
    if any(len(n) > len(str(MAX_NUMBER)) or not 0 < int(n) <= MAX_NUMBER for n in numbers):
        raise refuse("row-from", f"{text!r} counts from 1 to {MAX_NUMBER}", place,
                     "name a position that a segment can have")  # fmt: skip
    field_, component, subcomponent = (*(int(n) for n in numbers), 0, 0)[:3]
    return Position(segment=segment, field=field_, component=component, subcomponent=subcomponent)


def parse_to(text: str, place: str) -> tuple[Target, ...]:
    """`participant[].individual` to its steps."""
    steps = []
    for part in text.split(".") if text else ():
        name, bracket, rest = part.partition("[")
        index = rest[:-1]
        if not name or (bracket and (not rest.endswith("]") or (index and not index.isdigit()))):
            raise refuse(
                "row-to",
                f"{text!r} is no element path",
                place,
                "write name, name[] or name[0] between dots",
            )
        steps.append(Target(name=name, kind=(index or "[]") if bracket else ""))
    return tuple(steps)


def path_text(path: Iterable[Target]) -> str:
    """The steps as a file writes them."""
    return ".".join(
        step.name + (step.kind if step.kind in {"", "[]"} else f"[{step.kind}]") for step in path
    )


def load_toml(place: str, text: str) -> dict[str, Any]:
    """Parse TOML; the parser's own message names the line."""
    if _DEEP.search(text):  # the parser recurses, and a process may have lifted Python's own bound
        raise refuse("map-toml", "the file nests too deeply", place, "write it flat")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refuse(
            "map-toml", f"the file is no TOML: {error}", place, "correct the syntax"
        ) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise refuse("map-toml", "a number has too many digits", place, "quote it") from error


def table_lines(text: str, name: str) -> list[int]:
    """Line numbers of each `[[name]]`, from 1: the TOML parser of the library keeps none."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if line.split("#", 1)[0].strip() == f"[[{name}]]"
    ]


def check_keys(data: Mapping[str, Any], known: set[str], place: str) -> None:
    """Refuse a key that nobody reads, naming the nearest right one."""
    for key in data:
        if key not in known:
            raise refuse("map-key", f"unknown key {key}", place, nearest(key, known))


def nearest(
    wrong: str, right: Mapping[str, Any] | set[str] | frozenset[str], *, otherwise: str = ""
) -> str:
    """`use X` with the nearest right name, or what is said otherwise, or the names there are."""
    close = get_close_matches(wrong, sorted(right), n=1, cutoff=0.5)
    return f"use {close[0] if close else otherwise or f'one of {_some(right)}'}"


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:12])


def refuse(code: str, what: str, where: str, do: str) -> BridgeError:
    """A refusal of a mapping; its fault is the operator's."""
    return BridgeError(code, Fault.OPERATOR, what=what, where=where, do=do)
