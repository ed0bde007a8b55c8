"""One sender's compiled rules: placed segments in, resources out, in the order of the message."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from adapters.hl7v2.assembly import begin
from adapters.hl7v2.build import Build
from adapters.hl7v2.compiler.alike import altered
from adapters.hl7v2.compiler.archive import document, parse_archive
from adapters.hl7v2.compiler.emit import Emitted, emit
from adapters.hl7v2.compiler.layers import base_maps, resolve
from adapters.hl7v2.compiler.rows import SegmentMap
from adapters.hl7v2.context import Context
from adapters.hl7v2.grammar import Grammar, Structure, shipped
from adapters.hl7v2.group import Group
from adapters.hl7v2.joined import joined
from adapters.hl7v2.memory import Memory
from adapters.hl7v2.profiles import SenderProfile
from adapters.hl7v2.route import Route, Routes
from adapters.hl7v2.settle import Periods, periods_of
from bridge.core.ids import Digest, sha256
from bridge.core.record.bundle import Severity

__all__ = ["Engine", "compiled", "fields_of", "restored"]

_REPORTS: Final = frozenset({"ORU", "OUL", "MDM"})
_RUN: Final = (1, 2, 3, 4, 5, 11, 14)
_NONE: Final[frozenset[int]] = frozenset()
_NOTHING: Final[frozenset[str]] = frozenset()
_ODD: Final = {
    "segment-order": "a segment stands out of order and was read where it belongs",
    "segment-stray": "a segment has no place in this structure and was read at the nearest one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Functions by segment name, fast and trace, and what they were made of."""

    profile: SenderProfile
    maps: tuple[SegmentMap, ...]
    grammar: Grammar
    document: bytes
    """Everything besides the source bytes that decides what a bundle is."""
    digest: Digest
    """SHA-256 of the document."""
    fast: Routes
    traced: Callable[[], Routes]
    """The trace build, made when it is first asked for: a door that only converts needs none."""
    sources: Mapping[str, str]
    """Generated Python by map name."""
    width: int
    """Fields of a segment that some map reads: each segment is read as if it had as many."""
    periods: Periods
    """Where two rows make one period."""
    memory: Memory

    def run(self, build: Build, lines: list[list[str]], structure: Structure) -> Group:
        """Convert every segment, MSH the first of `lines`; gives the group of the whole message."""
        ctx = build.ctx
        routes = self.fast if build.trace is None else self.traced()
        build.lines = lines
        if build.trace is not None:
            build.number(lines)
        runs = joined(lines, ctx) if build.code in _REPORTS else _NONE
        route = routes.of(lines, structure, build.code, build.trigger)
        if route.odd:
            _note_odd(route, lines, ctx)
        groups: list[Group | None] = [None] * len(route.groups)
        root = route.enter(0, groups, lines)
        begin(build, root)
        for number, at, occurrence, functions in route.stops:
            fields = lines[number]
            ctx.occurrence, ctx.segment = occurrence, fields[0]
            if number in runs:
                for field in _RUN:
                    build.touch("OBX-5", occurrence, "OBX", field, (), "joined")
                continue
            group = groups[at] or route.enter(at, groups, lines)
            for function in functions:
                function(fields, group, build)
            if not functions:
                _note_unmapped(fields[0], ctx)
        return root


def _note_odd(route: Route, lines: list[list[str]], ctx: Context) -> None:
    """Each segment that stands out of place, at its name and occurrence."""
    for code, number, occurrence in route.odd:
        ctx.at, ctx.occurrence = lines[number][0], occurrence
        severity = Severity.INFORMATION if code == "segment-order" else Severity.WARNING
        ctx.note(code, _ODD[code], severity)


def _note_unmapped(name: str, ctx: Context) -> None:
    """The maps of other segments do not read it either."""
    ctx.at = name
    ctx.note(
        "segment-unmapped",
        "no map reads this segment: add rows for it if its content matters",
        Severity.INFORMATION,
    )


def compiled(profile: SenderProfile) -> Engine:
    """The engine of one sender: once a process and sender.

    Raises:
        BridgeError: naming file and line of a row that cannot be followed.
    """
    maps = tuple(sorted(resolve(profile), key=lambda rules: (rules.order, rules.name)))
    return _engine(profile, maps, shipped())


def restored(data: bytes) -> Engine:
    """The engine of a mapping that was kept; its digest is that of the document.

    Raises:
        BridgeError: what it was made of is no longer here, or this version cannot read it.
    """
    old = parse_archive(data)
    return _engine(old.profile, old.maps, old.grammar, data)


def _engine(
    profile: SenderProfile, maps: tuple[SegmentMap, ...], grammar: Grammar, kept: bytes = b""
) -> Engine:
    elsewhere = altered(maps)
    fast = [_emitted(rules, profile, elsewhere, tracing=False) for rules in maps]
    data = kept or document(maps, profile, grammar)

    silent = frozenset(row.source.segment for rules in maps for row in rules.rows if row.source)

    @cache
    def traced() -> Routes:
        made = [_emitted(rules, profile, elsewhere, tracing=True) for rules in maps]
        return _routes(made, silent)

    width = max((made.width for made in fast), default=1)
    return Engine(
        profile=profile,
        maps=maps,
        grammar=grammar,
        document=data,
        digest=sha256(data),
        fast=_routes(fast, silent),
        traced=traced,
        sources={rules.name: made.source for rules, made in zip(maps, fast, strict=True)},
        width=width,
        periods=periods_of(maps),
        memory=Memory(),
    )


def _emitted(
    rules: SegmentMap,
    profile: SenderProfile,
    elsewhere: Mapping[str, frozenset[str]],
    *,
    tracing: bool,
) -> Emitted:
    """The function of one map; that of a shipped map is made once a process.

    It knows nothing of the sender, but for which elements of its resource other maps fill.
    """
    filled = elsewhere.get(rules.target, _NOTHING)
    if id(rules) in _shipped_maps():
        return _shared(id(rules), filled, tracing)
    return emit(rules, profile.tables, {rules.target: filled}, tracing=tracing)


@cache
def _shipped_maps() -> Mapping[int, SegmentMap]:
    return {id(rules): rules for rules in base_maps()}


@cache
def _shared(name: int, filled: frozenset[str], tracing: bool) -> Emitted:  # noqa: FBT001 - a key of the cache
    rules = _shipped_maps()[name]
    return emit(rules, {}, {rules.target: filled}, tracing=tracing)


def _routes(emitted: Iterable[Emitted], silent: frozenset[str]) -> Routes:
    """Of functions in the order in which they run; `silent` segments other maps read."""
    functions: dict[str, list[Emitted]] = {}
    foreign: set[str] = set()
    for made in emitted:
        functions.setdefault(made.segment, []).append(made)
        foreign |= made.foreign
    return Routes(functions, foreign=frozenset(foreign), silent=silent)


def fields_of(lines: list[str], separator: str, width: int) -> list[list[str]]:
    """Each segment as fields, where element n is field n; MSH-1 is put in its place.

    As many empty fields as a map may read follow, so that no row has to ask for the length.
    """
    empty = [""] * width
    split = [line.split(separator) + empty for line in lines]
    split[0].insert(1, separator)
    return split
