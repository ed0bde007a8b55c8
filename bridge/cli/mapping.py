"""`fhir-anchor map`: check, explain, coverage, diff and test of mapping rules, without a node."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import typer

from bridge.cli.convert import Batch, Given, given
from bridge.cli.expectations import failures, parse_expectations
from bridge.cli.facts import outcome
from bridge.cli.ingest import files_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.record import canon
from bridge.core.record.bundle import CanonicalBundle

__all__ = [
    "Lineage",
    "Mappings",
    "Rules",
    "anywhere",
    "check",
    "coverage",
    "diff",
    "explain",
    "say_coverage",
    "test",
]


class Lineage(Protocol):
    """One row that read one position for one element."""

    @property
    def row(self) -> str:
        """Row id with file and line."""

    @property
    def source(self) -> str:
        """HL7 position."""

    @property
    def target(self) -> str:
        """Element of a resource."""


class Rules(Protocol):
    """The rules of one sender, or of all senders, each for the messages that it matches."""

    @property
    def summary(self) -> str:
        """Name, number of maps and rows, mapping digest."""

    def convert(self, raw: bytes) -> CanonicalBundle:
        """The bundle. Raises BridgeError."""

    def explain(self, raw: bytes, question: str) -> Sequence[Lineage]:
        """Rows behind an element or a position. Raises BridgeError."""

    def residue(self, raw: bytes) -> Sequence[str]:
        """Populated positions that no row read. Raises BridgeError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mappings:
    """What the commands need of the dialect."""

    names: Sequence[str]
    """Senders of this node, by the names of their overlay files."""
    rules: Callable[[str], Rules]
    """Rules of a sender's name or an overlay's path; `base` without overlay; empty for every
    sender by what it matches. Raises BridgeError with file and line of what is wrong."""
    split: Callable[[bytes], Batch]
    check_all: Callable[[], None]
    """Refuses senders that cannot stand side by side. Raises BridgeError."""


def check(mappings: Mappings, overlays: Sequence[Path]) -> None:
    """Compile and type-check the shipped rules and every overlay; exit 1 if one fails."""
    wrong = 0
    for name in ("base", *(map(str, overlays) if overlays else mappings.names)):
        try:
            sys.stdout.write(f"ok  {mappings.rules(name).summary}\n")
        except BridgeError as error:
            wrong += 1
            sys.stdout.write(f"NO  {error}\n")
    if not overlays and not wrong:
        try:
            mappings.check_all()
        except BridgeError as error:
            wrong += 1
            sys.stdout.write(f"NO  {error}\n")
    if wrong:
        raise typer.Exit(1)


def explain(mappings: Mappings, file: Path, question: str, *, sender: str) -> None:
    """Which rows made an element (`Observation.status`), or what became of a field (`OBX-11`)."""
    rules = mappings.rules(sender)
    for message in _messages([file], mappings):
        for line in rules.explain(message.raw, question):
            sys.stdout.write(f"{line.source:14} -> {line.target}\n{'':17} row {line.row}\n")


def coverage(mappings: Mappings, paths: Sequence[Path], *, sender: str) -> None:
    """Populated positions that nothing read, the most frequent first, over all messages."""
    rules, unread, read = mappings.rules(sender), Counter[str](), 0
    for message in _messages(files_of(paths), mappings):
        try:
            unread.update({anywhere(position) for position in rules.residue(message.raw)})
            read += 1
        except BridgeError as error:
            sys.stderr.write(f"{message.name}: {error}\n")
    say_coverage(unread, read)


def say_coverage(unread: Counter[str], read: int) -> None:
    """A line a position, the most frequent first."""
    for position, count in sorted(unread.items(), key=lambda item: (-item[1], item[0])):
        sys.stdout.write(f"{count:6} of {read}  {position}\n")
    if not unread:
        sys.stdout.write(f"every populated field of {read} messages is read\n")


def diff(mappings: Mappings, old: str, new: str, *, folder: Path) -> None:
    """Fact by fact, what two sets of rules make of the same messages; exit 1 where they differ."""
    first, second = mappings.rules(old), mappings.rules(new)
    changed = 0
    for message in _messages(files_of([folder]), mappings):
        before, after = (outcome(rules, message.raw) for rules in (first, second))
        lines = [f"- {key} = {before[key]}" for key in before if after.get(key) != before[key]]
        lines += [f"+ {key} = {after[key]}" for key in after if after[key] != before.get(key)]
        changed += bool(lines)
        if lines:
            sys.stdout.write("\n".join([message.name, *sorted(lines, key=_by_fact)]) + "\n")
    if changed:
        raise typer.Exit(1)


def test(mappings: Mappings, folder: Path, *, sender: str) -> None:
    """Each `NAME.facts` of the folder against the message beside it; exit 1 where one fails."""
    facts = sorted(folder.rglob("*.facts"))
    if not facts:
        raise BridgeError(
            "facts-missing",
            Fault.OPERATOR,
            what="there is no .facts file",
            where=str(folder),
            do="write NAME.facts with FHIRPath lines beside NAME.hl7",
        )
    rules, wrong = mappings.rules(sender), 0
    for file in facts:
        expected = parse_expectations(str(file), file.read_text("utf-8"))
        raw = _beside(file).read_bytes()
        bundle: Any = canon.parse(rules.convert(raw).canonical)
        failed = failures(expected, bundle)
        wrong += len(failed)
        sys.stdout.write(f"{'NO' if failed else 'ok'}  {file}: {len(expected)} facts\n")
        for one, found in failed:
            sys.stdout.write(f"      line {one.line}: {one.text} - found {found}\n")
    if wrong:
        raise typer.Exit(1)


def _messages(files: Sequence[Path], mappings: Mappings) -> Iterator[Given]:
    """Every HL7v2 message of the files; FHIR and facts files are passed over."""
    for file in files:
        yield from (one for one in given(file, mappings.split) if not one.fhir)


def anywhere(position: str) -> str:
    """The position in whatever repetition of its segment: OBX[3]-5 is OBX-5."""
    segment, dash, rest = position.partition("-")
    return f"{segment.partition('[')[0]}{dash}{rest}"


def _beside(facts: Path) -> Path:
    """The message that a facts file is about."""
    for suffix in (".hl7", ".hl7v2", ".er7", ".txt"):
        if facts.with_suffix(suffix).is_file():
            return facts.with_suffix(suffix)
    raise BridgeError(
        "facts-alone",
        Fault.OPERATOR,
        what="no message stands beside the facts",
        where=str(facts),
        do=f"put it at {facts.with_suffix('.hl7').name}",
    )


def _by_fact(line: str) -> tuple[str, str]:
    return line[2:].partition(" = ")[0], line[:1].replace("-", "!")
