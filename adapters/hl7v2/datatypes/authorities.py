"""Who assigns: HD, as the URI of a name space and as the organization that owns it.

HL7 v2.8 ch. 2A.2.33; v2-to-FHIR maps HD[uri], HD[Organization], HD[Location]. An authority in CX.4,
XCN.9 or XON.6 is both: its URI tells its numbers from those of others, and its organization is
`Identifier.assigner` (v2-to-FHIR CX[Identifier]). docs/adr/0022.
"""

from functools import lru_cache
from typing import Final, cast

from adapters.hl7v2.context import Context
from adapters.hl7v2.datatypes.codes import look_up
from adapters.hl7v2.datatypes.components import (
    is_oid,
    is_uri,
    is_uuid,
    local_uri,
    part,
    split_parts,
    uri_text,
)
from adapters.hl7v2.datatypes.registry import datatype
from adapters.hl7v2.tables import load
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["assigner", "authority", "hd_organization", "hd_uri", "national"]

_URI: Final = "urn:ietf:rfc:3986"
_OIDS: Final = {
    "2.16.840.1.113883.4.1": "http://hl7.org/fhir/sid/us-ssn",
    "2.16.840.1.113883.4.6": "http://hl7.org/fhir/sid/us-npi",
    "2.16.840.1.113883.4.572": "http://hl7.org/fhir/sid/us-medicare",
    "2.16.840.1.113883.4.927": "http://hl7.org/fhir/sid/us-mbi",
}
"""https://hl7.org/fhir/R4/identifier-registry.html: FHIR prefers these URLs to the OIDs."""
_NATIONAL: Final = {
    ("NPI", ""): "http://hl7.org/fhir/sid/us-npi",
    ("NPI", "NPI"): "http://hl7.org/fhir/sid/us-npi",
    ("NPPES", ""): "http://hl7.org/fhir/sid/us-npi",
    ("NPPES", "NPI"): "http://hl7.org/fhir/sid/us-npi",
    ("CMS", "NPI"): "http://hl7.org/fhir/sid/us-npi",
    ("USSSA", "SS"): "http://hl7.org/fhir/sid/us-ssn",
    ("SSA", "SS"): "http://hl7.org/fhir/sid/us-ssn",
    ("NHS", "NH"): "https://fhir.nhs.uk/Id/nhs-number",
    ("NLMINBIZA", "NNNLD"): "http://fhir.nl/fhir/NamingSystem/bsn",
    ("AUSHIC", "MC"): "http://ns.electronichealth.net.au/id/medicare-number",
    ("AUSHICPR", ""): "http://ns.electronichealth.net.au/id/medicare-provider-number",
}
"""Names and types (table 0203) that a country's own guide to HL7 v2 gives the numbers of its
state, to the URL that its guide to FHIR gives them: US, England, the Netherlands, Australia."""
_UNWRITTEN: Final = frozenset({"CLIA", "CLIP", "EUI64", "L", "M", "N", "RANDOM", "X400", "X500"})
"""Types of table 0301 whose ids have no URI."""
_CLIA: Final = "urn:oid:2.16.840.1.113883.4.7"


@datatype("HD", "uri", reads=(1, 2, 3), version=2)
@datatype("HD", "url", reads=(1, 2, 3), version=2)
def hd_uri(text: str, ctx: Context) -> str | None:
    """The authority's URI; None for an empty one."""
    return authority(split_parts(text, ctx), ctx)[0] or None


@datatype("HD", "string", reads=(1, 2, 3))
def hd_name(text: str, ctx: Context) -> str | None:
    """What a reader should see: the name space, else the universal id, whatever its type."""
    parts = split_parts(text, ctx)
    return part(parts, 1, ctx) or part(parts, 2, ctx) or None


@datatype("HD", "Identifier", reads=(1, 2, 3), version=2)
def hd_identifier(text: str, ctx: Context) -> JsonObject | None:
    """The universal id as a URI of RFC 3986, else the name space in the sender's own system."""
    parts = split_parts(text, ctx)
    name, universal = part(parts, 1, ctx), part(parts, 2, ctx)
    if universal:
        return {"system": _URI, "value": authority(parts, ctx)[0]}
    if name:
        return {"system": local_uri(ctx.namespace, "NamingSystem", "HD"), "value": name}
    return None


@datatype("HD", "Organization", reads=(1, 2, 3), version=3)
def hd_organization(text: str, ctx: Context) -> JsonObject | None:
    """The organization: universal id with its type of table 0301, name space, name."""
    parts = split_parts(text, ctx)
    name, universal = part(parts, 1, ctx), part(parts, 2, ctx)
    if not (name or universal):
        return None
    return _organization(ctx.namespace, name, universal, part(parts, 3, ctx))


@datatype("HD", "Location", reads=(1, 2, 3), version=2)
def hd_location(text: str, ctx: Context) -> JsonObject | None:
    """A place that the designator identifies."""
    known = hd_identifier(text, ctx)
    if known is None:
        return None
    return {"identifier": [known], "name": hd_name(text, ctx), "mode": "instance"}


def national(name: str, kind: str) -> str:
    """URL of the numbers that a state gives out under this name and type; empty for others."""
    return _NATIONAL.get((name, kind), "")


def authority(parts: list[str], ctx: Context) -> tuple[str, str]:
    """URI and name of an HD's raw parts: name space, universal id, its type. Both may be empty.

    The sender's `systems` decide first, then the universal id, then the sender's name space.
    Findings: `authority-invalid` when a universal id has no URI by the type that it claims.
    """
    name, universal = part(parts, 1, ctx), part(parts, 2, ctx)
    own = ctx.systems.get(universal) or ctx.systems.get(name)
    if own:
        return uri_text(own), name
    if universal:
        kind = part(parts, 3, ctx).upper()
        system = _universal(universal, kind)
        if system:
            return system, name
        if kind not in _UNWRITTEN:
            ctx.note(
                "authority-invalid",
                "an authority's universal id is no OID, UUID, URI or DNS name as its type says: the"
                " sender's own name space was used",
            )
    if name or universal:
        known = _universal(name, "") if name else ""
        return known or local_uri(ctx.namespace, "NamingSystem", name or universal), name
    return "", ""


def assigner(parts: list[str], ctx: Context) -> JsonObject | None:
    """A reference to the organization of an HD's raw parts, which goes into the bundle.

    None for a universal id alone: it names a name space, and nobody who could be called. One of
    FHIR's identifier registry is known everywhere and stays words.
    """
    name, universal = part(parts, 1, ctx), part(parts, 2, ctx)
    if not name:
        return None
    if universal in _OIDS:
        return {"display": name}
    found, made = _assigner(ctx.namespace, name, universal, part(parts, 3, ctx))
    ctx.assigners[found] = made
    return {"reference": f"Organization/{found}", "display": name}


@lru_cache(maxsize=4096)
def _assigner(namespace: str, name: str, universal: str, kind: str) -> tuple[str, JsonObject]:
    """Id and resource, shared by all messages that name it and never altered."""
    body = _organization(namespace, name, universal, kind)
    first = cast("list[dict[str, str]]", body["identifier"])[0]
    found = resource_id(namespace, "Organization", first["system"], first["value"])
    return found, {"resourceType": "Organization", "id": found, **body}


def _organization(namespace: str, name: str, universal: str, kind: str) -> JsonObject:
    """What identifies it best comes first: its record is filed under that."""
    identifiers: list[Json] = []
    known = _universal(universal, kind.upper()) if universal else ""
    if name:
        identifiers.append({"system": local_uri(namespace, "NamingSystem", "HD"), "value": name})
    if universal:
        row = look_up(load("UniversalIDType"), kind) if kind else None
        system = _URI if known else _scheme(namespace, kind)
        identifier: JsonObject = {"system": system, "value": known or universal}
        if row is not None:
            coding: JsonObject = {"system": row[0], "code": row[1], "display": row[2]}
            identifier["type"] = {"coding": [coding]}
        identifiers.insert(0 if known else 1, identifier)
    return {"identifier": identifiers, **({"name": name} if name else {})}


def _scheme(namespace: str, kind: str) -> str:
    """Whose numbers the ids of a type of table 0301 are that has no URI."""
    return _CLIA if kind == "CLIA" else local_uri(namespace, "NamingSystem", kind or "HD")


@lru_cache(maxsize=4096)
def _universal(universal: str, kind: str) -> str:
    """URI of a universal id by its type of table 0301; without type by its form."""
    if kind in {"ISO", ""} and is_oid(universal):
        return _OIDS.get(universal) or "urn:oid:" + universal
    if kind in {"UUID", "GUID", ""} and is_uuid(universal):
        return "urn:uuid:" + universal.lower()
    if is_uri(universal) or (kind == "URI" and ":" in universal and universal[:4] != "urn:"):
        return uri_text(universal)
    return "urn:dns:" + uri_text(universal) if kind == "DNS" else ""
