"""Organizations: XON.

HL7 v2.8 ch. 2A.2.88; v2-to-FHIR maps XON[Organization], XON[string]. XON.10 replaced XON.3 in
v2.5; an organization without identifier is a display, no resource.
"""

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.components import code_part, part, split_parts
from adapters.hl7v2.datatypes.identifiers import assigned
from adapters.hl7v2.datatypes.registry import datatype
from bridge.core.record.bundle import JsonObject

__all__ = ["xon_display", "xon_identifier", "xon_organization"]


@datatype("XON", "Organization", reads=(1, 3, 6, 7, 10), version=2)
def xon_organization(text: str, ctx: Context) -> JsonObject | None:
    """Identifier and name; None without identifier."""
    identifier = xon_identifier(text, ctx)
    if identifier is None:
        return None
    result: JsonObject = {"identifier": [identifier]}
    name = part(split_parts(text, ctx), 1, ctx)
    if name:
        result["name"] = name
    return result


@datatype("XON", "Identifier", reads=(3, 6, 7, 10), version=2)
def xon_identifier(text: str, ctx: Context) -> JsonObject | None:
    """XON.10, else XON.3, in the system of XON.6, of the type XON.7."""
    parts = split_parts(text, ctx)
    value = part(parts, 10, ctx) or part(parts, 3, ctx)
    if not value:
        return None
    return assigned(value, parts[5] if len(parts) > 5 else "", code_part(parts, 7, ctx), ctx)


@datatype("XON", "string", reads=(1, 3, 10))
@datatype("XON", "display", reads=(1, 3, 10), gives="string")
def xon_display(text: str, ctx: Context) -> str | None:
    """The name, else the identifier."""
    parts = split_parts(text, ctx)
    return part(parts, 1, ctx) or part(parts, 10, ctx) or part(parts, 3, ctx) or None
