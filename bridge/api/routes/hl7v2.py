"""`POST /hl7v2`: HL7 over HTTP; the answer is the acknowledgement, HTTP 200 for every ACK code.

https://hapifhir.github.io/hapi-hl7v2/hapi-hl7overhttp/specification.html
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api.access import holding
from bridge.api.bodies import MAX_HL7_BYTES, body_of, media_type_of
from bridge.api.node import Node, TheNode
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import Caller, Role
from bridge.flows.receive import Inbound, Received, receive

__all__ = ["router"]

router = APIRouter(tags=["intake"])
MEDIA_TYPES = (
    "application/hl7-v2",
    "application/hl7-v2+er7",
    "x-application/hl7-v2+er7",
    "text/plain",
)


@router.post("/hl7v2", response_class=Response)
async def post_message(
    request: Request, node: TheNode, client: Annotated[Caller, Depends(holding(Role.SENDER))]
) -> Response:
    """One HL7v2 message; durable before it is acknowledged."""
    media_type, charset = media_type_of(request)
    if media_type not in MEDIA_TYPES:
        raise BridgeError(
            "media-type",
            Fault.SENDER,
            what=f"Content-Type {media_type[:60] or 'is absent'}",
            where="Content-Type header",
            do=f"send one of {', '.join(MEDIA_TYPES)}",
        )
    raw = await body_of(request, at_most=MAX_HL7_BYTES)
    received = await run_in_threadpool(_receive, node, client, raw, charset)
    headers = {"X-Record-Id": received.record, "X-Record-Status": received.status}
    kind = f"{media_type}; charset={charset}" if charset else media_type
    return Response(node.worded(raw, received), headers=headers, media_type=kind)


def _receive(node: Node, client: Caller, raw: bytes, charset: str) -> Received:
    inbound = Inbound(
        raw=raw,
        feed=node.feeds.name(client),
        number=next(node.feeds.numbers(client)),
        charset=charset,
    )
    with node.metrics.answer_seconds.labels("hl7v2").time():
        (received,) = receive(
            [inbound],
            dialect=node.hl7v2,
            intake=node.intake,
            clock=node.clock,
            entropy=node.entropy,
        )
    node.metrics.received.labels("hl7v2", received.status).inc()
    node.wake()
    return received
