"""One slash at the end of a FHIR path means nothing: some clients post a Bundle to `/fhir/`.

https://hl7.org/fhir/R4/http.html#root says that the service URL may be given with or without it.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["PlainPaths"]


class PlainPaths:
    """`/fhir/` is `/fhir`, `/fhir/Patient/` is `/fhir/Patient`; every other path stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope.get("path", "")
        if path.startswith("/fhir/") and path.endswith("/") and not path.endswith("//"):
            scope = {**scope, "path": path[:-1], "raw_path": path[:-1].encode()}
        await self._app(scope, receive, send)
