"""One bounded HTTP exchange with a stamping service."""

import queue
import threading
from typing import Final

import httpx

from bridge.chain.urls import public_name
from bridge.core.errors import BridgeError, Fault

__all__ = ["exchange"]

TIMEOUT_S: Final = 10.0
"""Without a byte. Public calendars and authorities answer within a second."""
PATIENCE_S: Final = 15.0
"""For a whole exchange: a service that drips bytes never trips the time-out above."""


def exchange(url: str, *, body: bytes | None, headers: dict[str, str], limit: int) -> bytes | None:
    """POST the body, or GET when there is none; the answer, or None for HTTP 404.

    Redirects are not followed: the operator named this address and no other.

    Raises:
        BridgeError: `stamp-unavailable` with fault PEER, naming the host alone.
    """
    box: queue.SimpleQueue[bytes | BridgeError | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            box.put(_exchanged(url, body=body, headers=headers, limit=limit))
        except BridgeError as error:
            box.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        found = box.get(timeout=PATIENCE_S)
    except queue.Empty:
        raise _silence(url, f"no whole answer within {PATIENCE_S:.0f} s") from None
    if isinstance(found, BridgeError):
        raise found
    return found


def _exchanged(
    url: str, *, body: bytes | None, headers: dict[str, str], limit: int
) -> bytes | None:
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
    return BridgeError(
        "stamp-unavailable",
        Fault.PEER,
        what=f"the stamping service gave nothing usable: {what}",
        where=public_name(url),
        do="nothing: it is asked again; see that the address is right if it stays so",
    )
