"""`fhir-anchor ingest`: files, folders and batches to a running node, with progress.

A run that was cut off is started again with the same words: its journal says what was answered.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import track

from bridge.cli.convert import Batch
from bridge.cli.journal import Journal
from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault

__all__ = ["SUFFIXES", "Line", "Split", "files_of", "ingest", "send_file"]

SUFFIXES = frozenset({".hl7", ".hl7v2", ".txt", ".er7", ".json", ".dat"})
"""What is picked up from a folder; a file that is named outright is sent whatever its name."""
HL7 = "application/hl7-v2"
FHIR = "application/fhir+json"
FINDING = "finding"
"""Status of a line about the file itself: a count of its trailers that is not so."""
TAKEN = frozenset({"stored", "duplicate", "sent-before", FINDING})
BEYOND_ONE_INPUT = frozenset({"node-unreachable", "token-unknown", "access-refused"})
"""Refusals that the next input would meet too."""

Split = Callable[[bytes], Batch]
"""A file with several HL7v2 messages, batch headers or not, into its messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one input."""

    input: str
    """The file, with `#n` where it holds several messages."""
    status: str
    """stored, duplicate, quarantined, refused, sent-before, or finding."""
    record: str = ""
    ack: str = ""

    @property
    def taken(self) -> bool:
        """Nobody needs to look at it."""
        return self.status in TAKEN

    def text(self) -> str:
        """One JSON object."""
        return json.dumps(
            {"input": self.input, "record": self.record, "status": self.status, "ack": self.ack}
        )


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


def ingest(paths: Sequence[Path], node: Node, split: Split, journal: Journal) -> None:
    """Send everything; one JSON line an input on standard output; exit 1 when any was refused."""
    refused = 0
    progress = Console(file=sys.stderr)
    quiet = not progress.is_terminal
    for path in track(files_of(paths), "sending", console=progress, disable=quiet):
        for line in send_file(path, node, split, journal):
            refused += not line.taken
            sys.stdout.write(line.text() + "\n")
    journal.finish()
    if refused:
        raise typer.Exit(1)


def send_file(path: Path, node: Node, split: Split, journal: Journal) -> Iterator[Line]:
    """Send what the journal does not hold; a line an input, as it is answered.

    Raises:
        BridgeError: `input-unreadable`, or a refusal that the next input would meet too, such as
            `node-unreachable`.
    """
    for name, message, kind in _inputs(path, split):
        if kind == FINDING:
            yield Line(input=name, status=FINDING, ack=message.decode())
        elif journal.has(name, message):
            yield Line(input=name, status="sent-before")
        else:
            line = _send(node, name, message, kind)
            journal.add(name, message)
            yield line


def _inputs(path: Path, split: Split) -> Iterator[tuple[str, bytes, str]]:
    """The file's findings, then its messages with their names."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BridgeError(
            "input-unreadable",
            Fault.OPERATOR,
            what=f"the file cannot be read: {error.strerror}",
            where=str(path),
            do="check the path and its permissions",
        ) from error
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        yield str(path), data, FHIR
        return
    batch = split(data)
    for finding in batch.findings:
        yield str(path), f"{finding.text} ({finding.where})".encode(), FINDING
    for number, raw in enumerate(batch.messages, start=1):
        yield str(path) if len(batch.messages) == 1 else f"{path}#{number}", raw, HL7


def _send(node: Node, name: str, message: bytes, kind: str) -> Line:
    try:
        response = node.post("/fhir" if kind == FHIR else "/hl7v2", message, kind)
    except BridgeError as error:
        if error.code in BEYOND_ONE_INPUT or error.fault is not Fault.SENDER:
            raise
        status = "quarantined" if error.kept_as else "refused"
        return Line(input=name, record=error.kept_as, status=status, ack=str(error))
    return Line(
        input=name,
        record=response.headers.get("x-record-id", ""),
        status=response.headers.get("x-record-status", "stored"),
        ack=response.text if kind == HL7 else "",
    )
