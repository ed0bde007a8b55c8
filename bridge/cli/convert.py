"""`fhir-anchor convert`: HL7v2 or FHIR files to canonical bundles, without database or network."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import CanonicalBundle, Finding
from bridge.ports.dialect import Dialect

__all__ = ["Batch", "Converters", "Given", "convert", "given", "messages_of"]

_BEFORE_JSON = b"\xef\xbb\xbf \t\r\n"


class Batch(Protocol):
    """The messages of one file, and what was odd about the file."""

    @property
    def messages(self) -> Sequence[bytes]:
        """At least one."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Counts that do not agree, text outside of messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converters:
    """What the command needs of the dialects."""

    hl7v2: Dialect
    fhir: Dialect
    split: Callable[[bytes], Batch]
    residue: Callable[[bytes, str], Sequence[str]]
    """Populated positions of a message that nothing consumed, such as `PV1-20`; (raw, sender)."""
    documents: Callable[[bytes, str], Sequence[tuple[str, bytes]]]
    """Names and bytes of the documents in a message; (raw, sender)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One message of one file."""

    name: str
    """The file's path, with `#n` where the file holds several."""
    raw: bytes
    fhir: bool


def convert(
    files: Sequence[Path],
    converters: Converters,
    *,
    sender: str,
    residue: bool,
    pretty: bool,
    documents: Path | None = None,
) -> None:
    """One canonical bundle a line on standard output, in the order of the files.

    Documents of HL7v2 messages are also put into the folder `documents`, each under its hash.
    What is refused is one line on standard error, and exit 1 at the end, or 2 where no file could
    be read; the others are converted.
    """
    refused = unread = 0
    for path in files:
        try:
            found = given(path, converters.split)
        except BridgeError as error:
            unread += 1
            _say(error)
            continue
        for message in found:
            try:
                _write(_converted(message, converters, sender), pretty=pretty)
                if residue and not message.fhir:
                    _report(message, converters, sender)
                if documents is not None and not message.fhir:
                    _put(converters.documents(message.raw, sender), documents)
            except BridgeError as error:
                refused += 1
                sys.stderr.write(f"{message.name}: {error}\n")
    if unread or refused:
        raise typer.Exit(2 if unread == len(files) else 1)


def given(path: Path, split: Callable[[bytes], Batch]) -> list[Given]:
    """The messages of one file; what is odd about the file goes to standard error.

    Raises:
        BridgeError: `input-unreadable`.
    """
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
    if data.lstrip(_BEFORE_JSON)[:1] in {b"{", b"["}:
        return [Given(name=str(path), raw=data, fhir=True)]
    return list(messages_of(path, split(data)))


def messages_of(path: Path, batch: Batch) -> Iterator[Given]:
    """The messages of a file that is split already, numbered where there are several."""
    for finding in batch.findings:
        sys.stderr.write(f"{path}: {finding.text} ({finding.where})\n")
    for number, raw in enumerate(batch.messages, start=1):
        name = str(path) if len(batch.messages) == 1 else f"{path}#{number}"
        yield Given(name=name, raw=raw, fhir=False)


def _converted(message: Given, converters: Converters, sender: str) -> CanonicalBundle:
    dialect = converters.fhir if message.fhir else converters.hl7v2
    return dialect.convert(message.raw, sender=sender)


def _write(bundle: CanonicalBundle, *, pretty: bool) -> None:
    """The bundle's own bytes, which are one line; indented for a reader only if asked."""
    sys.stdout.write(_indented(bundle.canonical) if pretty else bundle.canonical.decode() + "\n")


def _put(documents: Sequence[tuple[str, bytes]], folder: Path) -> None:
    """Each under its own name: one that is there already has the same bytes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in documents:
            (folder / name).write_bytes(data)
    except OSError as error:
        raise BridgeError(
            "documents-unwritable",
            Fault.OPERATOR,
            what=f"a document cannot be written: {error.strerror}",
            where=str(folder),
            do="name a folder that can be written",
        ) from error


def _indented(data: bytes) -> str:
    """With white space between tokens and every token as it stands: 7.40 stays 7.40."""
    text, made, depth, at = data.decode(), [], 0, 0
    while at < len(text):
        character = text[at]
        if character == '"':
            end = _end_of_string(text, at)
            made.append(text[at:end])
            at = end
            continue
        if character in "{[":
            depth += 1
            made.append(character + _line(depth))
        elif character in "}]":
            depth -= 1
            made.append(_line(depth) + character)
        else:
            made.append({",": "," + _line(depth), ":": ": "}.get(character, character))
        at += 1
    return "".join(made) + "\n"


def _line(depth: int) -> str:
    return "\n" + "  " * depth


def _end_of_string(text: str, start: int) -> int:
    """Behind the closing quote of the string that starts there; a backslash hides one character."""
    at = start + 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _report(message: Given, converters: Converters, sender: str) -> None:
    """What of the message nothing consumed, as a JSON line on standard error."""
    envelope = converters.hl7v2.envelope(message.raw, sender=sender)
    line = {
        "input": message.name,
        "sender": envelope.sender,
        "type": envelope.message_type,
        "control_id": envelope.control_id,
        "unconsumed": list(converters.residue(message.raw, sender)),
    }
    sys.stderr.write(json.dumps(line) + "\n")


def _say(error: BridgeError) -> None:
    """`file: what - do`, where the place of the refusal is the file itself."""
    sys.stderr.write(f"{error.where}: {error.what} - {error.do}\n")
