"""The newest head that was ever published or seen on a chain, in a file of the data folder.

Written with each checkpoint, so a database that is restored from a backup is signed upon by nobody,
however young the backup is and whether or not the chain tells its newest head.
"""

import json

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.durable import replace_file
from bridge.ports.logbook import AnchoredHead
from bridge.settings import Settings

__all__ = ["MARK_FILE", "keep_mark", "read_mark"]

MARK_FILE = "high-water.json"


def read_mark(settings: Settings) -> AnchoredHead | None:
    """What was kept last; None when nothing ever was.

    Raises:
        BridgeError: `high-water-unreadable`; nothing is signed until a person has looked.
    """
    file = settings.data / MARK_FILE
    if not file.exists():
        return None
    try:
        mark = json.loads(file.read_text("ascii"))
        return AnchoredHead(size=TreeSize(mark["size"]), root=Digest(bytes.fromhex(mark["root"])))
    except (ValueError, KeyError, TypeError) as error:
        raise BridgeError(
            "high-water-unreadable",
            Fault.OPERATOR,
            what="the file that says which head was newest cannot be read",
            where=str(file),
            do="compare the log with its anchors by `fhir-anchor audit`, then remove the file",
        ) from error


def keep_mark(settings: Settings, head: AnchoredHead) -> None:
    """Replace it, if this head is larger."""
    before = read_mark(settings)
    if before is not None and head.size <= before.size:
        return
    mark = json.dumps({"size": head.size, "root": head.root.hex()})
    replace_file(settings.data / MARK_FILE, mark.encode(), mode=0o644)
