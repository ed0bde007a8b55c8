"""A Binary read as the document that it holds."""

import msgspec
import pytest
from fastapi import Request

from bridge.api.documents import document
from bridge.core.errors import BridgeError
from bridge.core.ids import parse_instant
from bridge.core.record.merge import ResourceRef
from bridge.ports.reading import Served


def read(accept: str, **elements: str) -> tuple[str, bytes]:
    """Media type and bytes of the answer."""
    body = msgspec.json.encode({"resourceType": "Binary", **elements})
    at = parse_instant("2026-11-22T14:00:00.000000Z")
    served = Served(ref=ResourceRef("Binary", "a"), version=1, at=at, body=body)
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    answer = document(served, request)
    return answer.headers["content-type"], bytes(answer.body)


def test_media_type_is_as_stated() -> None:
    """No charset is made up; without data there is nothing in it."""
    assert read("text/*", contentType="text/plain", data="/A==") == ("text/plain", b"\xfc")
    assert read("TEXT/PLAIN", contentType="text/plain") == ("text/plain", b"")


@pytest.mark.parametrize(
    "kind", ["image/png", "text/plain\r\nX-Evil: 1", "text/\u202eplain", "text", ""]
)
def test_other_media_type_is_refused(kind: str) -> None:
    """So is one that would begin another header."""
    with pytest.raises(BridgeError, match=r"\(Accept header\) - accept application/fhir\+json"):
        read("text/plain", contentType=kind)
