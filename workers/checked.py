"""Which mappings passed the type check, in a file of the node's folder.

Loading all mappings takes 0.15 s; importing the R4 models for the type check takes 0.6 s more, and
a mapping whose digest passed once passes again. The file holds digests and nothing that runs:
whoever forges it can let a wrong row load, which `senders.validate_bundles` finds.
"""

import os
import stat
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from bridge.core.ids import Digest

__all__ = ["FILE", "CheckedFile"]

FILE = "mappings.checked"
KEPT = 1_000
"""Digests; each change of an overlay or of the code makes one a sender."""


class CheckedFile:
    """`adapters.hl7v2.dialect.Checked` on a file; one that cannot be used is passed over."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet. A folder that is not there is not made."""
        self._file = folder / FILE

    def passed(self, mapping: Digest) -> bool:
        """Whether this mapping passed, by the models that are installed."""
        return mapping.hex() in self._known

    def note(self, mapping: Digest) -> None:
        """It passed just now; a file that cannot be written costs the next start half a second."""
        self._known.append(mapping.hex())
        draft = self._file.with_name(f"{FILE}.{os.getpid()}")
        try:
            if not self._file.parent.is_dir():
                return
            draft.unlink(missing_ok=True)
            with open(draft, "x", opener=_private, encoding="ascii") as file:
                file.write("\n".join([_models(), *self._known[-KEPT:], ""]))
            draft.replace(self._file)
        except OSError:
            return

    @cached_property
    def _known(self) -> list[str]:
        try:
            found = self._file.stat()
            others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if found.st_uid != os.geteuid() or others or not stat.S_ISREG(found.st_mode):
                return []
            first, *rest = self._file.read_text("ascii").splitlines() or [""]
        except (OSError, UnicodeDecodeError):
            return []
        return rest[-KEPT:] if first == _models() else []


def _models() -> str:
    return f"fhir.resources {version('fhir.resources')}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
