"""What fsck tells: the first difference, what it could not derive again, and how far it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from bridge.core.proof.report import Check
from bridge.ports.stored import StoredRecord

__all__ = ["PAGE", "Derive", "Difference", "Progress", "Recomputed", "pages"]

PAGE = 200
"""Rows a read: a few megabytes of bundles."""

Progress: TypeAlias = Callable[[str, int], None]
"""Told after each page what was checked (`records`, `revisions`, `accesses`, `resources`, `events`,
`leaves`, `anchors`) and how many so far."""

Derive: TypeAlias = Callable[[StoredRecord], Check]
"""What the conversion of a record's source comes to now: the last step of `flows.rederive`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something stored is not what it was. Never holds content."""

    where: str
    """Such as `record 0190..., claim source`."""
    what: str

    def __str__(self) -> str:
        """For a person, in the grammar of errors."""
        return f"{self.what} ({self.where}) - keep the database as it is, and compare a good copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What recomputing everything came to."""

    difference: Difference | None
    """The first one; None when everything that could be recomputed is what it must be."""
    other_rules: Mapping[str, int]
    """How many revisions could not be derived again from their record, by the rules that made them.

    Their bytes, header and leaf were checked all the same: they are what was sealed when they were
    made. What stays open is whether those rules make them of the record.
    """
    other_index: Mapping[str, int]
    """How many resources other rules indexed than this program has, by the name of those rules."""
    underived: Mapping[str, int]
    """How many records could not be converted again, by the reason; empty where nobody asked."""


class _Units(Protocol):
    def unit(self) -> AbstractContextManager[None]: ...


_Row = TypeVar("_Row")
_Key = TypeVar("_Key")


def pages(
    stored: _Units,
    read: Callable[[_Key, int], Sequence[_Row]],
    first: _Key,
    place: Callable[[_Row], _Key],
    told: Callable[[int], None],
) -> Iterator[Sequence[_Row]]:
    """Every page of a table, each read in a unit of its own.

    Args:
        stored: whose units they are.
        read: a page of rows behind a place.
        first: the place before the first row.
        place: of a row.
        told: how many rows so far, after each page.
    """
    after, done = first, 0
    while True:
        with stored.unit():
            page = read(after, PAGE)
        if not page:
            return
        yield page
        after, done = place(page[-1]), done + len(page)
        told(done)
