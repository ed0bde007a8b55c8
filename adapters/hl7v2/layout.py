"""Which group each segment of a message joins: decided by the names of its segments alone.

A segment that fits nowhere goes to the nearest group that may hold it, with a finding: none is
lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.hl7v2.grammar import Step, Structure

__all__ = ["Bracket", "Layout", "Place", "layout"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One opened group of a message."""

    name: str
    lead: str
    """The segment that opened it."""
    around: int
    """Number of the group that it stands in; -1 of the message itself."""
    repeats: bool
    """One that cannot repeat shares its resources with the group around it."""
    own: Mapping[str, int]
    """Number of the first segment of each name that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one segment stands: the number of its group, and its own among those of its name."""

    group: int
    occurrence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The groups of a message, outer ones first, and the place of each segment, in order."""

    groups: tuple[Bracket, ...]
    places: tuple[Place, ...]
    odd: tuple[tuple[str, int], ...]
    """Finding code and number of each segment that is out of place."""
    again: Mapping[int, tuple[int, int]]
    """Of a segment that opened a group without its lead: the lead of the repetition before it,
    which speaks there too, and the group. An ORC is of each OBR behind it."""


class _Open:
    """A group while its segments are placed."""

    __slots__ = ("at", "first", "lead", "number", "own", "parent", "shape")

    def __init__(self, shape: Structure, parent: "_Open | None", lead: str, at: int) -> None:
        self.shape, self.parent, self.lead, self.at = shape, parent, lead, at
        self.own: dict[str, int] = {}
        self.number = self.first = -1

    def follow(self, before: "_Open | None") -> None:
        """Begun without its lead, it has that of the repetition before."""
        while before is not None and before.shape is not self.shape:
            before = before.parent
        if before is not None and self.shape.lead in before.own:
            self.own[self.shape.lead] = before.own[self.shape.lead]

    def hold(self, name: str, number: int) -> None:
        """A segment stands in the group, and in those around it of which this is the only one.

        ORC sees the OBR or RXE of its order, whichever brackets the standard draws around it.
        """
        group: _Open | None = self
        while group is not None:
            group.own.setdefault(name, number)
            group = None if group.shape.repeats else group.parent


def layout(names: Sequence[str], root: Structure) -> Layout:
    """The groups of a message with these segments, MSH first."""
    group = _Open(root, None, "MSH", -1)
    opened: list[_Open] = []
    counts: dict[str, int] = {}
    places: list[Place] = []
    odd: list[tuple[str, int]] = []
    last, again = "", None
    for number, name in enumerate(names):
        if again is not None and name == last:
            group = _Open(*again)
        else:
            group, again, code = _next(group, name)
            last = name
            if code:
                odd.append((code, number))
        if group.number < 0:
            _number(group, opened, number)
        if name not in group.own:
            group.hold(name, number)
        count = counts[name] = counts.get(name, 0) + 1
        places.append(Place(group=group.number, occurrence=count))
    brackets = tuple(_bracket(one) for one in opened)
    led = {
        one.first: (lead, at)
        for at, one in enumerate(opened)
        if (lead := one.own.get(one.shape.lead, one.first)) < one.first
    }
    return Layout(groups=brackets, places=tuple(places), odd=tuple(odd), again=led)


def _number(group: _Open, opened: list[_Open], first: int) -> None:
    """A group gets its number with its first segment, after those around it."""
    if group.parent is not None and group.parent.number < 0:
        _number(group.parent, opened, first)
    group.number, group.first = len(opened), first
    opened.append(group)


def _bracket(group: _Open) -> Bracket:
    return Bracket(
        name=group.shape.name,
        lead=group.lead,
        around=-1 if group.parent is None else group.parent.number,
        repeats=group.shape.repeats,
        own=group.own,
    )


_Again = tuple[Structure, _Open, str, int]


def _next(group: _Open, name: str) -> tuple[_Open, _Again | None, str]:
    """Where a segment belongs, what one of its name opens next if that is sure, what is odd.

    It is sure of a group that repeats and holds no second one, such as OBX after OBX.
    """
    at, found, code, before = group.at, None, "", group
    for step in group.shape.steps.get(name, ()):
        if step.index > at or (step.index == at and step.repeats):
            found = step
            break
    else:
        group, found, code = _search(group, name)
    if found is None:
        return group, None, code
    group.at = max(group.at, found.index)
    above = group
    for shape, start in found.into:
        group = _Open(shape, group, name, start)
        if name in shape.subjects and name != shape.lead:
            group.follow(before)
    if not code and len(found.into) == 1 and found.repeats and name not in group.shape.subjects:
        held = group.shape.steps.get(name, ())
        if not any(step.index > group.at or step.repeats for step in held):
            return group, (group.shape, above, name, group.at), code
    return group, None, code


def _search(group: _Open, name: str) -> tuple[_Open, Step | None, str]:
    """The nearest group for a segment that may not follow here, how to get in, and what to say."""
    above: _Open | None = group.parent  # the group itself has no place for it
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
