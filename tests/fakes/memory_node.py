"""A node as the command line sees it, without HTTP: keeps what it is sent, can be down."""

import httpx

from bridge.cli.node import Node
from bridge.core.errors import BridgeError, Fault

__all__ = ["MemoryNode"]


class MemoryNode(Node):
    """Answers as `POST /hl7v2` does; the word BAD is quarantined."""

    def __init__(self) -> None:
        """Be well."""
        self.posted: list[bytes] = []
        self.down_after: int | None = None
        """Posts that are still answered before the node is gone."""

    def post(self, path: str, body: bytes, content_type: str) -> httpx.Response:
        """Store, or be down."""
        del path, content_type
        if self.down_after is not None and len(self.posted) >= self.down_after:
            raise BridgeError(
                "node-unreachable",
                Fault.PEER,
                what="the node did not answer",
                where="http://node",
                do="start it",
            )
        status = "duplicate" if body in self.posted else "stored"
        self.posted.append(body)
        if b"BAD" in body:
            status = "quarantined"
        headers = {"x-record-id": f"r{len(self.posted)}", "x-record-status": status}
        return httpx.Response(200, headers=headers, content=b"MSH|ACK")
