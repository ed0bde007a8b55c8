"""Python source under construction: its lines, the names they use, and the key of a resource."""

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
    code.put(depth, "k = ()")
    for number, texts in enumerate(code.rules.key):
        inner = depth
        if number:
            code.put(inner, "if not k:")
            inner += 1
        lead, *rest = [_key_part(code, text, texts[0]) for text in texts]
        code.put(inner, f"i = {lead}")
        owners = [part for text, part in zip(texts[1:], rest, strict=True) if ":" in text]
        valued = "".join(f" and {part}[-1]" for part in owners)
        code.put(inner, f"if i[-1]{valued}: k = {' + '.join(('i', *rest))}")
    code.put(depth, "if not k: k = b.unkeyed(f)")


def _key_part(code: Code, text: str, leading: str) -> str:
    """A tuple: system and value of an identifier, or a text, which may only count when shared."""
    where, _, function = text.partition(":")
    at = parse_position(where.removesuffix("?"), code.rules.place)
    field = code.read(at)
    if where.endswith("?"):
        number = code.read(parse_position(leading.partition(":")[0], code.rules.place))
        return f"(b.apart({number}, {_component(field, at)}),)"
    if function:
        kind = datatype(function, code.rules.place)
        name = code.name("I", kind.function)
        known = f"identities.get(({name}, {field})) or b.identity({field}, {name})"
        return f"({known} if {field} else NO_KEY)"
    return f"({_component(field, at)},)" if at.component else f"({field},)"


def _component(field: str, at: Position) -> str:
    """A component as an expression; the first one without a call."""
    if at.component != 1 or at.subcomponent:
        return f"b.comp({field}, {at.component}, {at.subcomponent})"
    return f"{field}.split(rep, 1)[0].split(sep, 1)[0]"


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
