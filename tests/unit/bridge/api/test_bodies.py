"""Bodies that are bounded while they are read."""

import asyncio
import gzip
import zlib
from collections.abc import Mapping, Sequence

import pytest
from fastapi import Request
from starlette.types import Message

from bridge.api import bodies
from bridge.api.bodies import body_of, media_type_of
from bridge.core.errors import BridgeError, Fault


def request_of(
    chunks: Sequence[bytes], headers: Mapping[str, str] | None = None, *, wait_s: float = 0
) -> Request:
    """A request whose body comes in these chunks."""
    left = list(chunks)

    async def receive() -> Message:
        await asyncio.sleep(wait_s)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "headers": raw}, receive)


def read(chunks: Sequence[bytes], encoding: str = "") -> bytes:
    """The body."""
    headers = {"content-encoding": encoding} if encoding else {}
    return asyncio.run(body_of(request_of(chunks, headers), at_most=100))


def cut(data: bytes, size: int) -> list[bytes]:
    """In pieces of this size."""
    return [data[i : i + size] for i in range(0, len(data), size)] or [b""]


def test_body_is_whole_however_it_is_cut() -> None:
    """Plain and as gzip, at once and byte by byte."""
    data = b"MSH|^~\\&|HIS|HOSP"
    packed = gzip.compress(data)

    assert read([data]) == data
    assert read(cut(data, 1)) == data
    assert read([packed], "gzip") == data
    assert read(cut(packed, 1), "GZIP") == data
    assert read([packed], "x-gzip") == data
    assert read([b""]) == b""


@pytest.mark.parametrize(
    ("chunks", "encoding"),
    [
        ([b"x" * 101], ""),
        ([b"x" * 60, b"x" * 60], ""),
        ([gzip.compress(b"x" * 101)], "gzip"),
        ([gzip.compress(b"x" * 100_000_000, 1)[:100]], "gzip"),
    ],
    ids=["one", "two", "inflated", "bomb"],
)
def test_body_over_its_bound_is_refused(chunks: list[bytes], encoding: str) -> None:
    """Before and after inflating; a bomb is never inflated whole."""
    with pytest.raises(BridgeError, match=r"larger than 100 bytes \(request body\) - send it in"):
        read(chunks, encoding)


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (gzip.compress(b"abc")[:-4], "gzip", "the gzip body is cut short"),
        (b"", "gzip", "the gzip body is cut short"),
        (b"no gzip", "gzip", "the body is not gzip"),
        (zlib.compress(b"abc"), "gzip", "the body is not gzip"),
        (gzip.compress(b"abc") + b"more", "gzip", "bytes follow the gzip body"),
        (b"abc", "br", "Content-Encoding br is not understood"),
    ],
)
def test_body_that_cannot_be_inflated_is_refused(body: bytes, encoding: str, words: str) -> None:
    """What follows the end is refused like what is missing before it."""
    with pytest.raises(BridgeError, match=words):
        read([body], encoding)


def test_bytes_after_the_gzip_are_not_kept_while_they_come() -> None:
    """The refusal comes with the first of them."""
    chunks = [gzip.compress(b"abc"), b"x" * 50, b"never read"]
    request = request_of(chunks, {"content-encoding": "gzip"})

    with pytest.raises(BridgeError, match="bytes follow"):
        asyncio.run(body_of(request, at_most=1000))


def test_client_that_drips_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body has so long, however often a byte comes."""
    monkeypatch.setattr(bodies, "BODY_S", 0.05)
    request = request_of([b"x"] * 100, wait_s=0.01)

    with pytest.raises(BridgeError, match=r"did not arrive within 0 s \(request body\)"):
        asyncio.run(body_of(request, at_most=1000))


def test_client_that_leaves_is_no_fault_of_ours() -> None:
    """Half a body is a refusal like others, not a defect that wakes somebody up."""

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    with pytest.raises(BridgeError, match="the client left before its body was whole") as refused:
        asyncio.run(body_of(Request({"type": "http", "headers": []}, receive), at_most=1000))

    assert refused.value.fault is Fault.SENDER


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ("", "")),
        ("Text/Plain", ("text/plain", "")),
        ('application/hl7-v2; charset="ISO-8859-1"', ("application/hl7-v2", "iso-8859-1")),
        ("application/fhir+json;charset=utf-8", ("application/fhir+json", "utf-8")),
    ],
)
def test_media_type_and_charset_are_read(header: str, expected: tuple[str, str]) -> None:
    """Lower case, parameters apart."""
    headers = {"content-type": header} if header else {}

    assert media_type_of(request_of([b""], headers)) == expected


def test_body_that_says_it_is_too_large_is_not_waited_for() -> None:
    """The refusal leaves before a byte of it is read."""
    request = request_of([], {"content-length": "11"})

    with pytest.raises(BridgeError, match="larger than 10 bytes"):
        asyncio.run(body_of(request, at_most=10))
