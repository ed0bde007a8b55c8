"""What a Binary holds, read and written as itself: the document, of the media type that it states.

Source: https://hl7.org/fhir/R4/binary.html#rest.
"""

import base64
import re

import msgspec
from fastapi import Request
from fastapi.responses import Response

from bridge.api.answers import PRIVATE, stamps
from bridge.api.bodies import MAX_FHIR_BYTES, body_of, media_type_of
from bridge.api.queries import JSON_TYPES, not_acceptable, of_r4
from bridge.ports.reading import Served

__all__ = ["binary_body", "document", "is_document"]

MAX_DOCUMENT_BYTES = MAX_FHIR_BYTES // 4 * 3 - 4_096
"""In base64, with its type, it is a FHIR body of the largest size."""

HEADER_TEXT = re.compile(r"[!-~]+/[ -~]+").fullmatch
"""A media type that may stand in a header: no line end, which would begin another header."""


class _Binary(msgspec.Struct):
    contentType: str = ""  # noqa: N815 - FHIR's own spelling
    data: str = ""


def document(served: Served, request: Request) -> Response:
    """The document; a file to be saved, because a page of a stranger is never shown as ours.

    Raises:
        BridgeError: `not-acceptable` when the request accepts another media type.
    """
    binary = msgspec.json.decode(served.body, type=_Binary)
    kind = binary.contentType.partition(";")[0].strip().lower()
    fitting = frozenset({kind, f"{kind.partition('/')[0]}/*"})
    accepted = request.headers.get("accept", "").split(",")
    if not HEADER_TEXT(binary.contentType) or not any(of_r4(one, fitting) for one in accepted):
        raise not_acceptable("Accept header")
    headers = {
        **PRIVATE,
        **stamps(served.version, served.at),
        "Content-Type": binary.contentType,
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(base64.b64decode(binary.data), headers=headers)


def is_document(kind: str, request: Request) -> bool:
    """Whether the request writes a Binary by its content: its type is not one of FHIR's."""
    stated, _ = media_type_of(request)
    return kind == "Binary" and bool(stated) and stated not in JSON_TYPES | {"application/fhir+xml"}


async def binary_body(request: Request, name: str = "") -> bytes:
    """The Binary that a document and the headers beside it say; `name` is the id of an update.

    Raises:
        BridgeError: `body-too-large`, `body-slow`, `body-encoding`.
    """
    content = await body_of(request, at_most=MAX_DOCUMENT_BYTES)
    context = request.headers.get("x-security-context", "")
    binary = {
        "resourceType": "Binary",
        **({"id": name} if name else {}),
        "contentType": request.headers["content-type"].strip(),
        **({"securityContext": {"reference": context}} if context else {}),
        **({"data": base64.b64encode(content).decode()} if content else {}),
    }
    return msgspec.json.encode(binary)
