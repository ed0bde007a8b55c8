"""One bounded HTTP exchange with a stamping service."""

from typing import Final

import httpx

from bridge.core.errors import BridgeError, Fault

__all__ = ["exchange"]

TIMEOUT_S: Final = 10.0
"""Public calendars and authorities answer within a second."""


def exchange(url: str, *, body: bytes | None, headers: dict[str, str], limit: int) -> bytes | None:
    """POST the body, or GET when there is none; the answer, or None for HTTP 404.

    Redirects are not followed: the operator named this address and no other.

    Raises:
        BridgeError: `stamp-unavailable` with fault PEER, naming the host alone.
    """
    method = "GET" if body is None else "POST"
    try:
        with httpx.stream(
            method, url, content=body, headers=headers, timeout=TIMEOUT_S, follow_redirects=False
        ) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            if response.status_code != httpx.codes.OK:
                raise _silence(url, f"HTTP {response.status_code}")
            return _bounded(response, url, limit)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _silence(url, type(error).__name__) from error


def _bounded(response: httpx.Response, url: str, limit: int) -> bytes:
    body = bytearray()
    for part in response.iter_bytes(8192):
        body += part
        if len(body) > limit:
            raise _silence(url, f"more than {limit} bytes")
    return bytes(body)


def _silence(url: str, what: str) -> BridgeError:
    """Path and user of such a URL may be credentials and stay out of the error."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return BridgeError(
        "stamp-unavailable",
        Fault.PEER,
        what=f"the stamping service gave nothing usable: {what}",
        where=host[:100],
        do="nothing: it is asked again; see that the address is right if it stays so",
    )
