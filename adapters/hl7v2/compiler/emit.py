"""Code generation: one plain Python function a segment map, without closures or regexes.

Each function is `(f, g, b)`: fields (padded), group, build. Two builds come of the same rows: fast,
and trace, which also notes which row read which position.
"""

import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final, TypeAlias

from adapters.hl7v2.build import Build
from adapters.hl7v2.compiler.alike import positions, runs
from adapters.hl7v2.compiler.code import Code, key, slot_of, widen
from adapters.hl7v2.compiler.conditions import python_of
from adapters.hl7v2.compiler.rows import Row, SegmentMap, nearest, parse_position, refuse
from adapters.hl7v2.compiler.statements import statements
from adapters.hl7v2.compiler.storing import components_of, store
from adapters.hl7v2.elements import NO_FIELDS, element
from adapters.hl7v2.group import Group
from adapters.hl7v2.nulls import held, nulled
from adapters.hl7v2.tables import CodeTable

__all__ = ["Apply", "Emitted", "emit"]

Apply: TypeAlias = Callable[[list[str], Group, Build], None]
_LOCALS: Final = {
    "ctx": "b.ctx",
    "rep": "b.ctx.repetition",
    "sep": "b.ctx.component",
    "near": "g.nearest",
    "shelf": "b.shelf",
    "values": "b.values",
    "identities": "b.identities",
    "nulls": "b.nulls",
}
"""What a generated function looks up once, where it uses it."""
_AT_HAND: Final = ("ctx", "rep", "sep", "shelf", "values", "identities", "nulls")
"""`Build.at_hand`: taken at once where a function uses several of them."""
_QUOTED: Final = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[#].*"""
_LOOKED_UP: Final = re.compile(
    _QUOTED + r"|(?<![.\w])(" + "|".join([*_LOCALS, "s_[A-Z][A-Z0-9]{2}"]) + r")(?!\w)"
)
"""Those names, and those of other segments, outside of texts and comments."""
_OWN_FIELD: Final = re.compile(_QUOTED + r"|(?<!\w)f\[(\d+)\]")
"""Fields of the map's own segment, outside of texts and comments."""
_FEW: Final = 3
"""Fields that are not worth being taken at once."""
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
    under: tuple[str, ...]
    """Only in groups that one of these opened; empty is everywhere."""
    when: Callable[..., bool] | None
    """Whether the map applies, of the same arguments; None where it always does."""
    asked: Apply
    """`apply` where `when` says so."""


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
        "element": element,
        "held": held,
        "nulled": nulled,
    }
    function = f"{rules.segment}_{rules.target}".replace(".", "_")
    parts = _asking(code, function)
    code.put(0, f"def {function}(f, g, b):")
    _opening(code)
    for together, rows in runs(rules, elsewhere):
        if together and not tracing:
            parts += _run(code, rows, f"{function}_{rows[0].id}", code_tables)
            continue
        for row in rows:
            statements(code, row, code_tables)
    if rules.into:
        code.put(1, "if e:")
        store(code, 2, "r", rules.into, "e", {})
    body = _taken(code, code.lines[1:])
    code.lines[1:] = [*_hoisted(body), *body]
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
        under=rules.under,
        when=scope.get(f"{function}_when"),
        asked=scope.get(f"{function}_asked", scope[function]),
    )


def _taken(code: Code, body: list[str]) -> list[str]:
    """The body with its own fields taken at once: most are empty, and each is asked for itself."""
    numbers = sorted({int(at) for line in body for at in _OWN_FIELD.findall(line) if at})
    if len(numbers) <= _FEW:
        return body
    code.names["fields"] = itemgetter(*numbers)
    names = ", ".join(f"f{at}" for at in numbers)
    return [
        f"    {names} = fields(f)",
        *(_OWN_FIELD.sub(lambda at: f"f{at[1]}" if at[1] else at[0], line) for line in body),
    ]


def _asking(code: Code, function: str) -> list[str]:
    """Where the map applies, and the function that asks before it does anything else."""
    rules = code.rules
    if not rules.when:
        return []
    widen(code, rules.when)
    test = [f"    return {python_of(rules.when, rules.segment, rules.place)}"]
    return [
        f"def {function}_when(f, g, b):",
        *_hoisted(test),
        *test,
        f"def {function}_asked(f, g, b):",
        f"    if {function}_when(f, g, b): {function}(f, g, b)",
    ]


def _run(
    code: Code, rows: Sequence[Row], title: str, code_tables: Mapping[str, CodeTable]
) -> list[str]:
    """Rows that are remembered together: a function of their own, called for texts not seen."""
    name = "".join(letter if letter.isalnum() else "_" for letter in title)
    inner = replace(code, lines=[])
    inner.put(0, f"def {name}(f, b, r):")
    inner.put(1, "e = {}")
    for row in rows:
        statements(inner, row, code_tables)
    inner.put(1, "return e")
    inner.lines[1:1] = _hoisted(inner.lines[1:])
    code.width = inner.width
    fields = positions(rows)
    own = {table: id(code_tables[table]) for row in rows if (table := row.table) in code_tables}
    slot = slot_of(f"{code.rules.name} {' '.join(row.id for row in rows)}", repr(own))
    code.put(1, f"k = ({', '.join(f'f[{field}]' for field in fields)},)")
    code.put(1, f"m = shelf[{slot}].get(k) or b.alike({slot}, k, {name}, f, r)")
    code.put(1, "if m[1]: b.renote(m[1])")
    code.put(1, "e.update(m[0])")
    return inner.lines


def _hoisted(body: Sequence[str]) -> list[str]:
    """Assignments of what the body looks up often."""
    used = {name for line in body for name in _LOOKED_UP.findall(line)} - {""}
    found: list[str] = []
    if len(used & {*_AT_HAND}) > 2:
        found.append(f"{', '.join(_AT_HAND)} = b.at_hand")
        used -= {*_AT_HAND}
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
                        f"{components_of(where)!r}, '')")  # fmt: skip
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
