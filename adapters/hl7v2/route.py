"""What runs for each segment of a message: known by its type, its event and the names in it.

A feed sends the same names again and again, so that a route is made once: which groups there are,
and of the functions of each segment those whose condition can hold. A condition on a segment that
the message does not have, on the event or on the group is answered here and never asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Final, TypeAlias

from adapters.hl7v2.compiler.emit import Apply, Emitted
from adapters.hl7v2.context import Context
from adapters.hl7v2.grammar import Structure
from adapters.hl7v2.group import Group
from adapters.hl7v2.layout import Bracket, layout

__all__ = ["Route", "Routes", "Stop"]

_KEPT: Final = 512
"""Routes of one sender; each is some kilobytes. A feed has some dozens, and a stranger who varies
his names is served at half the speed."""
_LONGEST: Final = 256
"""Segments of a message whose route is kept."""
_NAME: Final = itemgetter(0)


Stop: TypeAlias = tuple[int, int, int, tuple[Apply, ...]]
"""One segment: its number, its group, its occurrence, and what runs; nothing where no map is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The segments of a message that somebody reads or misses, in their order."""

    groups: tuple[tuple[Bracket, tuple[tuple[str, int], ...]], ...]
    """With the segments in each that some map looks up."""
    stops: tuple[Stop, ...]
    odd: tuple[tuple[str, int, int], ...]
    """Finding code, number and occurrence of each segment that is out of place."""

    def enter(self, at: int, groups: list[Group | None], lines: Sequence[list[str]]) -> Group:
        """The group of that number, not entered before, together with those around it."""
        bracket, wanted = self.groups[at]
        above = bracket.around
        parent = None if above < 0 else groups[above] or self.enter(above, groups, lines)
        group = groups[at] = Group(bracket, parent, lines, wanted)
        return group


class Routes:
    """The routes of one build of one sender's functions."""

    __slots__ = ("_foreign", "_functions", "_kept", "_silent")

    def __init__(
        self,
        functions: Mapping[str, Sequence[Emitted]],
        *,
        foreign: frozenset[str],
        silent: frozenset[str],
    ) -> None:
        """Know no message yet.

        Args:
            functions: by segment, in the order in which they run.
            foreign: segments that the maps of other segments look up.
            silent: segments without functions that nobody misses.
        """
        self._functions, self._foreign, self._silent = functions, foreign, silent
        self._kept: dict[tuple[str, ...], Route] = {}

    def of(self, lines: Sequence[list[str]], structure: Structure, *event: str) -> Route:
        """The route of a message of this structure; `event` is MSH-9.1 and MSH-9.2."""
        names = tuple(map(_NAME, lines))
        key = (structure.name, *event, *names)
        found = self._kept.get(key)
        if found is None:
            found = self._made(names, structure, *event)
            if len(names) <= _LONGEST:
                if len(self._kept) >= _KEPT:
                    self._kept = {}
                self._kept[key] = found
        return found

    def _made(self, names: Sequence[str], structure: Structure, code: str, trigger: str) -> Route:
        laid = layout(names, structure)
        wanted = [
            tuple((name, at) for name, at in one.own.items() if name in self._foreign)
            for one in laid.groups
        ]
        route = Route(groups=tuple(zip(laid.groups, wanted, strict=True)), stops=(), odd=())
        unread: list[list[str]] = [_UNREAD] * len(names)
        groups: list[Group | None] = [None] * len(laid.groups)
        asked = _Event(code, trigger)
        stops: list[Stop] = []
        for number, (name, place) in enumerate(zip(names, laid.places, strict=True)):
            group = groups[place.group] or route.enter(place.group, groups, unread)
            if number in laid.again:
                lead, at = laid.again[number]
                around = groups[at] or route.enter(at, groups, unread)
                functions = self._running(names[lead], around, asked)
                stops.append((lead, at, laid.places[lead].occurrence, functions))
            functions = self._running(name, group, asked)
            if functions or not (name in self._functions or name in self._silent):
                stops.append((number, place.group, place.occurrence, functions))
        _lead(stops, names)
        odd = tuple((code, at, laid.places[at].occurrence) for code, at in laid.odd)
        return Route(groups=route.groups, stops=tuple(stops), odd=odd)

    def _running(self, name: str, group: Group, event: "_Event") -> tuple[Apply, ...]:
        """What runs for a segment of that name in the group."""
        known = self._functions.get(name, ())
        return tuple(apply for one in known if (apply := _chosen(one, group, event)))


def _lead(stops: list[Stop], names: Sequence[str]) -> None:
    """PV2 adds to the visit that PV1 makes: where a sender turned the two round, PV1 is read first.

    A visit without number is known by the fields of PV1 alone, so PV2 would make another one.
    """
    for at, (one, other) in enumerate(pairwise(stops)):
        if (names[one[0]], names[other[0]]) == ("PV2", "PV1"):
            stops[at : at + 2] = other, one


class _UnreadError(LookupError):
    """A condition asks a field that only the message can answer."""


class _Unread(list[str]):
    """The fields of a segment before a message is read."""

    def __getitem__(self, _at: object) -> str:  # type: ignore[override]
        raise _UnreadError


_UNREAD: Final = _Unread()


class _Event:
    """What stands in for the build while conditions are asked before a message is read."""

    __slots__ = ("code", "ctx", "trigger")

    def __init__(self, code: str, trigger: str) -> None:
        self.code, self.trigger, self.ctx = code, trigger, Context()

    @staticmethod
    def comp(text: str, _component: int, _subcomponent: int = 0) -> str:
        """Of an absent segment, whose fields are empty."""
        return text


def _chosen(made: Emitted, group: Group, event: _Event) -> Apply | None:
    """The function to call: none where its condition fails, one that asks where it is open."""
    if made.under and group.lead not in made.under:
        return None
    if made.when is None:
        return made.apply
    try:
        return made.apply if made.when(_UNREAD, group, event) else None
    except _UnreadError:
        return made.asked
