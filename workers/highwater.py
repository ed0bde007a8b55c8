"""The newest head that was ever seen outside the database, in a file of the data folder."""

import json
import os
from pathlib import Path

from bridge.core.ids import Digest, TreeSize
from bridge.ports.logbook import AnchoredHead
from bridge.settings import Settings

__all__ = ["MARK_FILE", "keep_mark", "read_mark", "replace_whole"]

MARK_FILE = "high-water.json"


def read_mark(settings: Settings) -> AnchoredHead | None:
    """What was kept last; None when nothing ever was."""
    file = settings.data / MARK_FILE
    if not file.exists():
        return None
    mark = json.loads(file.read_text("ascii"))
    return AnchoredHead(size=TreeSize(mark["size"]), root=Digest(bytes.fromhex(mark["root"])))


def keep_mark(settings: Settings, head: AnchoredHead) -> None:
    """Replace it; the caller sees to it that it only grows."""
    mark = json.dumps({"size": head.size, "root": head.root.hex()})
    replace_whole(settings.data / MARK_FILE, mark)


def replace_whole(file: Path, text: str) -> None:
    """Whole or not at all: a reader, or a start after a crash, never sees half of it.

    Each process has a draft of its own, for several workers write the same file.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(file)
