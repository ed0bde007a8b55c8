"""A request whose length is said twice: a proxy may have read another one than this node does.

RFC 9112 s6.3: such a request "ought to be handled as an error", and its connection must close.
"""

from collections.abc import Sequence

from fastapi import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.problems import refusal
from bridge.core.errors import BridgeError, Fault

__all__ = ["OneLength"]

BOTH = frozenset({b"content-length", b"transfer-encoding"})


class OneLength:
    """Refuses before any door, so that what was smuggled is never read as a request."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        """Stand before the application whose routes these are."""
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not {name for name, _ in scope.get("headers", ())} >= BOTH:
            await self._app(scope, receive, send)
            return
        error = BridgeError(
            "length-twice",
            Fault.SENDER,
            what="the request has Content-Length and Transfer-Encoding",
            where="request head",
            do="send one of them; a proxy on the way may add the other",
        )
        scope = {"app": None, **scope}
        await refusal(Request(scope), error, self._routes)(scope, receive, send)
