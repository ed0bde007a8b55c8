"""A request whose length is said twice."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from bridge.api.lengths import OneLength


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ((), 0),
        ((b"content-length",), 0),
        ((b"transfer-encoding",), 0),
        ((b"transfer-encoding", b"host", b"content-length"), 400),
    ],
)
def test_length_is_said_once(names: tuple[bytes, ...], status: int) -> None:
    """Said twice it is refused, and the connection ends."""
    sent: list[Message] = []
    reached: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(0)
        reached.append(scope["path"])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {}

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    headers = [(name, b"4") for name in names]
    scope = {"type": "http", "path": "/hl7v2", "method": "POST", "headers": headers}
    asyncio.run(OneLength(app, routes=())(scope, receive, send))

    assert reached == ([] if status else ["/hl7v2"])
    assert [one["status"] for one in sent if "status" in one] == ([status] if status else [])
    assert not sent or (b"connection", b"close") in sent[0]["headers"]
