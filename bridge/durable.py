"""Small files that a crash, a full disk or a second process leaves whole.

Each is written beside its name, brought to disk, and only then given the name; a reader sees the
old file or the new one. A draft that could not be written does not stay.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["create_file", "replace_file"]


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put these bytes in the place of a file that may be there; on disk when this returns.

    Raises:
        OSError: the file is as it was.
    """
    with _draft(path, data, mode) as draft:
        draft.replace(path)


def create_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Give these bytes the name, unless a file has it already: that one stays as it is.

    Raises:
        OSError: nothing was made.
    """
    with _draft(path, data, mode) as draft, suppress(FileExistsError):
        path.hardlink_to(draft)  # unlike a rename, never takes the name from another process's


@contextmanager
def _draft(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Its own for each process. What a namesake left that was killed is in nobody's way."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
