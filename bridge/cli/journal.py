"""What of an unfinished run was answered: a restarted run sends none of it again."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

__all__ = ["Journal", "journal_of"]


class Journal:
    """A line for each answered input, on disk before the next one is sent.

    A run that is killed between an answer and its line sends that one input again; the node knows
    it by its bytes and answers as before.
    """

    def __init__(self, path: Path) -> None:
        """Read what an earlier run left; a line that was cut off counts for nothing."""
        self._path = path
        lines = path.read_text("ascii", errors="replace").split("\n") if path.exists() else []
        self._answered = set(lines[:-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        if lines and lines[-1]:
            self._file.write(b"\n")

    def has(self, name: str, message: bytes) -> bool:
        """This input with these bytes was answered."""
        return _key(name, message) in self._answered

    def add(self, name: str, message: bytes) -> None:
        """It was answered; on disk when this returns."""
        self._file.write(_key(name, message).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        """The run is complete: nothing is left to go on with."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The journal, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; the file stays unless the run was finished."""
        self._file.close()


def journal_of(data: Path, url: str, paths: Sequence[Path]) -> Path:
    """Where a run of these inputs to this node keeps its journal: one file an unfinished run."""
    run = "\0".join([url, *(str(path.absolute()) for path in paths)])
    return (
        data / f"ingest-{sha256(run.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.journal"
    )


def _key(name: str, message: bytes) -> str:
    named = name.encode("utf-8", "surrogateescape")
    return sha256(len(named).to_bytes(8) + named + message).hexdigest()
