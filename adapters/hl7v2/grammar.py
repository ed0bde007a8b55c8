"""Grouping: which open group a segment belongs to, as a table for each message structure.

The table answers (open group, segment) with where to go; the walk only compares positions. A
segment that fits nowhere goes to the nearest group that may hold it, with a finding: none is lost.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final, TypeAlias, cast

from bridge.core.record.bundle import JsonObject

__all__ = ["Grammar", "Group", "Step", "Structure", "grammar", "place", "shipped"]

ANY: Final = "ANY"
Found: TypeAlias = tuple[JsonObject, JsonObject]
"""A resource and the reference to it, which its users share and never alter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How one segment name is reached from one group."""

    index: int
    """Position in the group of the member that is or contains the segment."""
    repeats: bool
    into: tuple[tuple["Structure", int], ...]
    """Groups to open, outermost first, each with the position it starts at; empty for a member."""


@dataclass(slots=True, kw_only=True)
class Structure:
    """One group of a message structure, the message itself included."""

    name: str
    repeats: bool
    steps: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    """Segments that may stand here or open a group inside, in order of position."""
    openers: frozenset[str] = frozenset()
    """Segments that a new repetition may start with."""
    loose: dict[str, Step] = field(default_factory=dict)
    """Segments of groups inside whose opening segment the sender left out."""


class Group:
    """One opened group of one message: its segments, and the resources made in it."""

    __slots__ = (
        "around", "at", "entered", "lead", "nearest", "parent", "resources", "segments",
        "shape",
    )  # fmt: skip

    nearest: dict[str, Found]
    around: dict[str, list[str]]

    def __init__(self, shape: Structure, parent: "Group | None", lead: str, at: int) -> None:
        """Open a group; a group that cannot repeat shares its resources with its parent.

        `nearest` and `around` come when the group is entered.
        """
        self.shape, self.parent, self.lead, self.at = shape, parent, lead, at
        self.segments: dict[str, list[str]] = {}
        # No group refers to itself: a cycle would leave each message to the collector (measured:
        # 12 to 40 % of the time of a conversion).
        shared = parent is not None and not shape.repeats
        self.resources: dict[str, JsonObject] = parent.resources if parent and shared else {}
        self.entered = False

    def enter(self, wanted: frozenset[str]) -> None:
        """Before the first segment of the group is converted: take over what lies around it.

        After this `nearest` holds the nearest resource of each type and `around` the nearest
        segment of each name that is wanted: ten thousand names that a stranger invents must not be
        copied into each of as many groups. While a group is open nothing is made in those around
        it, and once left it is never entered again, so that a copy stays true.
        """
        self.entered = True
        own = {name: fields for name, fields in self.segments.items() if name in wanted}
        parent = self.parent
        if parent is None:
            self.nearest, self.around = {}, own
            return
        if not parent.entered:
            parent.enter(wanted)
        self.nearest = parent.nearest.copy() if self.shape.repeats else parent.nearest
        self.around = {**parent.around, **own} if own else parent.around

    def hold(self, name: str, fields: list[str]) -> None:
        """A segment stands in the group, and in those around it of which this is the only one.

        ORC sees the OBR or RXE of its order, whichever brackets the standard draws around it.
        """
        group: Group | None = self
        while group is not None:
            group.segments.setdefault(name, fields)
            group = None if group.shape.repeats else group.parent

    def put(self, kind: str, resource: JsonObject) -> None:
        """From now on this is the resource of that type in the group."""
        self.resources[kind] = resource
        self.nearest[kind] = (resource, {"reference": f"{kind}/{cast('str', resource.get('id'))}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The tables of one `structures.toml`."""

    text: str
    structures: Mapping[str, Structure]
    """By name of MSH-9.3."""
    triggers: Mapping[str, str]
    """`ADT A01`, or `ADT *`, to the structure's name."""
    mapped: frozenset[str]
    """Triggers that the maps know."""

    def structure(self, name: str) -> Structure:
        """The structure of that name, the widest one where the name is unknown."""
        return self.structures.get(name) or self.structures[ANY]

    def structure_of(self, code: str, trigger: str) -> tuple[str, bool]:
        """Structure for MSH-9.1 and MSH-9.2, and whether the maps know this trigger.

        MSH-9.3 is not asked: a third of real messages lack it, and some that have it are wrong.
        """
        key, whole = f"{code} {trigger}", f"{code} *"
        name = self.triggers.get(key) or self.triggers.get(whole) or ANY
        return name, key in self.mapped or whole in self.mapped


@cache
def shipped() -> Grammar:
    """The grammar that comes with this version."""
    return grammar(resources.files("adapters.hl7v2").joinpath("structures.toml").read_text("utf-8"))


def grammar(text: str) -> Grammar:
    """The grammar that a `structures.toml` says: of this version, or of a mapping that was kept."""
    data = tomllib.loads(text)
    return Grammar(
        text=text,
        structures={
            name: _parse(name, iter(told.replace("(", " ( ").replace(")", " )").split()))[0]
            for name, told in data["structures"].items()
        },
        triggers={
            trigger: name for name, triggers in data["triggers"].items() for trigger in triggers
        },
        mapped=frozenset(data["mapped"]["triggers"]),
    )


def place(
    lines: Iterable[list[str]], root: Structure, odd: Callable[[str, int], None]
) -> list[tuple[Group, list[str], int]]:
    """Each segment with its group and its number among the segments of its name, in order.

    Args:
        lines: segments as fields, MSH first.
        root: the message's structure.
        odd: told the finding code and the number (from 0) of a segment that is out of place.
    """
    group = Group(root, None, "MSH", -1)
    counts: dict[str, int] = {}
    placed: list[tuple[Group, list[str], int]] = []
    last, again = "", None
    for number, fields in enumerate(lines):
        name = fields[0]
        if again is not None and name == last:
            group = Group(*again)
        else:
            group, again = _next(group, name, number, odd)
            last = name
        if name not in group.segments:
            group.hold(name, fields)
        count = counts[name] = counts.get(name, 0) + 1
        placed.append((group, fields, count))
    return placed


def _next(
    group: Group, name: str, number: int, odd: Callable[[str, int], None]
) -> tuple[Group, tuple[Structure, Group, str, int] | None]:
    """Where a segment belongs, and the group that one of its name opens next, where that is sure.

    It is sure of a group that repeats and holds no second one, such as OBX after OBX.
    """
    at, found, code = group.at, None, ""
    for step in group.shape.steps.get(name, ()):
        if step.index > at or (step.index == at and step.repeats):
            found = step
            break
    else:
        group, found, code = _search(group, name)
        if code:
            odd(code, number)
    if found is None:
        return group, None
    group.at = max(group.at, found.index)
    above = group
    for shape, start in found.into:
        group = Group(shape, group, name, start)
    if not code and len(found.into) == 1 and found.repeats:
        held = group.shape.steps.get(name, ())
        if not any(step.index > group.at or step.repeats for step in held):
            return group, (group.shape, above, name, group.at)
    return group, None


def _search(group: Group, name: str) -> tuple[Group, Step | None, str]:
    """The nearest group for a segment that may not follow here, how to get in, and what to say."""
    above: Group | None = group.parent  # the group itself has no place for it
    while above is not None:
        for step in above.shape.steps.get(name, ()):
            if step.index > above.at or (step.index == above.at and step.repeats):
                return above, step, ""
        above = above.parent
    chain = [group]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    for above in chain:
        if name in above.shape.steps:
            return above, above.shape.steps[name][0], "segment-order"
    stray = next((above for above in chain if name in above.shape.loose), None)
    if stray is not None:
        return stray, stray.shape.loose[name], "segment-stray"
    return group, None, "" if name[:1] == "Z" else "segment-stray"


_Member = tuple[str, str, Structure | None]


def _parse(name: str, tokens: Iterator[str]) -> tuple[Structure, str]:
    """The group whose members come next, and the mark behind its closing bracket."""
    members: list[_Member] = []
    waiting = ""
    mark = ""
    for word in tokens:
        if word == "(":
            inner, inner_mark = _parse(waiting, tokens)
            inner.repeats = inner_mark in {"*", "+"}
            members.append((waiting, inner_mark, inner))
            waiting = ""
            continue
        if waiting:
            members.append((waiting[:3], waiting[3:], None))
            waiting = ""
        if word[0] == ")":
            mark = word[1:]
            break
        waiting = word
    if waiting:
        members.append((waiting[:3], waiting[3:], None))
    return _table(name, members), mark


def _table(name: str, members: Sequence[_Member]) -> Structure:
    """The group's table: where each segment may stand, here or in the groups inside."""
    made = Structure(name=name, repeats=False, openers=_openers(members))
    for index, (member, mark, inner) in enumerate(members):
        repeats = mark in {"*", "+"}
        if inner is None:
            _add(made, member, Step(index=index, repeats=repeats, into=()))
            continue
        for segment, steps in inner.steps.items():
            way = ((inner, steps[0].index), *steps[0].into)
            step = Step(index=index, repeats=repeats, into=way)
            if segment in inner.openers:
                _add(made, segment, step)
            else:
                made.loose.setdefault(segment, step)
        for segment, deep in inner.loose.items():
            way = ((inner, deep.index), *deep.into)
            made.loose.setdefault(segment, Step(index=index, repeats=repeats, into=way))
    return made


def _add(made: Structure, segment: str, step: Step) -> None:
    """One more place for a segment; positions rise because members are read in order."""
    made.steps[segment] = (*made.steps.get(segment, ()), step)


def _openers(members: Sequence[_Member]) -> frozenset[str]:
    """Segments that may come first: up to the first member that must be there."""
    found: set[str] = set()
    for member, mark, inner in members:
        found |= inner.openers if inner else {member}
        if mark in {"", "+"}:
            break
    return frozenset(found)
