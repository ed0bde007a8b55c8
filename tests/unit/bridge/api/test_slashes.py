"""The slash at the end of a FHIR path."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from bridge.api.slashes import PlainPaths


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/fhir/", "/fhir"),
        ("/fhir/Patient/", "/fhir/Patient"),
        ("/fhir/Patient", "/fhir/Patient"),
        ("/fhir//", "/fhir//"),
        ("/log/tile/", "/log/tile/"),
        ("/", "/"),
    ],
)
def test_one_slash_at_the_end_means_nothing(path: str, seen: str) -> None:
    """For FHIR alone: a tile has one spelling."""
    paths: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0)
        paths.append(scope["path"])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {}

    async def send(_message: Message) -> None:
        await asyncio.sleep(0)

    asyncio.run(PlainPaths(app)({"type": "http", "path": path}, receive, send))

    assert paths == [seen]
