"""Recompute everything stored and compare: the first difference is named, or there is none.

Trusts nothing but the log's verifier key. The order is that of the data: records, what was made of
them, the log over both, what was said of the log elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain

from bridge.core.log.note import VerifierKey
from bridge.flows.fsck.anchors import attempts, stamps
from bridge.flows.fsck.events import events
from bridge.flows.fsck.finding import Derive, Difference, Progress, Recomputed
from bridge.flows.fsck.log import checkpoints, tiles, tree
from bridge.flows.fsck.records import mappings, owed, records, refusals
from bridge.flows.fsck.revisions import revisions
from bridge.flows.fsck.served import accesses, currents, strays
from bridge.ports.anchors import Attempt
from bridge.ports.logbook import LogBook
from bridge.ports.stored import Stored

__all__ = ["Derive", "Difference", "Progress", "Recomputed", "fsck"]


def fsck(
    *,
    stored: Stored,
    book: LogBook,
    verifiers: Sequence[VerifierKey],
    transaction: Callable[[Attempt], str | None],
    progress: Progress,
    derive: Derive | None = None,
) -> Recomputed:
    """The first difference between what is stored and what it must be, if there is one.

    Reads in pages, so it runs beside a working node. It takes no lock and changes nothing.

    Args:
        stored: everything, row by row.
        book: leaves, tiles, head.
        verifiers: the log's keys, for its checkpoints.
        transaction: what an attempt's signed bytes say otherwise than its columns; None when they
            say the same. Known to the chain's own library alone.
        progress: called after every page.
        derive: converts a record again; without it bundles are only what was sealed.
    """
    other: Counter[str] = Counter()
    other_index: Counter[str] = Counter()
    underived: Counter[str] = Counter()
    steps = (
        mappings(stored),
        records(stored, progress, derive, underived),
        refusals(stored),
        owed(stored),
        revisions(stored, progress, other),
        accesses(stored, progress),
        strays(stored),
        currents(stored, progress, other_index),
        events(stored, progress),
        tree(book, progress),
        tiles(stored, book),
        checkpoints(stored, book, verifiers),
        stamps(stored),
        attempts(stored, book, transaction, progress),
    )
    first = next(chain.from_iterable(steps), None)
    return Recomputed(
        difference=first, other_rules=other, other_index=other_index, underived=underived
    )
