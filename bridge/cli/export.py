"""`fhir-anchor receipt export`: parts of a receipt for other tools. Imports core alone."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import instant
from bridge.core.proof.export import Export
from bridge.core.proof.export import export as exported
from bridge.core.proof.receipt import MAX_SIZE

__all__ = ["export"]


def export(receipt: Path, kind: Export, output: Path | None) -> None:
    """Write the part to a file, else to standard output.

    Beside the file of a stamp, the checkpoint that was stamped is written under the same name
    without its last suffix, unless there is such a file: the tools want both.

    Raises:
        BridgeError: `receipt-file`; what the export says.
    """
    try:
        with receipt.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise BridgeError(
            "receipt-file",
            Fault.OPERATOR,
            what=f"the receipt cannot be read: {error.strerror}",
            where=str(receipt),
            do="name a file that holds a receipt",
        ) from error
    made = exported(data, kind, at=instant(datetime.now(UTC)))
    if output is None:
        sys.stdout.buffer.write(made.data)
        return
    output.write_bytes(made.data)
    if made.stamped is not None and output.suffix and not output.with_suffix("").exists():
        output.with_suffix("").write_bytes(made.stamped)
