"""What each door took and how long, by the route's own text: never a path, never a query."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.telemetry import Metrics

__all__ = ["Metered"]


class Metered:
    """Counts and times the requests of each route."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        """Stand before the application, and count into these."""
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; one that is broken off before its answer counts as status 0."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        started = time.perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope.get("route") else "any"
            seconds = time.perf_counter() - started
            self._metrics.http_seconds.labels(route, method, str(status)).observe(seconds)
