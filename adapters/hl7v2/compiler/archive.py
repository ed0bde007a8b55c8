"""A mapping as one document, so that what it once made can be made again.

The document is the canonical JSON of everything besides the source bytes that decides what a
bundle is; its SHA-256 is the mapping digest. So a document that is kept under its digest proves
itself: whoever stores it can lose it, and cannot change it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.hl7v2 import tables
from adapters.hl7v2.compiler.layers import GRAMMAR_VERSION, base_maps
from adapters.hl7v2.compiler.rows import SegmentMap, map_form, map_of, refuse
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Grammar, grammar, shipped
from adapters.hl7v2.profiles import SenderProfile
from adapters.hl7v2.rules import RULES
from adapters.hl7v2.site import required
from adapters.hl7v2.tables import CodeTable
from bridge.core.ids import sha256

__all__ = ["FORMAT", "Archived", "document", "parse_archive", "this_code"]

FORMAT: Final = "fhir-anchor/hl7v2-mapping/1"
_CODE: Final = ("adapters.hl7v2", "bridge.core.record")
"""Packages whose text decides what rows mean."""
_INSIDE: Final = frozenset({"tables/CodingSystem.csv"})
"""Data that functions read without being told by a row."""
_SORTED: Final = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A document that was read again."""

    maps: tuple[SegmentMap, ...]
    profile: SenderProfile
    grammar: Grammar
    code: str
    """`this_code` of the version that made it."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Of the grammar, datatype functions and rules as it knew them."""


def document(maps: Iterable[SegmentMap], profile: SenderProfile, rules: Grammar) -> bytes:
    """The mapping's document; its SHA-256 is the mapping digest.

    Places in files, reasons, and what the profile says of answers and refusals are not part of it:
    they change no bundle.
    """
    maps = tuple(maps)
    used = sorted({row.table for one in maps for row in one.rows if row.table})
    own = sorted({row.function for one in maps for row in one.rows if row.function[:3] == "py:"})
    return _SORTED.encode({
        "format": FORMAT,
        "code": this_code(),
        "versions": versions(),
        "structures": rules.text,
        "maps": [[one.name, _form(one)] for one in maps],
        "tables": {name: _table(profile.tables.get(name) or tables.load(name)) for name in used},
        "functions": own,
        "profile": {
            "namespace": profile.namespace,
            "zone": profile.zone.key if profile.zone else "",
            "charsets": profile.charsets,
            "systems": dict(profile.systems),
        },
    })  # fmt: skip


def parse_archive(data: bytes) -> Archived:
    """The mapping of a document.

    Raises:
        BridgeError: `mapping-format`: the document is of another version of this form;
            `mapping-function`: a site's function that it used is not here.
    """
    found: dict[str, Any] = msgspec.json.decode(data)
    if found.get("format") != FORMAT:
        raise refuse(
            "mapping-format",
            f"the mapping is written in the form {found.get('format')!r}, not {FORMAT}",
            "mapping",
            "use the version of fhir-anchor that wrote it",
        )
    said = found["profile"]
    profile = SenderProfile(
        name="archived",
        namespace=said["namespace"],
        zone=ZoneInfo(said["zone"]) if said["zone"] else None,
        charsets=tuple(said["charsets"]),
        systems=said["systems"],
        tables={
            name: CodeTable({code: (row[0], row[1], row[2]) for code, row in rows.items()}, source)
            for name, (source, rows) in found["tables"].items()
        },
    )
    structures = found["structures"]
    for name in found["functions"]:
        required(name)
    return Archived(
        maps=tuple(
            map_of(name, form, name, (f"{name}, row {row['id']}" for row in form["row"]))
            for name, form in found["maps"]
        ),
        profile=profile,
        grammar=shipped() if structures == shipped().text else grammar(structures),
        code=found["code"],
        versions=found["versions"],
    )


@cache
def versions() -> Mapping[str, int]:
    """What grammar, datatype functions and rules call themselves, for people."""
    return {
        "grammar": GRAMMAR_VERSION,
        **{name: kind.version for name, kind in DATATYPES.items() if name[:3] != "py:"},
        **{f"rule {name}": kind.version for name, kind in RULES.items()},
    }


@cache
def this_code() -> str:
    """SHA-256 of the text that runs: two that agree convert alike, whatever they call themselves.

    A version that somebody forgot to raise would turn the next release into an accusation.
    """
    parts = [part for package in _CODE for part in _texts(resources.files(package), package)]
    return sha256(_SORTED.encode(dict(parts))).hex()


def _texts(folder: Traversable, name: str) -> Iterable[tuple[str, str]]:
    for entry in folder.iterdir():
        inner = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, inner)
        elif entry.name.endswith(".py") or inner.partition("/")[2] in _INSIDE:
            yield inner, sha256(entry.read_bytes()).hex()


def _table(table: CodeTable) -> tuple[str, dict[str, tuple[str, str, str]]]:
    return table.source, dict(table)


def _form(rules: SegmentMap) -> msgspec.Raw:
    """Encoded; of a shipped map once a process, because every sender has most of them."""
    known = _shipped_forms().get(id(rules))
    return known if known is not None else _encoded(rules)


@cache
def _shipped_forms() -> Mapping[int, msgspec.Raw]:
    return {id(rules): _encoded(rules) for rules in base_maps()}


def _encoded(rules: SegmentMap) -> msgspec.Raw:
    try:
        return msgspec.Raw(_SORTED.encode(map_form(rules)))
    except TypeError as error:
        raise refuse(
            "row-form", "a constant is no JSON value", rules.place, "write text or number"
        ) from error
