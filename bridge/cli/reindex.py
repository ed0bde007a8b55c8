"""`db reindex`: search rows made again, with progress."""

import sys

from rich.console import Console
from rich.progress import Progress

from bridge.core.search.index import RULES
from bridge.flows.reindex import reindex
from bridge.ports.versions import Reindexing

__all__ = ["say_reindexed"]


def say_reindexed(versions: Reindexing, *, every: bool) -> None:
    """Do it, and say how many resources it were."""
    with versions.unit():
        total = versions.count_otherwise(every=every)
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        row = bar.add_task("resources", total=total)
        done = reindex(
            versions=versions, progress=lambda count: bar.update(row, completed=count), every=every
        )
    sys.stdout.write(f"indexed again: {done} resources, by {RULES}\n")
