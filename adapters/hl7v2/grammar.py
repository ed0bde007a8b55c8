"""Grouping: which open group a segment belongs to, as a table for each message structure.

The table answers (open group, segment) with where to go; `layout` walks it.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["Grammar", "Step", "Structure", "grammar", "shipped"]

ANY: Final = "ANY"


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
    lead: str = ""
    """The segment that stands first, where one does."""
    subjects: frozenset[str] = frozenset()
    """Those of them that stand behind others, and start one where they come again."""
    loose: dict[str, Step] = field(default_factory=dict)
    """Segments of groups inside whose opening segment the sender left out."""


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
    subjects = frozenset().union(
        *(inner.subjects if inner else {member[: mark.startswith("!") * 3]}
          for member, mark, inner in members)
    ) - {""}  # fmt: skip
    made = Structure(
        name=name,
        repeats=False,
        openers=_openers(members) | subjects,
        lead="" if members[0][2] else members[0][0],
        subjects=subjects,
    )
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
        if mark.strip("!") in {"", "+"}:
            break
    return frozenset(found)
