"""Senders: who a message is from decides zone, character set, name space and overlay of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.hl7v2.compiler.rows import refuse
from adapters.hl7v2.site import SiteFunction
from adapters.hl7v2.tables import CodeTable

__all__ = [
    "ANYONE",
    "DEFAULT_NAMESPACE",
    "Overlay",
    "SenderProfile",
    "check_distinct",
    "choose",
]

DEFAULT_NAMESPACE: Final = "https://fhir-anchor.invalid/senders"
"""Of senders without profile. RFC 2606 reserves .invalid: nobody can mistake it for a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """What one layer's rows differ in, still as data; `layers.resolve` applies it."""

    place: str = ""
    """The file's name, for errors."""
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
    validate: str = "keep"
    """`strict` refuses a message that is not what its version of HL7 says; `keep` takes it."""
    validate_bundles: bool | None = None
    """Whether each bundle is judged before it is stored; None is what the node says of all."""
    overlays: tuple[Overlay, ...] = ()
    """Of the realm, the site and the sender, in the order in which they are applied."""
    functions: Mapping[str, SiteFunction] = field(default_factory=dict)
    """The site's own datatype functions by the name that rows use, `py:site.labx.gram_stain`."""


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


def check_distinct(profiles: Sequence[SenderProfile]) -> None:
    """Refuse two profiles between which only the order of file names would choose.

    Raises:
        BridgeError: `profile-ambiguous`, naming both and what a message of both would say.
    """
    for one, other in combinations([held for held in profiles if held.match], 2):
        both = {**one.match, **other.match}
        agree = len(one.match) == len(other.match) and all(
            other.match.get(position, text) == text for position, text in one.match.items()
        )
        decided = any(
            len(third.match) > len(one.match) and third.match.items() <= both.items()
            for third in profiles
        )
        if agree and not decided:
            said = " and ".join(f"{position} {text!r}" for position, text in sorted(both.items()))
            raise refuse(
                "profile-ambiguous",
                f"{one.name} and {other.name} match equally well a message with {said}",
                f"{one.name}.toml and {other.name}.toml, match",
                "add a condition to one of them",
            )
