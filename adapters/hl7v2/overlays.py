"""Overlay files to a profile: the sender's own file over those of its site and its realm."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from adapters.hl7v2.compiler.form import LAYER_KEYS, SENDER_KEYS, check_form, line_of
from adapters.hl7v2.compiler.rows import check_keys, load_toml, nearest, refuse, table_lines
from adapters.hl7v2.profiles import DEFAULT_NAMESPACE, Overlay, SenderProfile
from adapters.hl7v2.site import PREFIX, SiteFunction
from adapters.hl7v2.tables import CodeTable

__all__ = ["NO_FOLDER", "Folder", "parse_profile"]

MAX_OVERLAY: Final = 16 << 20
"""Bytes of a file: a code table of 100,000 rows has 8 MB, and it is read at every start."""


class Folder(Protocol):
    """What stands beside a sender's file. Trusted as the file itself is."""

    def layers(self, kind: str) -> Mapping[str, str]:
        """Texts of `realm/*.toml` or `site/*.toml` by name."""

    def function(self, name: str, where: str) -> SiteFunction:
        """The function of a file: `py:site.labx.gram_stain` stands in `site/labx.py`.

        Raises:
            BridgeError: `site-function`, at `where`, naming what is missing or wrong.
        """


class _Nothing:
    """No files beside."""

    def layers(self, kind: str) -> Mapping[str, str]:
        """None."""
        del kind
        return {}

    def function(self, name: str, where: str) -> SiteFunction:
        """None."""
        raise refuse("site-function", f"there is no file for {name}", where,
                     "put it into the senders' folder")  # fmt: skip


NO_FOLDER: Final = _Nothing()


def parse_profile(name: str, text: str, folder: Folder = NO_FOLDER) -> SenderProfile:
    """One file of `config/senders` over the layers that it names.

    Raises:
        BridgeError: with file, line and the nearest right word for whatever is wrong in any layer.
    """
    own = _parsed(f"{name}.toml", text, SENDER_KEYS)
    layers = [*_beneath(own, text, f"{name}.toml", folder), (f"{name}.toml", text, own)]
    said = _laid_over([data for _, _, data in layers])
    return SenderProfile(
        name=name,
        match=said.get("match", {}),
        namespace=said.get("namespace", f"{DEFAULT_NAMESPACE}/{name}"),
        zone=ZoneInfo(said["zone"]) if said.get("zone") else None,
        charsets=tuple(said[key] for key in ("charset", "fallback") if said.get(key)),
        systems=said.get("systems", {}),
        tables={
            f"local:{table}": CodeTable({code: tuple(row) for code, row in rows.items()})
            for table, rows in said.get("tables", {}).items()
        },
        unmapped_code=said.get("unmapped_code", "keep"),
        unmapped_trigger=said.get("unmapped_trigger", "keep"),
        reused_control_id=said.get("reused_control_id", "keep"),
        validate=said.get("validate", "keep"),
        validate_bundles=said.get("validate_bundles"),
        overlays=tuple(_overlay(*layer) for layer in layers),
        functions=dict(_functions(layers, folder)),
    )


def _parsed(place: str, text: str, known: set[str]) -> dict[str, Any]:
    """One file, every key known and every value of its type."""
    if len(text) > MAX_OVERLAY:
        raise refuse("overlay-size", f"the file has {len(text)} characters, over {MAX_OVERLAY}",
                     place, "keep code tables to what the sender sends")  # fmt: skip
    data = load_toml(place, text)
    wrong = next((key for key in data if key not in known), "")
    check_keys(data, known, f"{place}, {line_of(text, wrong)}")
    check_form(data, text, place)
    _check_zone(data.get("zone", ""), f"{place}, {line_of(text, 'zone')}")
    return data


def _beneath(
    own: Mapping[str, Any], text: str, place: str, folder: Folder
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Realm and site of a sender; the site may say the realm."""
    site: list[tuple[str, str, dict[str, Any]]] = []
    if own.get("site"):
        site.append(_layer("site", own["site"], f"{place}, {line_of(text, 'site')}", folder))
    for named, source, said in (*((own, text, place),), *((s[2], s[1], s[0]) for s in site)):
        if named.get("realm"):
            yield _layer("realm", named["realm"], f"{said}, {line_of(source, 'realm')}", folder)
            break
    yield from site


def _layer(kind: str, name: str, where: str, folder: Folder) -> tuple[str, str, dict[str, Any]]:
    known = folder.layers(kind)
    if name not in known:
        do = nearest(name, known) if known else f"write {kind}/{name}.toml in the senders' folder"
        raise refuse("overlay-layer", f"there is no {kind} {name}", where, do)
    place = f"{kind}/{name}.toml"
    keys = LAYER_KEYS | ({"realm"} if kind == "site" else set())
    return place, known[name], _parsed(place, known[name], keys)


def _laid_over(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One set of keys: the later layer wins, tables and systems by their names."""
    said: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            said[key] = {**said.get(key, {}), **value} if isinstance(value, dict) else value
    return said


def _overlay(place: str, text: str, data: Mapping[str, Any]) -> Overlay:
    return Overlay(
        place=place,
        fixes=tuple(data.get("fix", ())),
        replaced=tuple(data.get("replace", ())),
        dropped=tuple(data.get("drop", ())),
        added=tuple(data.get("add", ())),
        text=text,
    )


def _functions(
    layers: Sequence[tuple[str, str, Mapping[str, Any]]], folder: Folder
) -> Iterator[tuple[str, SiteFunction]]:
    """Every function of the site that a row names, looked up once."""
    for place, text, data in layers:
        for kind in ("replace", "add"):
            rows = zip(data.get(kind, ()), table_lines(text, kind), strict=True)
            for row, line in rows:
                name = row.get("as", "")
                if name.startswith(PREFIX):
                    yield name, folder.function(name, f"{place}, line {line}")


def _check_zone(name: str, where: str) -> None:
    """`ZoneInfo` says an unknown name, a path outside and a folder in three different ways."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = nearest(name, available_timezones(), otherwise="an IANA name such as Europe/Vienna")
        raise refuse("profile-zone", f"{name!r} is no time zone", where, near) from error
