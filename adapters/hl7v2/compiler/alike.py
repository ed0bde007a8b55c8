"""Which rows of a map are remembered together: codes, flags and units that feeds send again.

A run is rows in sequence whose values depend on the texts of their fields alone. The first time
the texts come the rows are converted; after that the elements are copied in, already encoded.
The bundle does not depend on it: what follows must neither read nor alter what a run has made.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from adapters.hl7v2.compiler.conditions import WORDS
from adapters.hl7v2.compiler.rows import Position, Row, SegmentMap, parse_position
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.rules import RULES
from bridge.core.record.statements import says_nothing

__all__ = ["RESOURCES", "altered", "others", "positions", "runs"]

RESOURCES: Final = frozenset({
    "Practitioner", "PractitionerRole", "Organization", "Location", "RelatedPerson", "Device",
    "Patient", "HealthcareService", "Specimen", "Substance",
})  # fmt: skip
"""What gives one of these gives a person or place: the row refers to it."""
_CHOICES: Final = {
    "deceased": ("DateTime", "Boolean"),
    "multipleBirth": ("Integer", "Boolean"),
    "occurrence": ("DateTime", "Period", "Timing", "String"),
    "effective": ("DateTime", "Period", "Timing", "Instant"),
    "onset": ("DateTime", "Age", "Period", "Range", "String"),
    "performed": ("DateTime", "Period", "String"),
    "quantity": ("Quantity", "Ratio", "Range"),
}
"""R4 choice elements that several rows may fill: the first one stands."""
_SETTLED: Final = frozenset({"note", "contact", "identifier", "subject"})
"""What is looked into once all rows have run."""
_ASSEMBLED: Final = frozenset({"Bundle", "MessageHeader", "Provenance"})
"""What the assembly completes at the end."""


def others(row: Row) -> tuple[str, ...]:
    """The other types of the choice element that the row fills."""
    name = row.to[0].name if row.to else ""
    for prefix, kinds in _CHOICES.items():
        if name.startswith(prefix) and name[len(prefix) :] in kinds:
            return tuple(prefix + kind for kind in kinds if prefix + kind != name)
    return ()


def altered(maps: Iterable[SegmentMap]) -> Mapping[str, frozenset[str]]:
    """Elements by resource type that a map other than the one that made the resource fills."""
    found: dict[str, set[str]] = {}
    for rules in maps:
        for row in rules.rows:
            if row.on:
                found.setdefault(row.on, set()).add(row.to[0].name)
            elif rules.instance != "new" or rules.merge:
                found.setdefault(rules.target, set()).update(_tops(rules, row))
    return {kind: frozenset(names) for kind, names in found.items()}


def runs(
    rules: SegmentMap, elsewhere: Mapping[str, frozenset[str]]
) -> Iterator[tuple[bool, list[Row]]]:
    """The rows in their order, in sequences that are remembered together or not."""
    closed = rules.instance != "new" or rules.merge or rules.into or rules.target in _ASSEMBLED
    taken = {*_SETTLED, *elsewhere.get(rules.target, ())}
    if any(row.call for row in rules.rows):
        taken.add("extension")
    taken |= {name for row in rules.rows if not _is_alike(row, rules) for name in _tops(rules, row)}
    for together, rows in groupby(
        rules.rows, lambda row: not closed and _is_alike(row, rules) and row.to[0].name not in taken
    ):
        found = list(rows)
        names = {row.to[0].name for row in found if row.to}
        once = len(found) > 1 and len(
            [row for row in rules.rows if row.to and row.to[0].name in names]
        ) == len(found)
        yield together and once, found


def positions(rows: Iterable[Row]) -> tuple[int, ...]:
    """Fields that the rows of a run read."""
    found = {row.source.field for row in rows if row.source}
    for row in rows:
        found.update(at.field for at in _asked(row))
    return tuple(sorted(found))


def _is_alike(row: Row, rules: SegmentMap) -> bool:
    """Whether the row's value comes of texts of its own segment that are sent again."""
    source = row.source
    if (
        source is None
        or source.segment != rules.segment
        or row.on
        or row.ref
        or row.call
        or others(row)
        or row.assumed
        or _concludes(row)
    ):
        return False
    if any(word in WORDS for word in row.when.replace("(", " ").replace(")", " ").split()):
        return False
    if any(at.segment != rules.segment for at in _asked(row)):
        return False
    if not row.function:
        return row.fixed is not None
    kind = DATATYPES.get(row.function)
    if kind is None or kind.gives.removesuffix("[]") in RESOURCES:
        return False
    return kind.coded


def _concludes(row: Row) -> bool:
    """Whether the row's default says something: that is noted of its resource in each message."""
    return row.default is not None and not says_nothing(row.to[0].name, row.default)


def _asked(row: Row) -> Iterator[Position]:
    """Positions in the row's condition."""
    for word in row.when.replace("(", " ").replace(")", " ").split():
        if word[3:4] == "-" and word[:3].isupper():
            yield parse_position(word, row.place)


def _tops(rules: SegmentMap, row: Row) -> Iterator[str]:
    """The elements of the resource that a row may fill."""
    if row.call and row.call in RULES:
        for name in RULES[row.call].writes.split():
            yield name.partition(".")[0]
    elif row.to and not row.on:
        yield (rules.into or row.to)[0].name
