"""The newest head that was ever published or seen on a chain, in a file of the data folder.

Written with each checkpoint, so a database that is restored from a backup is signed upon by nobody,
however young the backup is and whether or not the chain tells its newest head.
"""

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
    """Replace it, if this head is larger."""
    before = read_mark(settings)
    if before is not None and head.size <= before.size:
        return
    mark = json.dumps({"size": head.size, "root": head.root.hex()})
    replace_whole(settings.data / MARK_FILE, mark)


def replace_whole(file: Path, text: str) -> None:
    """Whole or not at all: a reader, or a start after a crash, never sees half of it.

    Each process has a draft of its own, for several workers write the same file.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(file)
