"""Senders: who a message is from decides zone, character set, name space and overlay of rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.hl7v2.compiler.form import check_form, line_of
from adapters.hl7v2.compiler.rows import check_keys, load_toml, refuse
from adapters.hl7v2.tables import CodeTable

__all__ = ["ANYONE", "DEFAULT_NAMESPACE", "Overlay", "SenderProfile", "choose", "parse_profile"]

DEFAULT_NAMESPACE: Final = "https://fhir-anchor.invalid/senders"
"""Of senders without profile. RFC 2606 reserves .invalid: nobody can mistake it for a server."""
_KEYS: Final = {
    "match", "namespace", "zone", "charset", "fallback", "systems", "unmapped_code",
    "unmapped_trigger", "reused_control_id", "tables", "fix", "replace", "drop", "add",
}  # fmt: skip
_POLICIES: Final = {"keep", "task", "reject"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What a sender's rows differ in, still as data; `layers.resolve` applies it."""

    fixes: tuple[Mapping[str, Any], ...] = ()
    replaced: tuple[Mapping[str, Any], ...] = ()
    dropped: tuple[Mapping[str, Any], ...] = ()
    added: tuple[Mapping[str, Any], ...] = ()
    text: str = ""
    """The file, to name lines in errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderProfile:
    """One sending system. Data from `config/senders/*.toml`, never code."""

    name: str
    match: Mapping[str, str] = field(default_factory=dict)
    """MSH position to its first component; all must agree."""
    namespace: str = DEFAULT_NAMESPACE
    zone: ZoneInfo | None = None
    charsets: tuple[str, ...] = ()
    """Where MSH-18 is silent or wrong, in order."""
    systems: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, CodeTable] = field(default_factory=dict)
    """The sender's own code tables by the name that rows use, `local:NAME`."""
    unmapped_code: str = "keep"
    """What a code without row in its table does: `keep` it, `task` somebody, `reject` it."""
    unmapped_trigger: str = "keep"
    reused_control_id: str = "keep"
    """What MSH-10 that came before with other bytes does: `keep` the message and note it, or
    `reject` it."""
    overlay: Overlay = field(default_factory=Overlay)


ANYONE: Final = SenderProfile(name="")
"""What holds for a sender that no profile matches."""


def choose(profiles: Iterable[SenderProfile], header: list[str], pinned: str) -> SenderProfile:
    """The pinned profile, else the one with the most matching conditions, else `ANYONE`."""
    best = ANYONE
    for profile in profiles:
        if pinned and profile.name == pinned:
            return profile
        if profile.match and len(profile.match) > len(best.match) and _matches(profile, header):
            best = profile
    return best


def _matches(profile: SenderProfile, header: list[str]) -> bool:
    separator = header[2][:1] if len(header) > 2 else "^"
    for position, wanted in profile.match.items():
        number = int(position.removeprefix("MSH-"))
        text = header[number] if number < len(header) else ""
        if wanted not in {text, text.split(separator, 1)[0] if separator else text}:
            return False
    return True


def parse_profile(name: str, text: str) -> SenderProfile:
    """One file of `config/senders`. Raises BridgeError naming file, line and the right key."""
    place = f"{name}.toml"
    data = load_toml(place, text)
    wrong = next((key for key in data if key not in _KEYS), "")
    check_keys(data, _KEYS, f"{place}, {line_of(text, wrong)}")
    check_form(data, text, place)
    match = data.get("match", {})
    for position in match:
        if not (position.startswith("MSH-") and position[4:].isdigit()):
            raise refuse("profile-match", f"{position} is no field of MSH", f"{place}, match",
                         "match on MSH-3, MSH-4, MSH-5 or MSH-6")  # fmt: skip
    for key in ("unmapped_code", "unmapped_trigger"):
        if data.get(key, "keep") not in _POLICIES:
            raise refuse("profile-policy", f"{key} is {data[key]!r}", place,
                         "use keep, task or reject")  # fmt: skip
    namespace = data.get("namespace", f"{DEFAULT_NAMESPACE}/{name}")
    if ":" not in namespace:
        raise refuse("profile-namespace", "namespace is no absolute URI",
                     f"{place}, {line_of(text, 'namespace')}",
                     "write one of yours, such as https://lab.example/fhir")  # fmt: skip
    charsets = tuple(data[key] for key in ("charset", "fallback") if data.get(key))
    if data.get("reused_control_id", "keep") not in {"keep", "reject"}:
        raise refuse("profile-policy", f"reused_control_id is {data['reused_control_id']!r}", place,
                     "use keep or reject")  # fmt: skip
    return SenderProfile(
        name=name,
        match=match,
        namespace=namespace,
        zone=_zone(data.get("zone", ""), place),
        charsets=charsets,
        systems=data.get("systems", {}),
        tables=_tables(data.get("tables", {}), place),
        unmapped_code=data.get("unmapped_code", "keep"),
        unmapped_trigger=data.get("unmapped_trigger", "keep"),
        reused_control_id=data.get("reused_control_id", "keep"),
        overlay=Overlay(
            fixes=tuple(data.get("fix", ())),
            replaced=tuple(data.get("replace", ())),
            dropped=tuple(data.get("drop", ())),
            added=tuple(data.get("add", ())),
            text=text,
        ),
    )


def _tables(data: Mapping[str, Any], place: str) -> dict[str, CodeTable]:
    """`[tables.NAME]` with `CODE = [system, code, display]`."""
    made = {}
    for name, rows in data.items():
        for code, row in rows.items():
            if not (isinstance(row, list) and [type(text) for text in row] == [str, str, str]):
                raise refuse(
                    "profile-table",
                    f"{code} of table {name} is no triple",
                    f"{place}, tables.{name}",
                    "write [system, code, display]",
                )
        made[f"local:{name}"] = CodeTable({code: tuple(row) for code, row in rows.items()})
    return made


def _zone(name: str, place: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise refuse("profile-zone", f"{name!r} is no time zone", f"{place}, zone",
                     "use an IANA name such as Europe/Vienna") from error  # fmt: skip
