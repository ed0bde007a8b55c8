"""One HTTP exchange of the offline verifier over urllib, with a server that nobody trusts.

Bounded in bytes and in time, and with the named server alone: one that sends its visitors on to
another could make one voice count as two.
"""

import time
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

__all__ = ["UnansweredError", "exchange"]


class UnansweredError(Exception):
    """There is no answer to read; the text says why and holds nothing of the URL."""

    def __init__(self, why: str, *, status: int | None = None, too_long: bool = False) -> None:
        super().__init__(why)
        self.status, self.too_long = status, too_long


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


_OPENER = build_opener(_NoRedirect)
_JSON = {"Content-Type": "application/json"}


def exchange(url: str, body: bytes | None = None, *, at_most: int, timeout_s: float) -> bytes:
    """The body of a 200.

    Args:
        url: http or https; the caller has checked the scheme.
        body: JSON to POST; None to GET.
        at_most: bytes of the body.
        timeout_s: of each read; the whole body may take twice as long.

    Raises:
        UnansweredError: for everything else.
    """
    request = Request(url, data=body, headers=_JSON if body else {})  # noqa: S310  see Args
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            return _whole(response, at_most, time.monotonic() + 2 * timeout_s)
    except HTTPError as error:
        error.close()
        raise UnansweredError(f"HTTP {error.code}", status=error.code) from error
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a host that is no name
        raise UnansweredError("it cannot be reached") from error


def _whole(response: HTTPResponse, at_most: int, limit: float) -> bytes:
    """Bytes that drip trip no socket's time-out, so the clock is looked at between them."""
    data = bytearray()
    while part := response.read1(65536):
        data += part
        if len(data) > at_most:
            raise UnansweredError(f"the answer exceeds {at_most} bytes", too_long=True)
        if time.monotonic() > limit:
            raise UnansweredError("it gave no whole answer in time")
    return bytes(data)
