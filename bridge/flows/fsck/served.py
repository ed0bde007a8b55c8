"""What is served and by whom it was read: accesses, the search index, rows without a reason."""

from collections import Counter
from collections.abc import Iterator
from typing import cast

from bridge.core.ids import instant_text
from bridge.core.plain import plain
from bridge.core.policy.audit import access_leaf, event_facts
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import parse
from bridge.core.search.index import RULES, IndexRow, index_rows
from bridge.flows.fsck.finding import PAGE, Difference, Progress
from bridge.ports.stored import Stored

__all__ = ["accesses", "currents", "strays"]


def accesses(stored: Stored, progress: Progress) -> Iterator[Difference]:
    """Each access leads to its leaf, and can be found by whom its event names."""
    after, done = 0, 0
    while True:
        with stored.unit():
            page = stored.accesses(after, PAGE)
        if not page:
            return
        for one in page:
            where = f"access {one.id}"
            if one.leaf != access_leaf(one.event, one.salts):
                what = "has no leaf" if one.leaf is None else "it does not lead to its leaf"
                yield Difference(where=f"{where}, leaf", what=what)
            elif event_facts(one.event) != (one.id, instant_text(one.at), one.patients):
                what = "its id, time or patients are not those of its event"
                yield Difference(where=where, what=what)
        after, done = page[-1].seq, done + len(page)
        progress("accesses", done)


def currents(stored: Stored, progress: Progress, other: Counter[str]) -> Iterator[Difference]:
    """Each resource is found by what its newest version says, and by nothing else.

    Args:
        stored: everything.
        progress: called after every page.
        other: counts, by the name of their rules, resources that these rules index otherwise.
    """
    after, done = None, 0
    while True:
        with stored.unit():
            page = stored.currents(after, PAGE)
        if not page:
            return
        for one in page:
            made = index_rows(cast("JsonObject", parse(one.body))) if one.body else ()
            if Counter(map(_searched, made)) == Counter(map(_searched, one.rows)):
                continue
            if one.rules != RULES:
                other[one.rules] += 1
            else:
                yield Difference(
                    where=f"search index of {one.ref}",
                    what="its rows are not those that this program makes of the newest version",
                )
        after, done = page[-1].ref, done + len(page)
        progress("resources", done)


def _searched(row: IndexRow) -> tuple[object, ...]:
    """A row by value, with texts as a database can hold them."""
    parts = (getattr(row, name) for name in type(row).__slots__)
    return (type(row), *(plain(part) if isinstance(part, str) else part for part in parts))


def strays(stored: Stored) -> Iterator[Difference]:
    """No row stands for nothing."""
    with stored.unit():
        stray = stored.stray()
    if stray is not None:
        yield Difference(where=stray, what="nothing accounts for this row: another was removed")
