"""One opened group of one message: the resources made in it, and what lies around it."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from adapters.hl7v2.layout import Bracket
from bridge.core.record.bundle import JsonObject

__all__ = ["Found", "Group"]

Found: TypeAlias = tuple[JsonObject, JsonObject]
"""A resource and the reference to it, which its users share and never alter."""


class Group:
    """Entered before its first segment is converted, and never again once it is left.

    While a group is open nothing is made in those around it, so that a copy of what they hold stays
    true. No group refers to itself or to those inside: a cycle would leave each message to the
    collector (measured: 12 to 40 % of the time of a conversion).
    """

    __slots__ = ("around", "lead", "lines", "nearest", "own", "resources")

    resources: dict[str, JsonObject]
    """The latest of each type made here."""
    nearest: dict[str, Found]
    """The nearest resource of each type, here or in the groups around."""
    around: Mapping[str, list[str]]
    """The nearest segment of each name that some map looks up."""

    def __init__(
        self,
        bracket: Bracket,
        parent: "Group | None",
        lines: Sequence[list[str]],
        wanted: Sequence[tuple[str, int]],
    ) -> None:
        """Take over what lies around.

        Args:
            bracket: its place in the layout.
            parent: the group around it; None of the message itself.
            lines: all segments of the message as fields.
            wanted: name and number of those of its own segments that some map looks up. Ten
                thousand names that a stranger invents are not copied into each of as many groups.
        """
        self.lead, self.own, self.lines = bracket.lead, bracket.own, lines
        if parent is None:
            self.resources, self.nearest, self.around = {}, {}, {}
        elif bracket.repeats:
            self.resources, self.nearest = {}, parent.nearest.copy()
            self.around = parent.around
        else:
            self.resources, self.nearest = parent.resources, parent.nearest
            self.around = parent.around
        if wanted:
            around = {**self.around}
            for name, number in wanted:
                around[name] = lines[number]
            self.around = around

    def segment(self, name: str) -> list[str] | None:
        """The first segment of that name in the group itself."""
        number = self.own.get(name)
        return None if number is None else self.lines[number]

    def put(self, kind: str, resource: JsonObject) -> None:
        """From now on this is the resource of that type in the group."""
        self.resources[kind] = resource
        self.nearest[kind] = (resource, {"reference": f"{kind}/{resource['id']}"})  # type: ignore[str-bytes-safe] # a text
