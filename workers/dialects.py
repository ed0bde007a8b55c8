"""The dialects of a node: its senders' overlays read, and handed to the commands that convert."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.fhir.dialect import FhirDialect, problems_in
from adapters.hl7v2 import batch
from adapters.hl7v2.compiler.check import check
from adapters.hl7v2.compiler.rows import nearest, refuse
from adapters.hl7v2.conceptmap import concept_map, table_rows, toml_of
from adapters.hl7v2.dialect import Hl7v2, Options
from adapters.hl7v2.explain import Lineage, explain, residue
from adapters.hl7v2.extract import documents
from adapters.hl7v2.profiles import ANYONE, check_distinct
from bridge.cli.code_tables import CodeTables
from bridge.cli.convert import Converters
from bridge.cli.mapping import Mappings, Rules
from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import CanonicalBundle
from bridge.settings import Settings
from workers.checked import CheckedFile
from workers.overlays import SendersFolder

__all__ = [
    "SenderRules",
    "code_tables",
    "converters",
    "hl7v2_of",
    "known_sender",
    "mappings",
    "profile_files",
]

BASE = "base"
"""Stands on the command line for the shipped rules without any overlay."""


def profile_files(settings: Settings) -> list[Path]:
    """The overlays of this node's senders, in order of name."""
    return SendersFolder.of(settings).files


def hl7v2_of(settings: Settings) -> Hl7v2:
    """The HL7v2 dialect with every overlay; refuses to start with a wrong one."""
    return Hl7v2(SendersFolder.of(settings).profiles(), _options(settings))


def _options(settings: Settings) -> Options:
    return Options(
        checked=CheckedFile(settings.data),
        judge=problems_in,
        validate_bundles=settings.senders.validate_bundles,
        max_bundle_bytes=settings.senders.max_bundle_bytes,
        anyone=replace(ANYONE, namespace=settings.senders.namespace),
    )


def converters(settings: Settings, sender: str) -> Converters:
    """What `convert` needs; an unknown sender is refused before the first file."""
    known_sender(sender, profile_files(settings), where="--sender")
    dialect = hl7v2_of(settings)

    def unread(raw: bytes, name: str) -> Sequence[str]:
        return residue(dialect, raw, sender=name)

    def carried(raw: bytes, name: str) -> Sequence[tuple[str, bytes]]:
        return documents(dialect, raw, sender=name)

    return Converters(
        hl7v2=dialect,
        fhir=FhirDialect(),
        split=batch.split,
        residue=unread,
        documents=carried,
    )


def mappings(settings: Settings) -> Mappings:
    """What the `map` commands need."""
    folder = SendersFolder.of(settings)

    def rules(name: str) -> Rules:
        if not name:
            return SenderRules("", hl7v2_of(settings))
        if name == BASE:
            return SenderRules("", Hl7v2((), _options(settings)))
        profile = folder.profile(_file_of(name, folder))
        return SenderRules(profile.name, Hl7v2((profile,), _options(settings)))

    def whole() -> None:
        check_distinct(folder.profiles())

    return Mappings(
        names=tuple(file.stem for file in folder.files),
        rules=rules,
        split=batch.split,
        check_all=whole,
    )


def code_tables(settings: Settings) -> CodeTables:
    """What `map export-table` and `import-table` need."""
    folder = SendersFolder.of(settings)

    def exported(sender: str, name: str) -> dict[str, Any]:
        profile = folder.profile(_file_of(sender, folder))
        table = profile.tables.get(f"local:{name}")
        if table is None:
            known = {held.removeprefix("local:") for held in profile.tables}
            do = nearest(name, known) if known else f"write [tables.{name}] first"
            raise refuse("table-unknown", f"{profile.name} has no table {name}", "TABLE", do)
        url = f"{profile.namespace.rstrip('/')}/ConceptMap/{quote(name)}"
        return concept_map(name, table, url=url)

    return CodeTables(
        exported=exported,
        rows=lambda value, note, where: table_rows(value, note, where=where),
        toml=toml_of,
    )


def _file_of(name: str, folder: SendersFolder) -> Path:
    """The overlay of a sender's name, or the path that it is."""
    file = next((file for file in folder.files if file.stem == name), Path(name))
    if file.suffix != ".toml":
        known_sender(name, folder.files, where="--sender")
    return file


class SenderRules:
    """`bridge.cli.mapping.Rules` of one sender, or of whoever a message is from."""

    def __init__(self, sender: str, dialect: Hl7v2) -> None:
        """Take the dialect and the sender that its messages are pinned to."""
        self._sender, self._dialect = sender, dialect

    @property
    def summary(self) -> str:
        """Name, counts and digest; the rows have passed their type check."""
        engine = self._dialect.engine(self._sender)
        check(engine.maps)
        rows = sum(len(rules.rows) for rules in engine.maps)
        name = self._sender or BASE
        return f"{name}: {len(engine.maps)} maps, {rows} rows, mapping sha256:{engine.digest.hex()}"

    def convert(self, raw: bytes) -> CanonicalBundle:
        """The bundle."""
        return self._dialect.convert(raw, sender=self._sender)

    def explain(self, raw: bytes, question: str) -> tuple[Lineage, ...]:
        """Rows behind an element or a position."""
        return explain(self._dialect, raw, question, sender=self._sender)

    def residue(self, raw: bytes) -> tuple[str, ...]:
        """Populated positions that no row read."""
        return residue(self._dialect, raw, sender=self._sender)


def known_sender(sender: str, files: Sequence[Path], *, where: str) -> None:
    """Refuse a name that no overlay has, naming the nearest; empty is nobody in particular.

    Raises:
        BridgeError: `sender-unknown`, at `where`: the option or setting that says the name.
    """
    names = [file.stem for file in files]
    if not sender or sender in names:
        return
    raise BridgeError(
        "sender-unknown",
        Fault.OPERATOR,
        what=f"there is no sender {sender}",
        where=where,
        do=next(_advice(sender, names)),
    )


def _advice(sender: str, names: Sequence[str]) -> Iterator[str]:
    for near in get_close_matches(sender, names, n=1, cutoff=0.5):
        yield f"use {near}"
    yield f"use one of {', '.join(names)}" if names else "write its overlay first"
