"""Search rows made again by the rules of this program, page by page, beside a working node."""

from collections.abc import Callable

from bridge.core.search.index import index_rows
from bridge.ports.versions import Reindexing

__all__ = ["reindex"]

PAGE = 200
"""Resources a transaction: whoever writes one of them waits some tens of milliseconds."""


def reindex(*, versions: Reindexing, progress: Callable[[int], None], every: bool = False) -> int:
    """Make the search rows again of resources that other rules indexed; how many it were.

    Each page is durable by itself, and a resource that was done says so: a run that was cut off
    goes on where it stopped. A page holds its resources as the projector does and in its order, so
    that neither writes rows of a version that the other replaced.

    Args:
        versions: where resources live.
        progress: called after every page with the number so far.
        every: also those that the rules of this program indexed, after somebody changed the rows.
    """
    after, done = None, 0
    while True:
        with versions.unit():
            page = versions.indexed_otherwise(after, PAGE, every=every)
            states = versions.current(page) if page else {}
            versions.index_again(
                {ref: index_rows(one.body) if one.body else () for ref, one in states.items()}
            )
        if not page:
            return done
        after, done = page[-1], done + len(page)
        progress(done)
