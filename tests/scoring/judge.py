"""Recall of expected facts: found, explained by a rule of the table, or missing."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from re import compile as pattern
from re import fullmatch
from typing import Final, TypeAlias

from tests.scoring.facts import Fact

__all__ = ["Judgement", "Positions", "Rule", "counted", "judge", "positions", "rules"]

Positions: TypeAlias = Mapping[str, set[str]]

_TABLE: Final = Path(__file__).parent / "disagreements.toml"
_TIME: Final = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason why we do not say what another converter says."""

    reason: str
    kind: str = "*"
    path: str = "*"
    value: str = ".*"
    """A regular expression that the expected value matches whole."""
    source: str = ""
    """A regular expression for a position of the message where the text stands, such as `GT1-.*`;
    empty asks for none."""
    same: str = ""
    """A comparison that some fact of ours at the same element must pass; empty asks for none."""

    def explains(self, fact: Fact, ours: Iterable[Fact], positions: Positions) -> bool:
        """Whether the rule is why this expected fact is not among ours."""
        return (
            any(fnmatchcase(fact.kind, kind) for kind in self.kind.split())
            and any(fnmatchcase(fact.path, path) for path in self.path.split())
            and fullmatch(self.value, fact.value) is not None
            and (not self.source or any(fullmatch(self.source, at) for at in _at(fact, positions)))
            and (not self.same or any(_COMPARE[self.same](fact, own) for own in ours))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Facts of one expected bundle, sorted by what became of them."""

    found: tuple[Fact, ...]
    explained: tuple[tuple[Fact, Rule], ...]
    missing: tuple[Fact, ...]


def rules() -> tuple[Rule, ...]:
    """The table of explained disagreements."""
    data = tomllib.loads(_TABLE.read_text("utf-8"))
    return tuple(Rule(**row) for row in data["rule"])


def judge(
    expected: frozenset[Fact],
    actual: frozenset[Fact],
    table: Iterable[Rule],
    known: Positions,
) -> Judgement:
    """Sort the expected facts; `known` is `positions` of the message."""
    at: dict[tuple[str, str], list[Fact]] = {}
    for fact in actual:
        at.setdefault((fact.kind, fact.path), []).append(fact)
    found: list[Fact] = []
    explained: list[tuple[Fact, Rule]] = []
    missing: list[Fact] = []
    for fact in sorted(expected, key=str):
        ours = at.get((fact.kind, fact.path), [])
        if fact in actual or _refers_alike(fact, ours):
            found.append(fact)
            continue
        rule = next((rule for rule in table if rule.explains(fact, ours, known)), None)
        if rule is None:
            missing.append(fact)
        else:
            explained.append((fact, rule))
    return Judgement(found=tuple(found), explained=tuple(explained), missing=tuple(missing))


def positions(message: bytes) -> Positions:
    """Texts of a message in lower case to every position that holds each, such as `PID-5.1`."""
    known: dict[str, set[str]] = {}
    text = message.decode("utf-8-sig", "replace").replace("\r\n", "\r").replace("\n", "\r")
    for line in text.split("\r"):
        fields = line.split("|")
        shift = 1 if fields[0] == "MSH" else 0
        for number, field in enumerate(fields[1:], 1 + shift):
            for repetition in field.split("~"):
                for part, component in enumerate(repetition.split("^"), 1):
                    for piece in component.split("&"):
                        place = f"{fields[0]}-{number}.{part}"
                        known.setdefault(piece.strip().lower(), set()).add(place)
    known.pop("", None)
    return known


def counted(judged: Iterable[tuple[Judgement, Positions]]) -> Counter[tuple[str, str]]:
    """Missing facts by source position (where its text stands in the message) and element."""
    total: Counter[tuple[str, str]] = Counter()
    for judgement, known in judged:
        for fact in judgement.missing:
            total[min(_at(fact, known), default="?"), f"{fact.kind}.{fact.path}"] += 1
    return total


def _at(fact: Fact, known: Positions) -> set[str]:
    """Positions of the fact's text, or of the texts of what it refers to."""
    words = fact.labels or {fact.value.lower()}
    bare = {word.removeprefix("urn:oid:").removeprefix("urn:uuid:") for word in words}
    return set().union(*(known.get(word, set()) for word in bare))


def _refers_alike(fact: Fact, ours: Iterable[Fact]) -> bool:
    """A reference to something of which nothing is known is met by any reference."""
    if not fact.value.startswith("->"):
        return False
    return any(
        own.value.startswith("->") and (not fact.labels or own.labels & fact.labels) for own in ours
    )


def _instant(fact: Fact, own: Fact) -> bool:
    """The same moment in another zone."""
    return _aware(fact.value) is not None and _aware(fact.value) == _aware(own.value)


def _clock(fact: Fact, own: Fact) -> bool:
    """The same date and clock time, or the date alone: another reading of a missing zone."""
    theirs, mine = fact.value, own.value
    if _TIME.fullmatch(theirs) is None:
        return False
    return theirs[:16] == mine[:16] if _TIME.fullmatch(mine) else theirs[:10] == mine[:10]


def _any(fact: Fact, own: Fact) -> bool:
    """We fill the element too, with another value."""
    return bool(fact) and bool(own)


def _words(fact: Fact, own: Fact) -> bool:
    """The same text but for blanks and letter case."""
    return " ".join(fact.value.split()).lower() == " ".join(own.value.split()).lower()


_COMPARE: Final = {"instant": _instant, "clock": _clock, "any": _any, "words": _words}


def _aware(text: str) -> datetime | None:
    if _TIME.fullmatch(text) is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else None
