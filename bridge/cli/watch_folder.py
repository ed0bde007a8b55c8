"""`fhir-anchor watch-folder`: what is put into a folder is sent, then moved to done or refused.

    FOLDER/a.hl7  ->  FOLDER/done/a.hl7 + a.hl7.result     every message was taken
                      FOLDER/refused/a.hl7 + a.hl7.result  at least one was not

A result file holds the JSON lines that `ingest` prints. A file is taken when its size and time
stood still for one look; who writes slowly writes under another suffix and renames.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.cli.ingest import SUFFIXES, Line, Split, send_file
from bridge.cli.journal import Journal
from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault

__all__ = ["DONE", "REFUSED", "Seen", "look", "watch_folder"]

DONE, REFUSED = "done", "refused"
JOURNAL = ".fhir-anchor.journal"

Seen = dict[Path, tuple[int, int]]
"""Size and time of each file at the last look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One file that was dealt with."""

    path: Path
    """Where it is now."""
    taken: int
    refused: int


def watch_folder(
    folder: Path,
    node: Node,
    split: Split,
    *,
    every_s: float,
    stop: threading.Event,
    say: Callable[[str], None],
) -> None:
    """Look until `stop` is set; a node that is down keeps its files waiting.

    Raises:
        BridgeError: `folder-missing`, or an access that the node refuses.
    """
    if not folder.is_dir():
        raise BridgeError(
            "folder-missing",
            Fault.OPERATOR,
            what="there is no such folder",
            where=str(folder),
            do="make it, and let this process write to it",
        )
    seen: Seen = {}
    down = False
    while not stop.is_set():
        try:
            for moved in look(folder, node, split, seen, stop=stop):
                say(f"{moved.path}: {moved.taken} taken, {moved.refused} refused")
            down = False
        except BridgeError as error:
            if error.fault is not Fault.PEER:
                raise
            if not down:
                say(str(error))
            down = True
        stop.wait(every_s)


def look(
    folder: Path, node: Node, split: Split, seen: Seen, *, stop: threading.Event
) -> Iterator[Moved]:
    """Send every file that stood still since `seen`, oldest first; then `seen` is of now.

    Raises:
        BridgeError: the node is down or refuses access; the file stays, and what of it was answered
            is not sent again.
    """
    before = dict(seen)
    seen.clear()
    seen.update(_files(folder))
    for path in sorted(seen, key=lambda one: (seen[one][1], one.name)):
        if stop.is_set():
            return
        if before.get(path) == seen[path]:
            yield _deal_with(path, folder, node, split)
            del seen[path]


def _files(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    for path in folder.iterdir():
        if path.suffix.lower() in SUFFIXES and path.is_file():
            with contextlib.suppress(FileNotFoundError):  # renamed by its writer meanwhile
                about = path.stat()
                yield path, (about.st_size, about.st_mtime_ns)


def _deal_with(path: Path, folder: Path, node: Node, split: Split) -> Moved:
    with Journal(folder / JOURNAL) as journal:
        lines = list(send_file(path, node, split, journal))
        refused = sum(not line.taken for line in lines)
        place = _move(path, folder / (REFUSED if refused else DONE), lines)
        journal.finish()
    return Moved(path=place, taken=len(lines) - refused, refused=refused)


def _move(path: Path, into: Path, lines: list[Line]) -> Path:
    """The result first: a file in `done` always has its result beside it."""
    into.mkdir(exist_ok=True)
    place = into / path.name
    number = 1
    while place.exists():
        number += 1
        place = into / f"{path.stem}.{number}{path.suffix}"
    text = "".join(line.text() + "\n" for line in lines)
    place.with_name(place.name + ".result").write_text(text, "utf-8")
    return path.rename(place)
