"""Layers: base maps under a sender's overlay to one flat list of segment maps, and its digest."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from adapters.hl7v2 import tables
from adapters.hl7v2.compiler.rows import (
    ROW_KEYS,
    Row,
    SegmentMap,
    check_keys,
    nearest,
    parse_map,
    refuse,
    row_of,
    table_lines,
)
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.profiles import SenderProfile
from adapters.hl7v2.rules import RULES
from adapters.hl7v2.tables import CodeTable
from bridge.core.ids import Digest

__all__ = ["FIXES", "GRAMMAR_VERSION", "base_maps", "digest", "resolve"]

GRAMMAR_VERSION: Final = 2
"""Raised when the walk over groups, the row language or the assembly gives another bundle."""
FIXES: Final = {"authority-from-msh4"}
"""What `[[fix]]` can do. `authority-from-msh4`: an identifier without authority takes MSH-4's."""


@cache
def base_maps() -> tuple[SegmentMap, ...]:
    """The shipped maps in order of file name, which is no order of effect: segments are."""
    folder = resources.files("adapters.hl7v2").joinpath("maps")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple(
        parse_map(name.removesuffix(".toml"), folder.joinpath(name).read_text("utf-8"))
        for name in names
    )


def resolve(profile: SenderProfile) -> tuple[SegmentMap, ...]:
    """The base maps with the sender's replaced, dropped and added rows.

    Raises:
        BridgeError: an overlay that names a row that does not exist, with file, line and the
            nearest right name.
    """
    maps = list(base_maps())
    overlay, place = profile.overlay, f"{profile.name}.toml"
    lines = {name: table_lines(overlay.text, name) for name in ("fix", "replace", "drop", "add")}
    for number, change in enumerate(overlay.fixes):
        where = f"{place}, line {lines['fix'][number]}"
        if change.get("do") not in FIXES:
            raise refuse("overlay-fix", f"there is no fix {change.get('do')!r}", where,
                         nearest(str(change.get("do")), FIXES))  # fmt: skip
    for number, change in enumerate(overlay.replaced):
        where = f"{place}, line {lines['replace'][number]}"
        check_keys(change, ROW_KEYS, where)
        maps = _change(maps, change.get("id", ""), where, dict(change))
    for number, change in enumerate(overlay.dropped):
        where = f"{place}, line {lines['drop'][number]}"
        check_keys(change, {"id", "why"}, where)
        maps = _change(maps, change.get("id", ""), where, None)
    for number, change in enumerate(overlay.added):
        maps = _add(maps, change, f"{place}, line {lines['add'][number]}")
    return tuple(maps)


def _change(
    maps: list[SegmentMap], name: str, where: str, change: Mapping[str, Any] | None
) -> list[SegmentMap]:
    """Replace parts of every row of that id, or drop them."""
    known = {row.id for rules in maps for row in rules.rows}
    if name not in known:
        raise refuse("overlay-row", f"there is no row {name!r}", where, nearest(name, known))
    return [
        replace(
            rules,
            rows=tuple(
                row if row.id != name else _replaced(row, change, where)
                for row in rules.rows
                if row.id != name or change is not None
            ),
        )
        for rules in maps
    ]


def _replaced(row: Row, change: Mapping[str, Any] | None, where: str) -> Row:
    """The row with what the overlay says instead."""
    old: dict[str, Any] = {
        "id": row.id, "from": row.source.text if row.source else "", "to": row.path,
        "as": row.function, "table": row.table, "when": row.when, "fixed": row.fixed,
        "default": row.default, "ref": row.ref, "on": row.on, "with": dict(row.siblings),
        "url": row.url, "part": row.part, "first": row.first, "call": row.call, "why": row.why,
        "assumed": row.assumed,
    }  # fmt: skip
    kept = {key: value for key, value in old.items() if value not in ("", None, False, {})}
    return row_of({**kept, **(change or {})}, where)


def _add(maps: list[SegmentMap], change: Mapping[str, Any], where: str) -> list[SegmentMap]:
    """One more row: `to` starts with the resource, as `Patient.extension[]`."""
    target, _, path = str(change.get("to", "")).partition(".")
    row = row_of({**change, "to": path}, where)
    if row.source is None:
        raise refuse("overlay-add", "an added row has no from", where, "name the position")
    segment = row.source.segment
    for index, rules in enumerate(maps):
        if rules.segment == segment and rules.target == target and not rules.into:
            return [*maps[:index], replace(rules, rows=(*rules.rows, row)), *maps[index + 1 :]]
    targets = {rules.target for rules in maps}
    if target not in targets:
        raise refuse("overlay-target", f"no map makes a {target}", where, nearest(target, targets))
    made = SegmentMap(
        name=f"{segment}.{target}", place=where, segment=segment, target=target, instance="near",
        into=(), when="", under=(), key=(), merge=False, order=9, seen={},
        rows=(row,),
    )  # fmt: skip
    return [*maps, made]


def digest(
    maps: Iterable[SegmentMap], profile: SenderProfile, own: Mapping[str, CodeTable]
) -> Digest:
    """SHA-256 of the canonical JSON of rows, grammar, tables and function versions."""
    rows = [_plain(asdict(rules)) for rules in maps]
    used = {row.table for rules in maps for row in rules.rows if row.table}
    folder = resources.files("adapters.hl7v2")
    document = {
        "grammar": [GRAMMAR_VERSION, folder.joinpath("structures.toml").read_text("utf-8")],
        "maps": rows,
        "tables": {name: dict(own.get(name) or tables.load(name)) for name in sorted(used)},
        "datatypes": {name: kind.version for name, kind in DATATYPES.items()},
        "rules": {name: kind.version for name, kind in RULES.items()},
        "profile": {
            "namespace": profile.namespace,
            "zone": profile.zone.key if profile.zone else "",
            "charsets": profile.charsets,
            "systems": dict(profile.systems),
            "policies": [profile.unmapped_code, profile.unmapped_trigger],
            "fixes": [dict(fix) for fix in profile.overlay.fixes],
        },
    }
    data = msgspec.json.Encoder(order="sorted").encode(document)
    return Digest(hashlib.sha256(data).digest())


def _plain(value: object) -> object:
    """Without the places in files: moving a row to another line is no other mapping."""
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items() if key not in {"place", "why"}}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    return value
