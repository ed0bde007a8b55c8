"""Request bodies: bounded while they are read, inflated with a bound, charset as declared."""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from email.message import Message

from fastapi import Request
from starlette.requests import ClientDisconnect

from bridge.core.errors import BridgeError, Fault

__all__ = ["MAX_FHIR_BYTES", "MAX_HL7_BYTES", "body_of", "chunks_of", "media_type_of"]

MAX_HL7_BYTES = 16 * 1024 * 1024
"""As an MLLP frame: the largest embedded documents that hospitals send are a few megabytes."""
MAX_FHIR_BYTES = 64 * 1024 * 1024
"""A patient's whole history as one transaction; the largest Synthea patient is 20 MB."""

BODY_S = 120.0
"""For a whole body: 64 MiB in two minutes is 4.5 Mbit/s. A client that drips holds a connection."""


async def chunks_of(request: Request, *, at_most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, bounded in bytes and in time.

    Raises:
        BridgeError: `body-too-large` as soon as the bound is passed; `body-slow`; `body-cut`.
    """
    room = at_most
    if int(request.headers.get("content-length", "0")) > at_most:  # digits: the server looked
        raise _too_large(at_most)
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                room -= len(chunk)
                if room < 0:
                    raise _too_large(at_most)
                yield chunk
    except ClientDisconnect as error:
        raise BridgeError(
            "body-cut",
            Fault.SENDER,
            what="the client left before its body was whole",
            where="request body",
            do="send it again",
        ) from error
    except TimeoutError as error:
        raise BridgeError(
            "body-slow",
            Fault.SENDER,
            what=f"the body did not arrive within {BODY_S:.0f} s",
            where="request body",
            do="send it over a faster line, or in parts",
        ) from error


async def body_of(request: Request, *, at_most: int) -> bytes:
    """The whole body, inflated when it came as gzip.

    Raises:
        BridgeError: `body-too-large` as soon as the bound is passed, before or after inflating;
            `body-slow`; `body-coding` for another Content-Encoding; `body-encoding` for broken
            gzip, or bytes after its end.
    """
    inflate = zlib.decompressobj(wbits=31) if _is_gzip(request) else None
    parts: list[bytes] = []
    room = at_most
    async for chunk in chunks_of(request, at_most=at_most):
        part = _inflated(inflate, chunk, room + 1) if inflate else chunk
        room -= len(part)
        if room < 0:
            raise _too_large(at_most)
        parts.append(part)
    if inflate and not inflate.eof:
        raise _bad_encoding("the gzip body is cut short")
    return b"".join(parts)


def _is_gzip(request: Request) -> bool:
    """`x-gzip` is an old name of it (RFC 9110 s8.4.1.3)."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"identity", "gzip", "x-gzip"}:
        return coding != "identity"
    raise _bad_encoding(f"Content-Encoding {coding[:40]} is not understood", "body-coding")


def _inflated(inflate: "zlib._Decompress", chunk: bytes, at_most: int) -> bytes:
    try:
        part = inflate.decompress(chunk, at_most)
    except zlib.error as error:
        raise _bad_encoding("the body is not gzip") from error
    if inflate.unused_data:
        raise _bad_encoding("bytes follow the gzip body")
    return part


def _too_large(at_most: int) -> BridgeError:
    return BridgeError(
        "body-too-large",
        Fault.SENDER,
        what=f"the body is larger than {at_most} bytes",
        where="request body",
        do="send it in parts",
    )


def _bad_encoding(what: str, code: str = "body-encoding") -> BridgeError:
    return BridgeError(
        code,
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
