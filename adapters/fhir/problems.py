"""What is wrong with an input, collected whole: places and words, never content."""

from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Finding, JsonObject, Severity

__all__ = [
    "MAX_PROBLEMS",
    "InvalidResource",
    "Path",
    "Problems",
    "Reference",
    "path_text",
    "steps_of",
]

MAX_PROBLEMS = 100
"""Told in one answer. A sender mends a kind of mistake at a time; a bundle of a million mistakes
must not make an answer of a million lines."""

Path: TypeAlias = "tuple[Path, str | int] | None"
"""A place as a chain from its end, because most places are never spoken of."""


class InvalidResource(BridgeError):  # noqa: N818  the name says what the sender sent
    """Input that is no valid R4, with every problem that was found, up to `MAX_PROBLEMS`."""

    def __init__(self, problems: tuple[Finding, ...]) -> None:
        """The error speaks of the first problem; `problems` has them all."""
        first, more = problems[0], len(problems) - 1
        super().__init__(
            first.code,
            Fault.SENDER,
            what=first.text + (f", and {more} more" if more else ""),
            where=first.where,
            do="mend what is named and send it again",
        )
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One Reference met on the way, for whoever knows the other resources."""

    at: Path
    value: JsonObject
    targets: frozenset[str]
    """Types that it may lead to; empty for any."""


@dataclass(slots=True, kw_only=True)
class Problems:
    """What was found so far, and the References to look up when everything was read."""

    found: list[Finding] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    """Places of URIs and narratives that may name an entry of their bundle."""

    def add(self, code: str, at: Path, text: str) -> None:
        """One problem; dropped when there are enough."""
        if len(self.found) < MAX_PROBLEMS:
            where = path_text(at) or "resource"
            self.found.append(Finding(code=code, severity=Severity.ERROR, where=where, text=text))

    def raise_any(self) -> None:
        """Refuse the input when there is a problem."""
        if self.found:
            raise InvalidResource(tuple(self.found))


def steps_of(path: Path) -> list[str | int]:
    """From its beginning, such as `Bundle`, `entry`, 3, `resource`."""
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return steps[::-1]


def path_text(path: Path) -> str:
    """FHIRPath-like, such as `Bundle.entry[3].resource.birthDate`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps_of(path)]
    return "".join(parts).removeprefix(".")
