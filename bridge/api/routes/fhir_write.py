"""FHIR writes: create, update, delete, and Bundles; readable as soon as they are answered.

https://hl7.org/fhir/R4/http.html#create, #update, #delete, #transaction
"""

import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from bridge.api.access import holding
from bridge.api.bodies import MAX_FHIR_BYTES, body_of, media_type_of
from bridge.api.node import Node, TheNode
from bridge.api.problems import FHIR_JSON
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import Caller, Role
from bridge.flows.receive import Inbound
from bridge.flows.write import Written, WrittenEntry, receive_and_project

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"])
Writer = Annotated[Caller, Depends(holding(Role.SENDER))]
MEDIA_TYPES = frozenset({"application/fhir+json", "application/json", "text/json"})
STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204}
Said = dict[str, str]


@router.post("", response_class=Response)
async def post_bundle(request: Request, node: TheNode, client: Writer) -> Response:
    """A Bundle of any type; a transaction is all or nothing."""
    raw = await _body(request)
    written = await run_in_threadpool(_write, node, client, raw, {})
    entries = [_response_entry(entry) for entry in written.entries]
    kind = "transaction-response" if _is_transaction(written) else "batch-response"
    bundle = {"resourceType": "Bundle", "type": kind, **({"entry": entries} if entries else {})}
    return JSONResponse(bundle, headers=_headers(written), media_type=FHIR_JSON)


@router.post("/{kind}", response_class=Response)
async def create(kind: str, request: Request, node: TheNode, client: Writer) -> Response:
    """Create; the server's id is in Location. `If-None-Exist` makes it conditional."""
    raw = await _body(request)
    _check_names(raw, kind, "")
    said = {"method": "POST", "url": kind}
    if "if-none-exist" in request.headers:
        said["ifNoneExist"] = request.headers["if-none-exist"]
    written = await run_in_threadpool(_write, node, client, raw, said)
    return _single(written, kind)


@router.put("/{kind}/{name}", response_class=Response)
async def update(kind: str, name: str, request: Request, node: TheNode, client: Writer) -> Response:
    """Update, or create under this id; `If-Match` names the version that is replaced."""
    raw = await _body(request)
    _check_names(raw, kind, name)
    said = {"method": "PUT", "url": f"{kind}/{name}"} | _if_match(request)
    written = await run_in_threadpool(_write, node, client, raw, said)
    return _single(written, kind)


@router.delete("/{kind}/{name}", response_class=Response)
async def delete(kind: str, name: str, request: Request, node: TheNode, client: Writer) -> Response:
    """Delete; earlier versions stay readable, and the deletion is a version of its own."""
    said = {"method": "DELETE", "url": f"{kind}/{name}"} | _if_match(request)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": said}]}
    raw = json.dumps(bundle).encode()
    written = await run_in_threadpool(_write, node, client, raw, {})
    return Response(status_code=204, headers=_headers(written))


async def _body(request: Request) -> bytes:
    media_type, _ = media_type_of(request)
    if media_type not in MEDIA_TYPES:
        raise BridgeError(
            "media-type",
            Fault.SENDER,
            what=f"Content-Type {media_type[:60] or 'is absent'}",
            where="Content-Type header",
            do=f"send {FHIR_JSON}",
        )
    return await body_of(request, at_most=MAX_FHIR_BYTES)


class _Named(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's own spelling
    id: str = ""


def _check_names(raw: bytes, kind: str, name: str) -> None:
    """The body must say what the URL says; a create must leave the id to the server.

    Broken JSON passes here: the dialect says what is wrong with it and keeps it.
    """
    try:
        body = msgspec.json.decode(raw, type=_Named)
    except msgspec.DecodeError:
        return
    if (body.resourceType, body.id) != (kind, name):
        place = f"{kind}/{name}" if name else kind
        raise BridgeError(
            "url-differs",
            Fault.SENDER,
            what="resourceType or id of the body is not what the URL says",
            where=f"/fhir/{place}",
            do="PUT a body with the id of its URL, POST a body without id to its type",
        )


def _write(node: Node, client: Caller, raw: bytes, said: Said) -> Written:
    inbound = Inbound(
        raw=raw,
        feed=node.feed,
        number=next(node.numbers),
        sender=client.subject,
        request=tuple(said.items()),
    )
    with node.metrics.answer_seconds.labels("fhir").time():
        written = receive_and_project(
            inbound,
            dialect=node.fhir,
            intake=node.intake,
            versions=node.versions,
            clock=node.clock,
            entropy=node.entropy,
        )
    node.metrics.received.labels("fhir", written.received.status).inc()
    if written.received.reason is not None:
        raise written.received.reason
    return written


def _if_match(request: Request) -> Said:
    tag = request.headers.get("if-match")
    return {"ifMatch": tag} if tag else {}


def _is_transaction(written: Written) -> bool:
    bundle = written.received.bundle
    return bundle is not None and bundle.message_type == "Bundle/transaction"


def _headers(written: Written) -> Said:
    return {"X-Record-Id": written.received.record, "X-Record-Status": written.received.status}


def _single(written: Written, kind: str) -> Response:
    """Location and ETag; the body is for who may read, by GET (Prefer: return=minimal)."""
    (entry,) = written.entries
    if entry.ref is None or entry.ref.type != kind:
        raise BridgeError(
            "type-differs",
            Fault.US,
            what="the resource was stored under another type than its URL says",
            where=f"/fhir/{kind}",
            do="report it",
        )
    location = f"/fhir/{entry.ref.type}/{entry.ref.id}/_history/{entry.version}"
    headers = {"Location": location, "ETag": f'W/"{entry.version}"', **_headers(written)}
    return Response(status_code=STATUS[entry.outcome], headers=headers, media_type=FHIR_JSON)


def _response_entry(entry: WrittenEntry) -> dict[str, Any]:
    """https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response."""
    status = {201: "201 Created", 200: "200 OK", 204: "204 No Content"}[STATUS[entry.outcome]]
    if entry.ref is None:
        return {"response": {"status": status}}
    location = f"{entry.ref.type}/{entry.ref.id}/_history/{entry.version}"
    return {"response": {"status": status, "location": location, "etag": f'W/"{entry.version}"'}}
