"""Code generation: one plain Python function a segment map, without closures or regexes.

Each function is `(f, g, b)`: fields (padded), group, build. Two builds come of the same rows: fast,
and trace, which also notes which row read which position.
"""

import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from adapters.hl7v2 import tables
from adapters.hl7v2.build import NO_FIELDS, Build, element
from adapters.hl7v2.compiler.alike import RESOURCES, others, positions, runs
from adapters.hl7v2.compiler.code import Code, datatype, key, slot_of, widen
from adapters.hl7v2.compiler.conditions import python_of
from adapters.hl7v2.compiler.deletes import delete_path
from adapters.hl7v2.compiler.rows import (
    Position,
    Row,
    SegmentMap,
    Target,
    nearest,
    parse_position,
    refuse,
)
from adapters.hl7v2.datatypes import DATATYPES, Datatype
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.nulls import held, nulled
from adapters.hl7v2.rules import RULES
from adapters.hl7v2.tables import CodeTable
from bridge.core.record.statements import says_nothing

__all__ = ["Apply", "Emitted", "emit"]

Apply: TypeAlias = Callable[[list[str], Group, Build], None]
_ONCE: Final = frozenset({
    "ST", "TX", "FT", "NM", "SI", "ED", "RP", "DR", "XPN", "PN", "XAD", "AD", "XTN", "TN",
})  # fmt: skip
"""Datatypes whose texts are cheap, long or of one patient: not remembered."""
_WITHIN: Final = frozenset({"TS", "DTM", "DT", "CX", "EI"})
"""Datatypes whose texts come again in one message, and hardly in another."""
_LOCALS: Final = {
    "ctx": "b.ctx",
    "rep": "b.ctx.repetition",
    "sep": "b.ctx.component",
    "near": "g.nearest",
    "shelf": "b.shelf",
    "values": "b.values",
    "identities": "b.identities",
}
"""What a generated function looks up once, where it uses it."""
_AT_HAND: Final = ("ctx", "rep", "sep", "shelf", "values", "identities")
"""`Build.at_hand`: taken at once where a function uses several of them."""
_LOOKED_UP: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[#].*|(?<![.\w])("""
    + "|".join([*_LOCALS, "s_[A-Z][A-Z0-9]{2}"])
    + r")(?!\w)"
)
"""Those names, and those of other segments, outside of texts and comments."""
NOWHERE: Final[Mapping[str, frozenset[str]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """One generated function."""

    segment: str
    source: str
    """Python, for whoever wants to read what runs."""
    apply: Apply
    width: int
    """Fields that it indexes: shorter segments are padded to this."""
    foreign: frozenset[str]
    """Other segments that it looks up."""


def emit(
    rules: SegmentMap,
    code_tables: Mapping[str, CodeTable],
    elsewhere: Mapping[str, frozenset[str]] = NOWHERE,
    *,
    tracing: bool,
) -> Emitted:
    """The function of one segment map.

    Args:
        rules: checked rows.
        code_tables: the sender's own tables by name, before the shipped ones.
        elsewhere: elements that other maps fill, by resource type.
        tracing: also write the trace.

    Raises:
        BridgeError: `row-as`, `row-table`, `row-call` or `when-form`, naming file and line.
    """
    code = Code(rules=rules, tracing=tracing)
    code.names |= {
        "EMPTY": ("", '""'),
        "EMPTY_OBJECT": {},
        "NO_FIELDS": NO_FIELDS,
        "NO_KEY": ("", ""),
        "element": element,
        "held": held,
        "nulled": nulled,
    }
    function = f"{rules.segment}_{rules.target}".replace(".", "_")
    code.put(0, f"def {function}(f, g, b):")
    _condition(code)
    head = len(code.lines)
    _opening(code)
    parts: list[str] = []
    for together, rows in runs(rules, elsewhere):
        if together and not tracing:
            parts += _run(code, rows, f"{function}_{rows[0].id}", code_tables)
            continue
        for row in rows:
            _row(code, row, code_tables)
    if rules.into:
        code.put(1, "if e:")
        _store(code, 2, "r", rules.into, "e", {})
    code.lines[head:head] = _hoisted(code.lines[head:], code.lines[1:head])
    source = "\n".join([*parts, *code.lines]) + "\n"
    filename = f"<{rules.name} {'trace' if tracing else 'fast'}>"
    scope = dict(code.names)
    exec(compile(source, filename, "exec"), scope)  # noqa: S102 - our own text, from checked rows
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return Emitted(
        segment=rules.segment,
        source=source,
        apply=scope[function],
        width=code.width + 1,
        foreign=frozenset(code.foreign),
    )


def _run(
    code: Code, rows: Sequence[Row], title: str, code_tables: Mapping[str, CodeTable]
) -> list[str]:
    """Rows that are remembered together: a function of their own, called for texts not seen."""
    name = "".join(letter if letter.isalnum() else "_" for letter in title)
    inner = replace(code, lines=[])
    inner.put(0, f"def {name}(f, b, r):")
    inner.put(1, "e = {}")
    for row in rows:
        _row(inner, row, code_tables)
    inner.put(1, "return e")
    inner.lines[1:1] = _hoisted(inner.lines[1:], ())
    code.width = inner.width
    fields = positions(rows)
    own = {table: id(code_tables[table]) for row in rows if (table := row.table) in code_tables}
    slot = slot_of(f"{code.rules.name} {' '.join(row.id for row in rows)}", repr(own))
    code.put(1, f"k = ({slot}, {', '.join(f'f[{field}]' for field in fields)})")
    code.put(1, f"m = shelf.get(k) or b.alike(k, {name}, f, r)")
    code.put(1, "if m[1]: b.renote(m[1])")
    code.put(1, "e.update(m[0])")
    return inner.lines


def _condition(code: Code) -> None:
    """Where the map applies: asked before anything else is looked up."""
    rules = code.rules
    if rules.under:
        code.put(1, f"if g.lead not in {tuple(rules.under)!r}: return")
    if rules.when:
        widen(code, rules.when)
        test = f"if not {python_of(rules.when, rules.segment, rules.place)}: return"
        code.lines += [*_hoisted([test], ()), f"    {test}"]


def _hoisted(body: Sequence[str], before: Sequence[str]) -> list[str]:
    """Assignments of what the body looks up often and the lines before it do not assign."""
    assigned = {line.split()[0] for line in before}
    used = {name for line in body for name in _LOOKED_UP.findall(line)} - assigned - {""}
    if len(used & {*_AT_HAND}) > 2:
        found = [f"{', '.join(_AT_HAND)} = b.at_hand"]
        used -= {*_AT_HAND}
    else:
        found = []
    found += [f"{name} = {value}" for name, value in _LOCALS.items() if name in used]
    found += [
        f"{name} = g.around.get({name[2:]!r}, NO_FIELDS)" for name in sorted(used - {*_LOCALS})
    ]
    return [f"    {line}" for line in found]


def _opening(code: Code) -> None:
    """The resource that the map fills."""
    rules = code.rules
    if code.tracing:
        for seen in rules.seen:
            where = parse_position(seen, rules.place)
            code.put(1, f"b.touch('seen', ctx.occurrence, {where.segment!r}, {where.field}, "
                        f"{_components(where)!r}, '')")  # fmt: skip
    make = f"b.opened(g, {rules.target!r}, k, {rules.merge})"
    if rules.instance == "new":
        key(code, 1)
        code.put(1, f"r = {make}")
    elif rules.instance == "scope":
        code.put(1, f"r = g.resources.get({rules.target!r})")
        code.put(1, "if r is None:")
        key(code, 2)
        code.put(2, f"r = {make}")
    elif rules.instance == "near":
        code.put(1, f"n = near.get({rules.target!r})")
        code.put(1, "if n is None: return")
        code.put(1, "r = n[0]")
    else:
        raise refuse("map-instance", f"unknown instance {rules.instance}", rules.place,
                     nearest(rules.instance, {"new", "scope", "near"}))  # fmt: skip
    code.put(1, "e = {}" if rules.into else "e = r")


def _row(code: Code, row: Row, code_tables: Mapping[str, CodeTable]) -> None:
    """All statements of one row."""
    source = row.source
    depth = 1
    if source is not None:
        code.put(1, f"v = {code.read(source)}", row)
        code.put(1, "if v:")
        depth = 2
        code.put(2, f"ctx.at = {Position(segment=source.segment, field=source.field).text!r}")
    if row.when:
        widen(code, row.when)
        code.put(depth, f"if {python_of(row.when, code.rules.segment, row.place)}:", row)
        depth += 1
    base = "e"
    rivals = others(row)
    if rivals:
        code.put(depth, f"if not e.keys() & {set(rivals)!r}:" if len(rivals) > 4 else
                 "if " + " and ".join(f"{name!r} not in e" for name in rivals) + ":")  # fmt: skip
        depth += 1
    if row.on:
        code.put(depth, f"if {row.on!r} in near:", row)
        depth, base = depth + 1, "o"
        code.put(depth, f"o = near[{row.on!r}][0]")
    if row.assumed:
        _assumed(code, depth, row, base, code_tables)
    else:
        _value(code, depth, row, base, code_tables)
    if row.default is not None:
        _default(code, row, rivals)


def _assumed(
    code: Code, depth: int, row: Row, base: str, code_tables: Mapping[str, CodeTable]
) -> None:
    """A conclusion stands where no row above it stated the element."""
    name = repr(row.to[0].name)
    code.put(depth, f"if {name} not in e:", row)
    _value(code, depth + 1, row, base, code_tables)
    code.put(depth + 1, f"if {name} in e: b.assume(e, {name})")


def _default(code: Code, row: Row, rivals: tuple[str, ...]) -> None:
    """The constant of an element that is still absent."""
    name = row.to[0].name
    test = " and ".join(f"{one!r} not in e" for one in (name, *rivals))
    always = row.ref and not (row.when or row.on or rivals or row.assumed or code.tracing)
    code.put(1, "else:" if always and len(row.to) == 1 else f"if {test}:", row)
    _store(code, 2, "e", row.to, repr(row.default), {})
    if code.rules.is_stored and not says_nothing(name, row.default):
        code.put(2, f"b.assume(e, {name!r})")


def _value(
    code: Code, depth: int, row: Row, base: str, code_tables: Mapping[str, CodeTable]
) -> None:
    """How the row's value is made, and where it goes."""
    if row.call:
        _calling(code, depth, row)
    elif row.ref:
        code.put(depth, f"if {row.ref!r} in near:", row)
        _store(code, depth + 1, base, row.to, f"near[{row.ref!r}][1]", row.siblings)
        _touch_row(code, depth + 1, row, frozenset())
    elif row.function:
        _convert(code, depth, row, base, code_tables)
    elif row.fixed is not None:
        code.put(depth, "if v != '\"\"':" if row.source else "if True:", row)
        _store(code, depth + 1, base, row.to, repr(row.fixed), row.siblings)
        _touch_row(code, depth + 1, row, frozenset())
    elif depth > 1:
        code.put(depth, "pass")


def _calling(code: Code, depth: int, row: Row) -> None:
    """A rule over the whole segment."""
    if row.call not in RULES:
        raise refuse("row-call", f"there is no rule {row.call}", row.place,
                     nearest(row.call, set(RULES)))  # fmt: skip
    rule = RULES[row.call]
    code.put(depth, f"{code.name('R', rule.function)}(f, g, b, r)", row)
    for text in rule.reads:
        where = parse_position(text, row.place)
        code.width = max(code.width, where.field)
        _touch(code, depth, row, where, frozenset(), rule.writes)


def _convert(
    code: Code, depth: int, row: Row, base: str, code_tables: Mapping[str, CodeTable]
) -> None:
    """Through a datatype function, once a repetition where the target repeats."""
    kind = datatype(row.function, row.place)
    source = row.source
    if source is None:
        raise refuse("row-form", "a row with as has no from", row.place, "name the position")
    code.put(depth, "if v == '\"\"':", row)
    if row.on or not code.rules.is_stored:
        code.put(depth + 1, "pass")
    else:
        code.put(depth + 1, f"b.erase(r, {delete_path(code.rules, row)!r})")
        _touch_row(code, depth + 1, row, kind.reads)
    code.put(depth, "else:")
    depth += 1
    name, around = row.to[0].name, depth
    in_part = code.rules.is_stored and not row.on and not code.rules.into
    if in_part:
        code.put(depth, f"z = held(e, {name!r}) if b.nulls and '\"\"' in v else None")
    if any(step.kind == "[]" for step in row.to) and not row.first:
        code.put(depth, "for s in (v.split(rep) if rep in v else (v,)):")
        code.put(depth + 1, "if not s: continue")
        depth += 1
    else:
        code.put(depth, "s = b.first(v) if rep in v else v")
    if source.component:
        code.put(depth, f"s = b.comp(s, {source.component}, {source.subcomponent})")
    if kind.gives.removesuffix("[]") in RESOURCES:
        shown = next(
            (
                DATATYPES[name].function
                for name in _display_names(row.function)
                if name in DATATYPES
            ),
            None,
        )
        display = code.name("D", shown) if shown else "None"
        function = code.name(row.function.replace(".", "_"), kind.function)
        slot = slot_of(kind.name, display)
        code.put(
            depth,
            f"x = b.refer({slot}, {kind.gives.removesuffix('[]')!r}, {function}, s, {display}) "
            "if s else None",
            row,
        )
    else:
        code.put(depth, f"x = {_call(code, row, kind, code_tables)} if s else None", row)
    code.put(depth, "if x is not None:")
    _made(code, depth + 1, row, base, kind)
    if in_part:
        paths = (delete_path(code.rules, row), name if len(row.to) == 1 else "")
        code.put(around, "if z is not None:")
        code.put(around + 1, f"nulled(b, r, {paths!r}, v, more=held(e, {name!r}) > z)")
        _touch_row(code, around + 1, row, kind.reads)


def _made(code: Code, depth: int, row: Row, base: str, kind: Datatype) -> None:
    """What the function gave, put in its place: one value, or several of one text."""
    if kind.gives.endswith("[]") and kind.gives[:-2] not in RESOURCES:
        code.put(depth, "for x in x:")
        depth += 1
    value = _wrapped(row, kind)
    if value != "x":
        code.put(depth, f"x = {value}")
    _store(code, depth, base, row.to, "x", row.siblings)
    _touch_row(code, depth, row, kind.reads)


def _display_names(function: str) -> tuple[str, ...]:
    """Functions that show the same datatype as words."""
    source = function.split(".", 1)[0]
    return (f"{source}.display", f"{source}.string")


def _call(code: Code, row: Row, kind: Datatype, code_tables: Mapping[str, CodeTable]) -> str:
    """The call of the datatype function."""
    name = code.name(row.function.replace(".", "_").replace(":", "_"), kind.function)
    source = kind.name.split(".", 1)[0]
    if not kind.coded:
        if row.table:
            raise refuse("row-table", f"{row.function} takes no table", row.place,
                         "remove table, or use a coded function")  # fmt: skip
        if source in _WITHIN:
            return f"(values.get(({name}, s)) or b.within({name}, s))"
        if source in _ONCE:
            return f"{name}(s, ctx)"
        return _recalled(slot_of(kind.name, ""), f"{name}, s")
    if not row.table:
        return _recalled(slot_of(kind.name, ""), f"{name}, s, None")
    table = code_tables.get(row.table)
    if table is None:
        if row.table not in tables.names():
            raise refuse("row-table", f"there is no table {row.table}", row.place,
                         nearest(row.table, {*tables.names(), *code_tables}))  # fmt: skip
        table = tables.load(row.table)
    slot = slot_of(kind.name, row.table if row.table not in code_tables else f"{id(table)}")
    return _recalled(slot, f"{name}, s, {code.name('T', table)}")


def _recalled(slot: int, arguments: str) -> str:
    """A value that was made of this text before, unless a finding belongs to it."""
    known = f"(m := shelf.get(({slot}, s))) and not m[1]"
    return f"(m[0] if {known} else b.cached({slot}, {arguments}))"


def _wrapped(row: Row, kind: Datatype) -> str:
    """The value inside its extension, where the row names one."""
    if not row.url:
        return "x"
    gives = kind.gives.removesuffix("[]")
    value = f"value{gives[0].upper()}{gives[1:]}" if gives not in RESOURCES else "valueReference"
    if row.part:
        inner = f"[{{'url': {row.part!r}, {value!r}: x}}]"
        return f"{{'url': {row.url!r}, 'extension': {inner}}}"
    return f"{{'url': {row.url!r}, {value!r}: x}}"


def _store(
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


def _touch_row(code: Code, depth: int, row: Row, reads: frozenset[int]) -> None:
    """In the trace build: this row read its position for its target."""
    if row.source is not None:
        _touch(code, depth, row, row.source, reads, row.path)
    elif code.tracing:
        target = f"b.target({'o' if row.on else 'r'}, {_full(code, row.path)!r})"
        code.put(depth, f"b.touch({row.id!r}, f, {code.rules.segment!r}, 0, (), {target})")


def _touch(
    code: Code, depth: int, row: Row, at: Position, reads: frozenset[int], path: str
) -> None:
    if not code.tracing:
        return
    components = (at.component,) if at.component else tuple(sorted(reads))
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


def _components(at: Position) -> tuple[int, ...]:
    return (at.component,) if at.component else ()
