"""Python source under construction: its lines, the names they use, and the key of a resource."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.hl7v2.compiler.rows import Position, Row, SegmentMap, nearest, parse_position, refuse
from adapters.hl7v2.datatypes import DATATYPES, Datatype

__all__ = ["Code", "datatype", "key", "slot_of", "widen"]

_SLOTS: Final[dict[tuple[str, str], int]] = {}
"""Of the process: functions of one name with one table are one function."""


@dataclass(slots=True)
class Code:
    """Lines under construction and the names that they use."""

    rules: SegmentMap
    tracing: bool
    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    width: int = 1
    foreign: set[str] = field(default_factory=set)

    def read(self, at: Position) -> str:
        """The field as an expression; segments besides the map's own are fetched once."""
        self.width = max(self.width, at.field)
        if at.segment == self.rules.segment:
            return f"f[{at.field}]"
        self.foreign.add(at.segment)
        return f"s_{at.segment}[{at.field}]"

    def put(self, depth: int, text: str, row: Row | None = None) -> None:
        """One more line; with a row, its id and place stand behind."""
        note = f"  # {row.id} ({row.place})" if row else ""
        self.lines.append("    " * depth + text + note)

    def name(self, prefix: str, value: object) -> str:
        """A global name for a value, the same name for the same value."""
        for known, held in self.names.items():
            if held is value:
                return known
        made = f"{prefix}{len(self.names)}"
        self.names[made] = value
        return made


def key(code: Code, depth: int) -> None:
    """The first alternative whose leading part is valued: `PID-3:CX.Identifier`, `OBR-4.1`.

    An identifier among its other parts must be valued too: without the patient, a time of admission
    is that of anybody.
    """
    asked = "if"
    for texts in code.rules.key:
        tests, parts = _alternative(code, texts)
        code.put(depth, f"{asked} {' and '.join(tests)}: k = ({', '.join(parts)},)")
        asked = "elif"
    if code.rules.key:
        code.put(depth, "else: k = b.unkeyed(f)")
    else:
        code.put(depth, "k = b.unkeyed(f)")


def _alternative(code: Code, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """What must be valued, and the parts of the key: `i0` is the first part, once it is made."""
    tests: list[str] = []
    parts: list[str] = []
    for number, text in enumerate(texts):
        where, _, function = text.partition(":")
        at = parse_position(where.removesuffix("?"), code.rules.place)
        field = code.read(at)
        if function:
            name = code.name("I", datatype(function, code.rules.place).function)
            made = f"identities.get(({name}, {field})) or b.identity({field}, {name})"
            tests += [field, f"(i{number} := {made})[-1]"]
            parts.append(f"*i{number}")
            continue
        value = _component(field, at) if at.component else field
        if where.endswith("?"):  # it only counts where the number is shared
            leading = parse_position(texts[0].partition(":")[0], code.rules.place)
            value = f"b.apart({code.read(leading)}, {value})"
        if number == 0:
            tests.append(f"(i0 := {value})")
        parts.append(value if number else "i0")
    return tests, parts


def _component(field: str, at: Position) -> str:
    """A component as an expression; the first one without a call."""
    if at.component != 1 or at.subcomponent:
        return f"b.comp({field}, {at.component}, {at.subcomponent})"
    return f"{field}.partition(rep)[0].partition(sep)[0]"


def datatype(name: str, place: str) -> Datatype:
    """The registered function, or a refusal with the nearest name."""
    found = DATATYPES.get(name)
    if found is None:
        raise refuse("row-as", f"there is no datatype function {name}", place,
                     nearest(name, set(DATATYPES)))  # fmt: skip
    return found


def slot_of(name: str, table: str) -> int:
    """A number for a function with its table: what remembered values are kept under."""
    return _SLOTS.setdefault((name, table), len(_SLOTS))


def widen(code: Code, condition: str) -> None:
    """Conditions index fields too."""
    for word in condition.replace("(", " ").replace(")", " ").split():
        if word[3:4] == "-" and word[:3].isupper():
            code.read(parse_position(word, code.rules.place))
