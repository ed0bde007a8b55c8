"""What a Binary holds, as a viewer reads it: the document itself, of the media type that it states.

Source: https://hl7.org/fhir/R4/binary.html#rest.
"""

import base64
import re

import msgspec
from fastapi import Request
from fastapi.responses import Response

from bridge.api.answers import PRIVATE, stamps
from bridge.api.queries import not_acceptable, of_r4
from bridge.ports.reading import Served

__all__ = ["document"]

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
