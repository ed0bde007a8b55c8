"""HEAD and OPTIONS for every door (RFC 9110 s9.3.2, s9.3.7), and the Allow header of a 405."""

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PlainMethods", "allowed"]


class PlainMethods:
    """HEAD is GET without its body, an access like any other; OPTIONS tells the methods."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        """Stand before the application whose routes these are."""
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        method = scope.get("method") if scope["type"] == "http" else None
        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
            return
        names = allowed(self._routes, scope) if method == "OPTIONS" else ""
        if names:
            response = Response(status_code=204, headers={"Allow": names})
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def allowed(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Methods of the request's path, as the Allow header lists them; empty when it has no door."""
    found: set[str] = set()
    for route in routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(sorted(found | {"OPTIONS"})) if found else ""


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
