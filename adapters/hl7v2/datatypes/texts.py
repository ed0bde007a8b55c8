"""Plain text: ST, TX, FT, and what FHIR makes of it: string, markdown, code, uri, id, Annotation.

HL7 v2.8 ch. 2A.2.75 to 2A.2.79. A delimiter that the sender forgot to escape stays in the text.
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import clean, token, uri_text
from adapters.hl7v2.datatypes.registry import datatype
from bridge.core.record.bundle import JsonObject

__all__ = ["annotation", "code", "identifier", "name", "resource_id", "string", "uri"]

_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
_MAX_ID: Final = 64
"""https://hl7.org/fhir/R4/datatypes.html#id."""


@datatype("ST TX FT NM SI DT TM TS DTM", "string")
@datatype("ST TX FT", "markdown")
def string(text: str, ctx: Context) -> str | None:
    """The text; empty components at its end are no part of it."""
    if text.endswith((ctx.component, ctx.subcomponent or ctx.component)):
        text = text.rstrip(ctx.component + ctx.subcomponent)
    return clean(text, ctx) or None


@datatype("ST TX", "code")
def code(text: str, ctx: Context) -> str | None:
    """The text by the grammar of a FHIR code."""
    return token(string(text, ctx) or "") or None


@datatype("ST TX", "uri")
@datatype("ST TX", "url")
def uri(text: str, ctx: Context) -> str | None:
    """The text as a uri; white space is percent-encoded."""
    return uri_text(string(text, ctx) or "") or None


@datatype("ST", "id")
def resource_id(text: str, ctx: Context) -> str | None:
    """The text where it is a FHIR id already; None otherwise."""
    value = string(text, ctx) or ""
    return value if value and len(value) <= _MAX_ID and _ID.issuperset(value) else None


@datatype("ST TX FT", "Annotation")
def annotation(text: str, ctx: Context) -> JsonObject | None:
    """The text as an Annotation."""
    value = string(text, ctx)
    return {"text": value} if value else None


@datatype("ST", "Identifier")
def identifier(text: str, ctx: Context) -> JsonObject | None:
    """An identifier without system: the field's row says what it is."""
    value = string(text, ctx)
    return {"value": value} if value else None


@datatype("ST TX FT", "HumanName")
def name(text: str, ctx: Context) -> JsonObject | None:
    """A name as one text, such as the signature that TX fields hold."""
    value = string(text, ctx)
    return {"text": value} if value else None
