"""`GET /log/...`: the public log as c2sp.org/tlog-tiles, byte-exact and cacheable."""

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api.node import TheNode
from bridge.core.errors import BridgeError, Fault
from bridge.core.log.tiles import Bundle, parse_path

__all__ = ["router"]

router = APIRouter(prefix="/log", tags=["log"])
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}


@router.get("/checkpoint", response_class=Response)
async def checkpoint(node: TheNode) -> Response:
    """The newest signed checkpoint (c2sp.org/tlog-checkpoint)."""
    text = await run_in_threadpool(node.book.checkpoint_text)
    return _found(text, "checkpoint", "text/plain; charset=utf-8", FRESH)


@router.get("/tile/{path:path}", response_class=Response)
async def tile(path: str, node: TheNode) -> Response:
    """A tile of hashes, or an entry bundle under `entries/`."""
    name = parse_path(f"tile/{path}")
    data = await run_in_threadpool(
        lambda: (
            node.book.entries(name.n, name.width)
            if isinstance(name, Bundle)
            else node.book.tile(name.level, name.n, name.width)
        )
    )
    return _found(data, "tile", "application/octet-stream", FOR_EVER)


def _found(data: bytes | None, what: str, kind: str, headers: dict[str, str]) -> Response:
    if data is None:
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what=f"the log has no such {what}",
            where="/log",
            do="read /log/checkpoint for the size of the log",
        )
    return Response(data, media_type=kind, headers=headers)
