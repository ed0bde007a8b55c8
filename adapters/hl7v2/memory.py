"""What was converted before: feeds repeat their codes, doctors, wards and units in every message.

Values here are shared between messages and are never altered. The result of a conversion does not
depend on what is remembered: each entry holds a pure function's value and its findings.
"""

from collections import defaultdict
from typing import Any, Final, TypeAlias

from msgspec import Raw, json

from adapters.hl7v2.context import Context
from bridge.core.record.bundle import Json, Severity

__all__ = ["MAX_ENTRIES", "MAX_TEXT", "NOTED", "Memory", "Note", "Shelf", "plain", "surroundings"]

MAX_ENTRIES: Final = 20_000
"""A hospital has some thousand doctors, wards, codes and patients in house; at 2 kB each this stays
below 40 MB."""
MAX_TEXT: Final = 256
"""Characters of a field; what is longer is prose and does not come again."""

Note: TypeAlias = tuple[str, str, Severity]
Shelf: TypeAlias = defaultdict[int | str, dict[Any, Any]]
"""By function slot: text to value, for one kind of surroundings."""
NOTED: Final = ""
"""Slot of what is nothing or brings something: (function slot, text) to value, findings and
assigners."""


class Memory:
    """Shelves by surroundings, all dropped together when full: simple, bounded, and right."""

    __slots__ = ("_shelves", "_size")

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._shelves: dict[tuple[str, ...], Shelf] = {}
        self._size = 0

    def shelf(self, around: tuple[str, ...]) -> Shelf:
        """The shelf for messages with these delimiters, sender, character set and offset."""
        if self._size > MAX_ENTRIES:
            self._shelves, self._size = {}, 0
        found = self._shelves.get(around)
        if found is None:
            found = self._shelves[around] = defaultdict(dict)
            self._size += 1
        return found

    def grown(self, count: int) -> None:
        """Account for entries that a message added."""
        self._size += count


def surroundings(ctx: Context, sender: str) -> tuple[str, ...]:
    """Everything besides the text and the profile that a datatype function may look at."""
    return (
        ctx.field, ctx.component, ctx.subcomponent, ctx.repetition, ctx.escape, ctx.truncation,
        ctx.codec, ctx.facility, ctx.offset, sender,
    )  # fmt: skip


def plain(value: Json) -> Json:
    """The value itself, to be read: what came again is kept as its bytes (`Build.alike`)."""
    found: Json = json.decode(value) if isinstance(value, Raw) else value
    return found
