"""Components of a field as FHIR strings, codes and URIs; the empty string means absent.

FHIR forbids empty strings and control characters below 32 other than tab, newline and carriage
return: https://hl7.org/fhir/R4/datatypes.html#string.
"""

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from adapters.hl7v2.context import Context
from adapters.hl7v2.escapes import unescape

__all__ = [
    "DELETE",
    "all_clean",
    "clean",
    "cleaned",
    "code_part",
    "is_oid",
    "is_uri",
    "is_uuid",
    "local_uri",
    "part",
    "split_parts",
    "subparts",
    "token",
    "uri_text",
]

DELETE: Final = '""'
"""The delete marker of HL7 v2.5.1 ch. 2.5.3; inside a component it means absent."""
_FORBIDDEN: Final = dict.fromkeys(
    [point for point in range(32) if point not in (9, 10, 13)] + list(range(0xD800, 0xE000))
)
_MISSING: Final = ("",) * 32
"""No datatype has more components."""
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_SYSTEMS_KEPT: Final = 4096
"""More authorities and coding systems than one sender has; bounds what a stranger can fill."""


def split_parts(text: str, ctx: Context) -> list[str]:
    """The components, raw; the last ones may be missing."""
    return text.split(ctx.component)


def subparts(raw: str, ctx: Context) -> list[str]:
    """The subcomponents of a component, raw."""
    return raw.split(ctx.subcomponent) if ctx.subcomponent else [raw]


def cleaned(text: str, ctx: Context, width: int) -> list[str]:
    """The components as FHIR strings, at least `width` of them: what is missing is empty."""
    return all_clean(text.split(ctx.component), ctx, width)


def all_clean(raw: list[str], ctx: Context, width: int) -> list[str]:
    """The same of components that are apart.

    Most fields hold nothing to resolve, to drop or to trim, and a field is asked that at once.
    """
    text, inner = "".join(raw), ctx.subcomponent
    if (
        '"' in text
        or (ctx.escape and ctx.escape in text)
        or (inner and inner in text)
        or not text.isprintable()
    ):
        raw = [one if one.isalnum() else clean(one, ctx) for one in raw]
    elif " " in text:
        raw = [one.strip() for one in raw]
    return [*raw, *_MISSING[len(raw) : width]]


def part(parts: list[str], number: int, ctx: Context) -> str:
    """Component `number`, counted from 1, as a FHIR string."""
    if number > len(parts):
        return ""
    raw = parts[number - 1]
    # Letters and digits alone hold no escape, space, delete marker or control character.
    return raw if not raw or raw.isalnum() else clean(raw, ctx)


def code_part(parts: list[str], number: int, ctx: Context) -> str:
    """Component `number`, counted from 1, as a FHIR code."""
    if number > len(parts):
        return ""
    raw = parts[number - 1]
    return raw if not raw or raw.isalnum() else token(clean(raw, ctx))


def clean(raw: str, ctx: Context) -> str:
    """Raw text as a FHIR string: escapes resolved, trimmed, without forbidden characters.

    Delimiters of subcomponents with nothing between them (`&&`) are no text.
    """
    if raw == DELETE or not raw.strip(ctx.subcomponent):
        return ""
    escape = ctx.escape
    text = (unescape(raw, ctx) if escape and escape in raw else raw).strip()
    return text if text.isprintable() else text.translate(_FORBIDDEN).strip()


def token(text: str) -> str:
    """The text by the grammar of a FHIR code: no white space but single spaces inside."""
    return text if not text or text.isalnum() else " ".join(text.split())


def uri_text(text: str) -> str:
    """The text as a FHIR uri: white space is percent-encoded, the rest is as sent."""
    if text.isalnum():
        return text
    return "".join(quote(character) if character.isspace() else character for character in text)


@lru_cache(maxsize=_SYSTEMS_KEPT)
def local_uri(namespace: str, kind: str, name: str) -> str:
    """A stable URI for what only the sender knows: `<namespace>/<kind>/<name>`.

    Args:
        namespace: the sender's, `Context.namespace`.
        kind: `CodeSystem` or `NamingSystem`, as FHIR calls the two.
        name: as sent; characters that a URI reserves are percent-encoded.
    """
    return f"{namespace}/{kind}/{quote(name, safe='')}"


def is_oid(text: str) -> bool:
    """Whether it is an OID in dotted digits (ISO 8824).

    One of fewer than four arcs names a country or a standard, nobody who hands out numbers: `2.4`
    is a version, and FHIR's validator refuses it as an OID.
    """
    arcs = text.split(".")
    if len(arcs) < 4 or arcs[0] not in {"0", "1", "2"} or not text.isascii():
        return False
    return all(arc.isdigit() and (arc == "0" or arc[0] != "0") for arc in arcs)


def is_uri(text: str) -> bool:
    """Whether it is an absolute URI that FHIR takes: a `urn:` of an OID or a UUID has one."""
    scheme, _, rest = text.partition(":")
    if scheme == "urn":
        kind, _, name = rest.partition(":")
        return is_oid(name) if kind == "oid" else kind != "uuid" or is_uuid(name)
    return scheme in {"http", "https"} and rest.startswith("//")


def is_uuid(text: str) -> bool:
    """Whether it is a UUID in its usual hyphenated form (RFC 9562 s4)."""
    groups = text.split("-")
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and all(
        _HEX.issuperset(group) for group in groups
    )
