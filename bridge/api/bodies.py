"""Request bodies: bounded while they are read, inflated with a bound, charset as declared."""

import zlib
from email.message import Message

from fastapi import Request

from bridge.core.errors import BridgeError, Fault

__all__ = ["MAX_FHIR_BYTES", "MAX_HL7_BYTES", "body_of", "media_type_of"]

MAX_HL7_BYTES = 16 * 1024 * 1024
"""As an MLLP frame: the largest embedded documents that hospitals send are a few megabytes."""
MAX_FHIR_BYTES = 64 * 1024 * 1024
"""A patient's whole history as one transaction; the largest Synthea patient is 20 MB."""


async def body_of(request: Request, *, at_most: int) -> bytes:
    """The whole body, inflated when it came as gzip.

    Raises:
        BridgeError: `body-too-large` as soon as the bound is passed, before or after inflating;
            `body-encoding` for another Content-Encoding or broken gzip.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise _bad_encoding(f"Content-Encoding {encoding[:40]} is not understood")
    inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    parts: list[bytes] = []
    room = at_most
    async for chunk in request.stream():
        part = _inflated(inflate, chunk, room + 1) if inflate else chunk
        room -= len(part)
        if room < 0:
            raise BridgeError(
                "body-too-large",
                Fault.SENDER,
                what=f"the body is larger than {at_most} bytes",
                where="request body",
                do="send it in parts",
            )
        parts.append(part)
    if inflate and not inflate.eof:
        raise _bad_encoding("the gzip body is cut short")
    return b"".join(parts)


def _inflated(inflate: "zlib._Decompress", chunk: bytes, at_most: int) -> bytes:
    try:
        return inflate.decompress(chunk, at_most)
    except zlib.error as error:
        raise _bad_encoding("the body is not gzip") from error


def _bad_encoding(what: str) -> BridgeError:
    return BridgeError(
        "body-encoding",
        Fault.SENDER,
        what=what,
        where="Content-Encoding header",
        do="send the body as it is, or as gzip",
    )


def media_type_of(request: Request) -> tuple[str, str]:
    """Media type in lower case and the charset parameter; empty when absent (RFC 9110 s8.3)."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    declared = header.get_content_type() if request.headers.get("content-type") else ""
    return declared, str(header.get_content_charset() or "")
