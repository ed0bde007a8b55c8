"""FHIR reads: metadata, read, vread, history, search.

https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html.
"""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api import answers
from bridge.api.access import holding
from bridge.api.bodies import body_of, media_type_of
from bridge.api.capability import capability_statement
from bridge.api.node import TheNode
from bridge.api.queries import asked_of, is_lenient, json_wanted, wants_document
from bridge.api.reads import SUBSET, VERSIONS, Asking, known_type, subset_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import Caller, Role

__all__ = ["Asked", "Kind", "router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
Reader = Annotated[Caller, Depends(holding(Role.READER, Role.COMPLIANCE))]
MAX_QUERY_BYTES = 64 * 1024
"""Of a POST _search body: a hundred identifiers are a few kilobytes."""
FORM = "application/x-www-form-urlencoded"


async def _kind(kind: str, node: TheNode) -> str:
    known_type(node, kind)
    return kind


async def _asking(request: Request, node: TheNode, caller: Reader) -> Asking:
    return Asking(node=node, caller=caller, base=answers.base_of(request))


Kind = Annotated[str, Depends(_kind)]
Asked = Annotated[Asking, Depends(_asking)]


@router.get("/metadata", response_class=Response)
async def metadata(request: Request) -> Response:
    """The CapabilityStatement, generated from the code; public."""
    body = capability_statement(answers.base_of(request))
    return Response(body, media_type="application/fhir+json")


@router.get("/{kind}", response_class=Response)
@router.get("/{kind}/_search", response_class=Response, include_in_schema=False)
def search(asking: Asked, kind: Kind, request: Request) -> Response:
    """Search one type; parameters that are not known are refused. `_search` is DSTU2's spelling."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    return asking.search(kind, pairs, lenient=is_lenient(request))


@router.post("/{kind}/_search", response_class=Response)
async def search_by_post(asking: Asked, kind: Kind, request: Request) -> Response:
    """The same with the parameters in the body, so that identifiers stay out of URLs."""
    media_type, _ = media_type_of(request)
    if media_type not in {"", FORM}:
        raise BridgeError(
            "media-type",
            Fault.SENDER,
            what=f"Content-Type {media_type[:60]}",
            where="Content-Type header",
            do=f"send {FORM}",
        )
    body = await body_of(request, at_most=MAX_QUERY_BYTES)
    said = body.decode("ascii", "replace")
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    pairs += parse_qsl(said, keep_blank_values=True)
    lenient = is_lenient(request)
    return await run_in_threadpool(asking.search, kind, pairs, lenient=lenient)


@router.get("/{kind}/{name}/_history", response_class=Response)
def history(asking: Asked, kind: Kind, name: str, request: Request) -> Response:
    """Versions of one resource, newest first."""
    return asking.history(kind, name, asked_of(request, *VERSIONS))


@router.get("/{kind}/{name}/_history/{version}", response_class=Response)
def vread(asking: Asked, kind: Kind, name: str, version: str, request: Request) -> Response:
    """One version, byte for byte as it was sealed."""
    asked_of(request)
    return asking.vread(kind, name, version)


@router.get("/{kind}/{name}", response_class=Response)
def read(asking: Asked, kind: Kind, name: str, request: Request) -> Response:
    """The newest version; 304 when `If-None-Match` or `If-Modified-Since` names it."""
    asked = asked_of(request, *SUBSET)
    if wants_document(request):
        return asking.document(name, request)
    return asking.read(kind, name, request.headers, subset_of(asked))
