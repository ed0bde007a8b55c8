"""Types of the message header: MSG, PT, VID.

HL7 v2.8 ch. 2A.2.43, 2A.2.58, 2A.2.81; v2-to-FHIR maps MSG[Coding], MSG[code], PT[Meta].
"""

from typing import Final

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import code_part, part, split_parts
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.published import system_of
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["msg_coding", "msg_string", "pt_meta", "trigger", "version_id"]

_EVENTS: Final = "http://terminology.hl7.org/CodeSystem/v2-0003"


@datatype("MSG", "Coding", reads=(1, 2, 3), version=2)
def msg_coding(text: str, ctx: Context) -> JsonObject | None:
    """The trigger event, of table 0003 or the sender's own, the whole of MSH-9 as display."""
    code = trigger(text, ctx)
    if code is None:
        return None
    system = system_of(_EVENTS, code, ctx)
    return {"system": system, "code": code, "display": msg_string(text, ctx)}


@datatype("MSG", "code", reads=(2,))
def trigger(text: str, ctx: Context) -> str | None:
    """MSG.2."""
    return code_part(split_parts(text, ctx), 2, ctx) or None


@datatype("MSG", "string", reads=(1, 2, 3))
def msg_string(text: str, ctx: Context) -> str | None:
    """`ADT^A01^ADT_A01`, as far as it is populated, whatever the delimiter was."""
    parts = split_parts(text, ctx)
    return "^".join(code_part(parts, at, ctx) for at in (1, 2, 3)).strip("^") or None


@datatype("PT", "Meta", reads=(1, 2))
def pt_meta(text: str, ctx: Context) -> JsonObject | None:
    """Processing id and mode as tags of tables 0103 and 0207."""
    parts = split_parts(text, ctx)
    tags: list[Json] = []
    for at, table in ((1, "ProcessingID"), (2, "ProcessingMode")):
        code = code_part(parts, at, ctx)
        row = look_up(load(table), code) if code else None
        if row is not None:
            tags.append({"system": row[0], "code": row[1], "display": row[2]})
        elif code:
            ctx.note("code-unmapped", f"MSH-11.{at} is not of its table")
    return {"tag": tags} if tags else None


@datatype("PT VID", "code", reads=(1,))
def version_id(text: str, ctx: Context) -> str | None:
    """The first component: processing id, or version such as 2.5.1."""
    return code_part(split_parts(text, ctx), 1, ctx) or None


@datatype("PT VID", "string", reads=(1,))
def version_text(text: str, ctx: Context) -> str | None:
    """The first component as a string."""
    return part(split_parts(text, ctx), 1, ctx) or None
