"""`fhir-anchor receipt`: fetch the receipt of a record from a running node."""

import sys
import time
from pathlib import Path

from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault

__all__ = ["STAGES", "fetch_receipt", "wait_for"]

STAGES = ("stored", "sequenced", "anchored", "final")
POLL_S = 1.0
LONGEST_WAIT_S = 3600.0
"""Ethereum's finality takes a quarter of an hour; after an hour somebody has to look."""


def fetch_receipt(node: Node, record: str, file: Path | None, wait: str | None) -> None:
    """Write the receipt to the file, else to standard output; `wait` names a stage to wait for.

    Raises:
        BridgeError: what the node says; `receipt-late` when the stage is not reached in time.
    """
    if wait is not None:
        wait_for(node, record, wait)
    receipt = node.get(f"/records/{record}/receipt").content
    if file is None:
        sys.stdout.buffer.write(receipt + b"\n")
    else:
        file.write_bytes(receipt)


def wait_for(node: Node, record: str, stage: str) -> None:
    """Return when the record has reached that stage.

    Raises:
        BridgeError: `receipt-late` when it never will, or did not within an hour.
    """
    limit = time.monotonic() + LONGEST_WAIT_S
    while True:
        reached = str(node.get(f"/records/{record}").json()["status"])
        if reached in STAGES and STAGES.index(reached) >= STAGES.index(stage):
            return
        if reached not in STAGES or time.monotonic() > limit:
            raise BridgeError(
                "receipt-late",
                Fault.PEER,
                what=f"the record is {reached}, not {stage}",
                where=f"record {record[:64]}",
                do="look at /readyz of the node",
            )
        time.sleep(POLL_S)
