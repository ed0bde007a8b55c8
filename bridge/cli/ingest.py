"""`fhir-anchor ingest`: files, folders and batches to a running node, with progress.

Sending again is harmless: the node knows a message by sender, control id and bytes, and gives the
first answer once more. So a run that was cut off is simply started again.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import track

from bridge.cli.convert import Batch, messages_of
from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault

__all__ = ["SUFFIXES", "files_of", "ingest"]

SUFFIXES = frozenset({".hl7", ".hl7v2", ".txt", ".er7", ".json", ".dat"})
"""What is picked up from a folder; a file that is named outright is sent whatever its name."""
HL7 = "application/hl7-v2"
FHIR = "application/fhir+json"

Split = Callable[[bytes], Batch]
"""A file with several HL7v2 messages, batch headers or not, into its messages."""


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Every file to send, in order of name within a folder.

    Raises:
        BridgeError: `input-missing` for a path that is not there.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise BridgeError(
                "input-missing",
                Fault.OPERATOR,
                what="there is no such file or folder",
                where=str(path),
                do="check the path",
            )
        inside = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
        found += inside if path.is_dir() else [path]
    return found


def ingest(paths: Sequence[Path], node: Node, split: Split) -> None:
    """Send everything; one JSON line an input on standard output; exit 1 when any was refused."""
    refused = 0
    progress = Console(file=sys.stderr)
    quiet = not progress.is_terminal
    for path in track(files_of(paths), "sending", console=progress, disable=quiet):
        for name, message, kind in _messages(path, split):
            line = _send(node, name, message, kind)
            refused += line["status"] not in {"stored", "duplicate"}
            sys.stdout.write(json.dumps(line) + "\n")
    if refused:
        raise typer.Exit(1)


def _messages(path: Path, split: Split) -> Iterator[tuple[str, bytes, str]]:
    data = path.read_bytes()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        yield str(path), data, FHIR
        return
    for message in messages_of(path, split(data)):
        yield message.name, message.raw, HL7


def _send(node: Node, name: str, message: bytes, kind: str) -> dict[str, str]:
    try:
        response = node.post("/fhir" if kind == FHIR else "/hl7v2", message, kind)
    except BridgeError as error:
        if error.code in {"node-unreachable", "token-unknown", "access-refused"}:
            raise
        return {"input": name, "record": "", "status": "refused", "ack": str(error)}
    record = response.headers.get("x-record-id", "")
    status = response.headers.get("x-record-status", "stored")
    ack = response.text if kind == HL7 else ""
    return {"input": name, "record": record, "status": status, "ack": ack}
