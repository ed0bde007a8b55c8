"""`map coverage` and `map diff` over what a node has stored: places and counts, never a value.

An overlay is previewed on real messages before it is put to work, by somebody who may change
mappings and need not see patients.
"""

import sys
from collections import Counter
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.progress import Progress

from bridge.cli.facts import changed_paths
from bridge.cli.mapping import Mappings, anywhere, say_coverage
from bridge.core.errors import BridgeError, Fault
from bridge.ports.stored import Stored, StoredRecord

__all__ = ["coverage_stored", "preview"]

PAGE = 100
"""Records a read: a few megabytes."""
DIALECT = "hl7v2"


def coverage_stored(mappings: Mappings, stored: Stored, *, sender: str, last: int) -> None:
    """Populated positions that nothing reads, over the newest messages of a sender.

    Raises:
        BridgeError: `records-none`.
    """
    unread, read, refused = Counter[str](), 0, 0
    rules = mappings.rules(sender if sender in mappings.names else "")
    for record in _newest(stored, sender, last):
        try:
            unread.update({anywhere(position) for position in rules.residue(record.source)})
            read += 1
        except BridgeError:
            refused += 1
    say_coverage(unread, read)
    if refused:
        sys.stderr.write(f"{refused} messages are refused by the rules of today\n")


def preview(mappings: Mappings, stored: Stored, old: str, new: str, *, last: int) -> None:
    """Which elements come out otherwise, and in how many of the newest messages; exit 1 if any.

    The messages are those of the sender that `new` is about, or of all senders where it is none.

    Raises:
        BridgeError: of a wrong overlay; `records-none`.
    """
    first, second = mappings.rules(old), mappings.rules(new)
    sender = next((name for name in (new, old) if name in mappings.names), "")
    paths, changed, done = Counter[str](), 0, 0
    for record in _newest(stored, sender, last):
        found = changed_paths(first, second, record.source)
        paths.update(found)
        changed += bool(found)
        done += 1
    of = f" of {sender}" if sender else ""
    sys.stdout.write(f"{changed} of {done} stored messages{of} come out otherwise\n")
    for path, count in sorted(paths.items(), key=lambda item: (-item[1], item[0][2:], item[0])):
        sys.stdout.write(f"{count:6}  {path}\n")
    if changed:
        raise typer.Exit(1)


def _newest(stored: Stored, sender: str, last: int) -> Iterator[StoredRecord]:
    """At most `last` records, newest first, with a progress bar for a person."""
    console = Console(file=sys.stderr)
    before, done = 0, 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        row = bar.add_task("messages", total=last)
        while done < last:
            with stored.unit():
                page = stored.newest(sender, DIALECT, before, min(PAGE, last - done))
            for record in page:
                yield record
                done += 1
                bar.update(row, completed=done)
            if not page:
                break
            before = page[-1].seq
    if not done:
        raise BridgeError(
            "records-none",
            Fault.OPERATOR,
            what=f"the node has stored no HL7v2 message{f' of {sender}' if sender else ''}",
            where="--data",
            do="give files or a folder instead, or another sender",
        )
