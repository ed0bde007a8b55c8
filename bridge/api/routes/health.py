"""Liveness for everybody; readiness and metrics for every token, such as one of role monitor."""

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from bridge.api.access import Authenticated
from bridge.api.node import TheNode

__all__ = ["router"]

router = APIRouter(tags=["operations"])
NEEDED = frozenset({"database"})
"""Without the database nothing can be accepted; without the others everything is only later."""


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """This process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(node: TheNode, _: Authenticated) -> Response:
    """Each part, looked at now; 503 when nothing can be accepted."""
    parts = await run_in_threadpool(node.health)
    ok = all(part.ok for name, part in parts.items() if name in NEEDED)
    body = {name: {"ok": part.ok, "detail": part.detail} for name, part in parts.items()}
    return JSONResponse({"ready": ok, **body}, 200 if ok else 503)


@router.get("/metrics")
def metrics(node: TheNode, _: Authenticated) -> Response:
    """Prometheus text; counts and times, never content. The gauges are looked at now."""
    node.measure()
    return Response(node.metrics.exposition(), media_type="text/plain; version=0.0.4")
