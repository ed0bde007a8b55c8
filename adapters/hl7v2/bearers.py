"""Which resources of a message bear a number, without a look at every one of them."""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Final, TypeAlias, cast

from adapters.hl7v2.memory import plain
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Bearers"]

_Place: TypeAlias = tuple[int, JsonObject]
_ANY: Final = ("any system",)
"""Where every bearer of a value stands, whatever its system; no system is a tuple."""


class Bearers:
    """The resources of one message by type and identifier, each with its place in the order."""

    def __init__(self, made: Iterable[tuple[str, JsonObject]]) -> None:
        """Take the types and resources; their identifiers are read at once."""
        self._places: dict[tuple[Json, ...], list[_Place]] = {}
        for place in enumerate(made):
            self._file(place)

    def of(self, kind: Json, numbers: Iterable[JsonObject]) -> Iterator[JsonObject]:
        """Resources of the type that have one of the identifiers, in order, each once.

        An authority that one of the two leaves out is no other.
        """
        last = -1
        for place, resource in merge(*self._lists(kind, numbers), key=lambda one: one[0]):
            if place != last:
                yield resource
            last = place

    def _lists(self, kind: Json, numbers: Iterable[JsonObject]) -> Iterator[list[_Place]]:
        for number in numbers:
            value, system = number.get("value"), number.get("system")
            for name in (_ANY,) if system is None else (system, None):
                yield self._places.get((kind, value, cast("Json", name)), [])

    def _file(self, place: tuple[int, tuple[str, JsonObject]]) -> None:
        at, (kind, resource) = place
        for one in _identifiers(resource):
            for system in (one.get("system"), cast("Json", _ANY)):
                held = self._places.setdefault((kind, one.get("value"), system), [])
                if not held or held[-1][0] != at:
                    held.append((at, resource))


def _identifiers(resource: JsonObject) -> list[JsonObject]:
    values = cast("list[Json]", plain(resource.get("identifier", [])))
    return [cast("JsonObject", plain(one)) for one in values]
