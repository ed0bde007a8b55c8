"""Which codes of a message somebody should map, where the sender's profile asks for work items."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.hl7v2 import tables
from adapters.hl7v2.build import Build
from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.engine import Engine
from adapters.hl7v2.tables import CodeTable
from bridge.core.record.bundle import Severity, Unmapped

__all__ = ["TRIGGER", "unmapped_codes"]

TRIGGER: Final = "unmapped-trigger"
CODE: Final = "code-unmapped"
_PLACE: Final = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(\d+)")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+*^-]{0,39}")
"""What is longer, or has a space, may be prose about a patient and is not written down."""
_TRIPLETS: Final = ((1, 3), (4, 6), (10, 12))
"""CWE: code and name of its system."""


def unmapped_codes(
    build: Build, lines: Sequence[list[str]], engine: Engine
) -> tuple[Unmapped, ...]:
    """Each code once, sorted; none where the profile does not make tasks of them."""
    profile = engine.profile
    found: set[Unmapped] = set()
    for note in build.ctx.findings:
        if note.code == TRIGGER and profile.unmapped_trigger == "task":
            said = _coded(f"{build.code}^{build.trigger}")
            found.add(Unmapped(field="MSH-9", system="", code=said))
        elif note.code == CODE and profile.unmapped_code == "task":
            found.update(_at(note.where, note.severity, lines, build.ctx, engine))
    return tuple(sorted(found))


def _at(
    where: str, severity: Severity, lines: Sequence[list[str]], ctx: Context, engine: Engine
) -> Iterator[Unmapped]:
    """The codes of one field that its tables do not have."""
    match = _PLACE.match(where)
    if match is None or severity is Severity.INFORMATION:
        return  # no table of a sender could help
    segment, number = match[1], int(match[3])
    position = f"{segment}-{number}"
    known = _tables(segment, number, engine)
    texts = [fields[number] for fields in lines if fields[0] == segment and number < len(fields)]
    at = int(match[2] or 1) - 1
    sent = texts[at].split(ctx.repetition) if known and at < len(texts) else []
    codes = {pair for text in sent for pair in _missing(text, known, ctx)}
    for system, code in codes or {("", "")}:
        yield Unmapped(field=position, system=system, code=code)


def _tables(segment: str, number: int, engine: Engine) -> list[CodeTable]:
    own = engine.profile.tables
    names = {
        row.table
        for rules in engine.maps
        for row in rules.rows
        if row.table and row.source and (row.source.segment, row.source.field) == (segment, number)
    }
    return [own.get(name) or tables.load(name) for name in sorted(names)]


def _missing(text: str, known: Sequence[CodeTable], ctx: Context) -> Iterator[tuple[str, str]]:
    """System and code of the triplets of a repetition that no table turned into anything."""
    parts = ["", *text.split(ctx.component), *[""] * 12]
    sent = [(parts[system], ctx.text(parts[code]).strip()) for code, system in _TRIPLETS]
    sent = [(system, code) for system, code in sent if code]
    for table in known:
        if sent and not any(look_up(table, code) for _, code in sent):
            yield from ((_coded(system), _coded(code)) for system, code in sent)


def _coded(text: str) -> str:
    return text if _CODE.fullmatch(text) else ""
