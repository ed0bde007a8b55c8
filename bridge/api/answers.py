"""Stored bytes as HTTP answers: ETag, Last-Modified, conditional reads; never a byte changed.

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#cread
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import Response

from bridge.api.problems import FHIR_JSON
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.ports.reading import Served

__all__ = ["PRIVATE", "base_of", "etag", "fhir", "http_date", "resource", "stamps"]

PRIVATE = {"Cache-Control": "no-store"}
"""Clinical content stays out of every cache (RFC 9111 s5.2.2.5)."""


NOTHING: Mapping[str, str] = MappingProxyType({})


def base_of(request: Request) -> str:
    """URL of the FHIR service: as the operator says, else as the client reached it."""
    public: str = request.app.state.node.public_url
    return f"{(public or str(request.base_url)).rstrip('/')}/fhir"


def etag(version: int) -> str:
    """A weak entity tag, https://hl7.org/fhir/R4/http.html#versioning."""
    return f'W/"{version}"'


def http_date(at: Instant) -> str:
    """RFC 9110 s5.6.7; whole seconds."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def stamps(version: int, at: Instant | None) -> dict[str, str]:
    """The headers that name a version."""
    return {"ETag": etag(version)} | ({"Last-Modified": http_date(at)} if at else {})


def fhir(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """FHIR JSON that no cache keeps."""
    return Response(body, status, {**PRIVATE, **(headers or {})}, media_type=FHIR_JSON)


def resource(served: Served, asked: Mapping[str, str] = NOTHING) -> Response:
    """One version, or 304 when the headers of the request name it.

    Raises:
        BridgeError: `deleted` for a version that is a deletion.
    """
    if served.deleted:
        raise BridgeError(
            "deleted",
            Fault.SENDER,
            what="this version is a deletion",
            where=f"{served.ref.type}, version {served.version}",
            do="read an earlier version from its _history",
        )
    headers = stamps(served.version, served.at)
    if _is_known(served, asked):
        return Response(status_code=304, headers={**PRIVATE, **headers})
    return fhir(served.body, headers=headers)


def _is_known(served: Served, asked: Mapping[str, str]) -> bool:
    """If-None-Match before If-Modified-Since, RFC 9110 s13.2.2."""
    tags = asked.get("if-none-match")
    if tags is not None:
        named = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return bool({"*", f'"{served.version}"'} & named)
    since = asked.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, TypeError, IndexError):
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return served.at.replace(microsecond=0) <= moment
