"""Layers: base maps under the overlays of realm, site and sender, to one flat list of maps."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any, Final

from adapters.hl7v2.compiler.rows import (
    ROW_KEYS,
    Row,
    SegmentMap,
    check_keys,
    nearest,
    parse_map,
    refuse,
    row_form,
    row_of,
    table_lines,
)
from adapters.hl7v2.profiles import Overlay, SenderProfile
from adapters.hl7v2.site import register

__all__ = ["FIXES", "GRAMMAR_VERSION", "base_maps", "resolve"]

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
    """The base maps with the rows that realm, site and sender replace, drop and add, in this order.

    Raises:
        BridgeError: an overlay that names a row that does not exist, with file, line and the
            nearest right name.
    """
    own = {name: register(function) for name, function in profile.functions.items()}
    maps = list(base_maps())
    for overlay in profile.overlays:
        maps = _overlaid(maps, overlay, own)
    return tuple(maps)


def _overlaid(maps: list[SegmentMap], overlay: Overlay, own: Mapping[str, str]) -> list[SegmentMap]:
    """One layer applied; `own` are the site's functions by the name that rows use."""
    place = overlay.place
    lines = {name: table_lines(overlay.text, name) for name in ("fix", "replace", "drop", "add")}
    for number, change in enumerate(overlay.fixes):
        where = f"{place}, line {lines['fix'][number]}"
        check_keys(change, {"at", "do", "why"}, where)
        if change.get("do") not in FIXES:
            raise refuse("overlay-fix", f"there is no fix {change.get('do')!r}", where,
                         nearest(str(change.get("do")), FIXES))  # fmt: skip
    for number, change in enumerate(overlay.replaced):
        where = f"{place}, line {lines['replace'][number]}"
        check_keys(change, ROW_KEYS, where)
        maps = _change(maps, change.get("id", ""), where, _with_own(change, own))
    for number, change in enumerate(overlay.dropped):
        where = f"{place}, line {lines['drop'][number]}"
        check_keys(change, {"id", "why"}, where)
        maps = _change(maps, change.get("id", ""), where, None)
    for number, change in enumerate(overlay.added):
        where = f"{place}, line {lines['add'][number]}"
        check_keys(change, ROW_KEYS, where)
        maps = _add(maps, _with_own(change, own), where)
    return maps


def _with_own(change: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """The row with the site's function under its full name."""
    name = change.get("as", "")
    return {**change, "as": own[name]} if name in own else dict(change)


def _change(
    maps: list[SegmentMap], name: str, where: str, change: Mapping[str, Any] | None
) -> list[SegmentMap]:
    """Replace parts of every row of that id, or drop them; the other maps stay as they are."""
    known = {row.id for rules in maps for row in rules.rows}
    if not name:
        raise refuse("overlay-row", "the row's id is missing", where, 'write one, id = "PV1-7"')
    if name not in known and any(row.id == name for one in base_maps() for row in one.rows):
        raise refuse("overlay-row", f"row {name} is dropped already", where,
                     "remove one of the two")  # fmt: skip
    if name not in known:
        raise refuse("overlay-row", f"there is no row {name!r}", where, nearest(name, known))
    return [
        _changed(rules, name, where, change) if any(row.id == name for row in rules.rows) else rules
        for rules in maps
    ]


def _changed(
    rules: SegmentMap, name: str, where: str, change: Mapping[str, Any] | None
) -> SegmentMap:
    """What the map lacks without the row is the fault of who dropped it."""
    if change is None:
        rows = tuple(row for row in rules.rows if row.id != name)
        return replace(rules, rows=rows, place=where)
    rows = tuple(_replaced(row, change, where) if row.id == name else row for row in rules.rows)
    return replace(rules, rows=rows)


def _replaced(row: Row, change: Mapping[str, Any], where: str) -> Row:
    """The row with what the overlay says instead."""
    return row_of({**row_form(row), "why": row.why, **change}, where)


def _add(maps: list[SegmentMap], change: Mapping[str, Any], where: str) -> list[SegmentMap]:
    """One more row: `to` starts with the resource, as `Patient.extension[]`."""
    target, _, path = str(change.get("to", "")).partition(".")
    row = row_of({**change, "to": path}, where)
    if change.get("id") and any(held.id == row.id for rules in maps for held in rules.rows):
        raise refuse("overlay-add", f"there is a row {row.id} already", where,
                     "give the row another id, or use [[replace]]")  # fmt: skip
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
