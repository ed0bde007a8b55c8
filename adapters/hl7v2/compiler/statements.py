"""The statements of one row, over `f` (fields), `g` (group), `b` (build), `r`, `e`.

`r` is the resource that the map fills and `e` the element of it, the same where it fills no part.
"""

from collections.abc import Mapping

from adapters.hl7v2.compiler.alike import RESOURCES, others
from adapters.hl7v2.compiler.code import Code, datatype, widen
from adapters.hl7v2.compiler.conditions import python_of
from adapters.hl7v2.compiler.conversion import conversion, wrapped
from adapters.hl7v2.compiler.deletes import delete_path
from adapters.hl7v2.compiler.rows import Position, Row, nearest, parse_position, refuse
from adapters.hl7v2.compiler.storing import store, touch, touch_constant, touch_row
from adapters.hl7v2.datatypes import Datatype
from adapters.hl7v2.rules import RULES
from adapters.hl7v2.tables import CodeTable
from bridge.core.record.statements import says_nothing

__all__ = ["statements"]


def statements(code: Code, row: Row, code_tables: Mapping[str, CodeTable]) -> None:
    """All statements of one row."""
    source = row.source
    depth = 1
    if source is not None:
        code.put(1, f"if {code.read(source)}:", row)
        depth = 2
        code.put(2, f"v = {code.read(source)}")
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
    store(code, 2, "e", row.to, repr(row.default), {})
    touch_constant(code, 2, row)
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
        store(code, depth + 1, base, row.to, f"near[{row.ref!r}][1]", row.siblings)
        touch_row(code, depth + 1, row, frozenset())
    elif row.function:
        _convert(code, depth, row, base, code_tables)
    elif row.fixed is not None:
        if row.source:
            code.put(depth, "if v != '\"\"':", row)
            depth += 1
        store(code, depth, base, row.to, repr(row.fixed), row.siblings)
        touch_row(code, depth, row, frozenset())
    elif depth > 1:
        code.put(depth, "pass")


def _calling(code: Code, depth: int, row: Row) -> None:
    """A rule over the whole segment."""
    if row.call not in RULES:
        raise refuse("row-call", f"there is no rule {row.call}", row.place,
                     nearest(row.call, set(RULES)))  # fmt: skip
    rule = RULES[row.call]
    code.put(depth, f"{code.name('R', rule.function)}(f, g, b, e)", row)
    for text in rule.reads:
        where = parse_position(text, row.place)
        code.width = max(code.width, where.field)
        touch(code, depth, row, where, frozenset(), rule.writes)


def _convert(
    code: Code, depth: int, row: Row, base: str, code_tables: Mapping[str, CodeTable]
) -> None:
    """Through a datatype function; `""` deletes, as the whole field or as a part of it."""
    kind = datatype(row.function, row.place)
    if row.source is None:
        raise refuse("row-form", "a row with as has no from", row.place, "name the position")
    code.put(depth, "if nulls and v == '\"\"':", row)
    if row.on or not code.rules.is_stored:
        code.put(depth + 1, "pass")
    else:
        code.put(depth + 1, f"b.erase(r, {delete_path(code.rules, row)!r})")
        touch_row(code, depth + 1, row, kind.reads)
    code.put(depth, "else:")
    depth += 1
    if not code.rules.is_stored or row.on or code.rules.into:
        _texts(code, depth, row, base, code_tables)
        return
    name = row.to[0].name
    code.put(depth, f"if nulls: z = held(e, {name!r})")
    _texts(code, depth, row, base, code_tables)
    paths = (delete_path(code.rules, row), name if len(row.to) == 1 else "")
    code.put(depth, "if nulls and '\"\"' in v:")
    code.put(depth + 1, f"nulled(b, r, {paths!r}, v, more=held(e, {name!r}) > z)")
    touch_row(code, depth + 1, row, kind.reads)


def _texts(
    code: Code, depth: int, row: Row, base: str, code_tables: Mapping[str, CodeTable]
) -> None:
    """Each repetition of the field where the target repeats, else the first, as a value."""
    kind = datatype(row.function, row.place)
    if any(step.kind == "[]" for step in row.to) and not row.first:
        code.put(depth, "for s in v.split(rep):")
        depth += 1
    else:
        code.put(depth, "s = b.first(v) if rep in v else v")
    source = row.source
    if source and source.component:
        code.put(depth, f"s = b.comp(s, {source.component}, {source.subcomponent})")
    code.put(depth, f"x = {conversion(code, row, kind, code_tables)} if s else None", row)
    code.put(depth, "if x is not None:")
    _made(code, depth + 1, row, base, kind)


def _made(code: Code, depth: int, row: Row, base: str, kind: Datatype) -> None:
    """What the function gave, put in its place: one value, or several of one text."""
    if kind.gives.endswith("[]") and kind.gives[:-2] not in RESOURCES:
        code.put(depth, "for x in x:")
        depth += 1
    value = wrapped(row, kind)
    if value != "x":
        code.put(depth, f"x = {value}")
    store(code, depth, base, row.to, "x", row.siblings)
    touch_row(code, depth, row, kind.reads)
