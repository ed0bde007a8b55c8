"""FHIR writes of one resource: create, update, delete; readable as soon as they are answered.

https://hl7.org/fhir/R4/http.html#create, #update, #delete
"""

from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from bridge.api import answers
from bridge.api.access import holding
from bridge.api.bodies import MAX_FHIR_BYTES, body_of
from bridge.api.documents import binary_body, is_document
from bridge.api.node import Node, TheNode
from bridge.api.problems import FHIR_JSON, findings_outcome
from bridge.api.queries import JSON_TYPES, Return, json_wanted, of_r4, return_wanted
from bridge.api.routes.fhir_read import Kind
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import CLINICAL, Caller, Role
from bridge.core.record.bundle import Finding, Severity
from bridge.core.record.merge import ResourceRef
from bridge.flows.disclose import disclose_written
from bridge.flows.write import Written, WrittenEntry, deletion, receive_and_project

__all__ = [
    "STATUS",
    "Said",
    "Writer",
    "check_names",
    "counted",
    "fhir_body",
    "preconditions",
    "router",
    "shown",
    "single",
]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
Writer = Annotated[Caller, Depends(holding(Role.SENDER))]
STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204}
Said = dict[str, str]
PRECONDITIONS = {"if-match": "ifMatch", "if-none-match": "ifNoneMatch"}


@router.post("/{kind}", response_class=Response)
async def create(kind: Kind, request: Request, node: TheNode, client: Writer) -> Response:
    """Create; the server gives the id. `If-None-Exist` makes it conditional."""
    raw = await (binary_body(request) if is_document(kind, request) else fhir_body(request))
    check_names(raw, kind, "")
    said = {"method": "POST", "url": kind}
    if "if-none-exist" in request.headers:
        said["ifNoneExist"] = request.headers["if-none-exist"]
    return await run_in_threadpool(single, request, node, client, raw, said)


@router.put("/{kind}/{name}", response_class=Response)
async def update(
    kind: Kind, name: str, request: Request, node: TheNode, client: Writer
) -> Response:
    """Update, or create under this id; `If-Match` names the version that is replaced."""
    as_document = is_document(kind, request)
    raw = await (binary_body(request, name) if as_document else fhir_body(request))
    check_names(raw, kind, name)
    said = {"method": "PUT", "url": f"{kind}/{name}"} | preconditions(request)
    return await run_in_threadpool(single, request, node, client, raw, said)


@router.put("/{kind}", response_class=Response)
async def conditional_update(
    kind: Kind, request: Request, node: TheNode, client: Writer
) -> Response:
    """Update what the query finds, or create: https://hl7.org/fhir/R4/http.html#cond-update."""
    raw = await fhir_body(request)
    named = check_names(raw, kind, None)
    said = {"method": "PUT", "url": _conditional(kind, request)} | preconditions(request)
    return await run_in_threadpool(single, request, node, client, raw, said, named)


@router.delete("/{kind}/{name}", response_class=Response)
async def delete(
    kind: Kind, name: str, request: Request, node: TheNode, client: Writer
) -> Response:
    """Delete; earlier versions stay readable, and the deletion is a version of its own."""
    said = {"method": "DELETE", "url": f"{kind}/{name}"} | preconditions(request)
    return await run_in_threadpool(_delete, node, client, said)


@router.delete("/{kind}", response_class=Response)
async def conditional_delete(
    kind: Kind, request: Request, node: TheNode, client: Writer
) -> Response:
    """Delete the one resource that the query finds; several are refused."""
    said = {"method": "DELETE", "url": _conditional(kind, request)} | preconditions(request)
    return await run_in_threadpool(_delete, node, client, said)


async def fhir_body(request: Request) -> bytes:
    """The body of a request that sends FHIR JSON.

    Raises:
        BridgeError: `media-type`, `body-too-large`, `body-slow`, `body-encoding`.
    """
    said = request.headers.get("content-type", "")
    if not of_r4(said, JSON_TYPES):
        raise BridgeError(
            "media-type",
            Fault.SENDER,
            what=f"Content-Type {said[:60] or 'is absent'}",
            where="Content-Type header",
            do=f"send {FHIR_JSON} of R4",
        )
    return await body_of(request, at_most=MAX_FHIR_BYTES)


class _Named(msgspec.Struct):
    resourceType: str = ""  # noqa: N815 - FHIR's own spelling
    id: str = ""


def check_names(raw: bytes, kind: str, name: str | None) -> str:
    """The body must say what the URL says; the id in the body.

    The id of a create is the server's to give, and one in its body is passed over
    (https://hl7.org/fhir/R4/http.html#create). Broken JSON passes here: the dialect says what is
    wrong with it and keeps it.
    """
    try:
        body = msgspec.json.decode(raw, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if body.resourceType != kind or (name and body.id != name):
        raise BridgeError(
            "url-differs",
            Fault.SENDER,
            what="resourceType or id of the body is not what the URL says",
            where="URL",
            do="PUT a body with the id of its URL, POST a body of the type of its URL",
        )
    return body.id


def _conditional(kind: str, request: Request) -> str:
    if not request.url.query:
        raise BridgeError(
            "condition-empty",
            Fault.SENDER,
            what="this needs a query, or the id of a resource in its URL",
            where=kind,
            do="name the resource that is meant, for example by identifier",
        )
    return f"{kind}?{request.url.query}"


def preconditions(request: Request) -> Said:
    """`If-Match` and `If-None-Match`, as members of `Bundle.entry.request`."""
    headers = request.headers
    return {member: headers[name] for name, member in PRECONDITIONS.items() if name in headers}


def _write(node: Node, client: Caller, raw: bytes, said: Said, body_id: str = "") -> Written:
    inbound = replace(node.inbound(client, raw, said), body_id=body_id)
    with node.metrics.answer_seconds.labels("fhir").time():
        written = receive_and_project(inbound, node.writing)
    return counted(node, written)


def counted(node: Node, written: Written) -> Written:
    """Count what became of an input, wake the workers; raise the reason of a refusal."""
    node.metrics.received.labels("fhir", written.received.status).inc()
    if written.received.reason is not None:
        written.received.reason.kept_as = written.received.record
        raise written.received.reason
    node.wake()
    return written


def _delete(node: Node, client: Caller, said: Said) -> Response:
    written = _write(node, client, deletion(said), {})
    entry = written.entries[0]
    tag = {"ETag": answers.etag(entry.version)} if entry.ref and entry.version else {}
    return Response(status_code=204, headers={**_headers(written), **tag})


def single(
    request: Request, node: Node, client: Caller, raw: bytes, said: Said, body_id: str = ""
) -> Response:
    """Location, ETag, Last-Modified, and the body that Prefer asks for."""
    written = _write(node, client, raw, said, body_id)
    (entry,) = written.entries
    if entry.ref is None:
        raise BridgeError(
            "entry-lost",
            Fault.US,
            what="the resource was stored and cannot be named",
            where="Location",
            do="report it",
        )
    status = STATUS[entry.outcome]
    base = answers.base_of(request)
    headers = {
        "Location": f"{base}/{entry.ref}/_history/{entry.version}",
        **answers.stamps(entry.version, entry.at),
        **_headers(written),
    }
    wanted = return_wanted(request) or Return.REPRESENTATION
    if wanted is Return.OUTCOME:
        told = Finding(
            code=entry.outcome,
            severity=Severity.INFORMATION,
            where=entry.ref.type,
            text=f"{entry.outcome} as version {entry.version}",
        )
        outcome = findings_outcome((told,))
        return JSONResponse(outcome, status, {**answers.PRIVATE, **headers}, media_type=FHIR_JSON)
    bodies = shown(node, client, [entry]) if wanted is Return.REPRESENTATION else {}
    return answers.fhir(bodies.get(entry, b""), status, headers)


def shown(node: Node, client: Caller, entries: list[WrittenEntry]) -> dict[WrittenEntry, bytes]:
    """The written bodies, as far as the caller may read; each is an access.

    The write stands: when the access cannot be noted, the answer is only poorer by the bodies.
    """
    if not client.roles & CLINICAL:
        return {}
    wanted: dict[tuple[ResourceRef, int], WrittenEntry] = {}
    for one in entries:
        if one.ref and one.at:
            wanted[one.ref, one.version] = one
    try:
        served = disclose_written(list(wanted), caller=client, **node.disclosing)
    except BridgeError:
        return {}
    return {wanted[found.ref, found.version]: found.body for found in served}


def _headers(written: Written) -> Said:
    return {"X-Record-Id": written.received.record, "X-Record-Status": written.received.status}
