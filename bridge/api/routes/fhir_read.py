"""FHIR reads: read, vread, history, search, everything, and the receipt of each version.

https://hl7.org/fhir/R4/http.html, https://hl7.org/fhir/R4/search.html. Bodies are the stored
canonical bytes; a searchset is put together around them, so that every entry is what was proved.
"""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api.access import holding
from bridge.api.bodies import body_of
from bridge.api.capability import capability_statement
from bridge.api.node import Node, TheNode
from bridge.api.problems import FHIR_JSON
from bridge.api.searchset import history_bundle, searchset
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import parse_instant
from bridge.core.policy.access import Caller, Role
from bridge.core.record.merge import ResourceRef
from bridge.core.search.parameters import PAGE, parse_query
from bridge.flows.disclose import (
    Everything,
    History,
    disclose_everything,
    disclose_history,
    disclose_search,
    disclose_version,
)
from bridge.flows.issue import VersionRef, issue
from bridge.ports.reading import Served

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"])
Reader = Annotated[Caller, Depends(holding(Role.READER, Role.COMPLIANCE))]
MAX_QUERY_BYTES = 64 * 1024
"""Of a POST _search body: a hundred identifiers are a few kilobytes."""
PAGE_SIZE = 50
MAX_PAGE = 1000


@router.get("/metadata", response_class=Response)
def metadata(request: Request) -> Response:
    """The CapabilityStatement, generated from the code; public."""
    return Response(capability_statement(_base(request)), media_type=FHIR_JSON)


@router.get("/{kind}", response_class=Response)
def search(kind: str, request: Request, node: TheNode, caller: Reader) -> Response:
    """Search one type; parameters that are not known are refused."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    return _search(node, caller, kind, pairs, _base(request))


@router.post("/{kind}/_search", response_class=Response)
async def search_by_post(kind: str, request: Request, node: TheNode, caller: Reader) -> Response:
    """The same with the parameters in the body, so that identifiers stay out of URLs."""
    body = await body_of(request, at_most=MAX_QUERY_BYTES)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True)
    except UnicodeDecodeError:
        pairs = [("", "")]
    query = parse_qsl(request.url.query, keep_blank_values=True)
    return await run_in_threadpool(_search, node, caller, kind, [*query, *pairs], _base(request))


@router.get("/Patient/{name}/$everything", response_class=Response)
def everything(  # noqa: PLR0913, PLR0917 - one parameter a query parameter
    name: str,
    request: Request,
    node: TheNode,
    caller: Reader,
    since: Annotated[str, Query(alias="_since")] = "",
    types: Annotated[str, Query(alias="_type")] = "",
    count: Annotated[int, Query(alias="_count", ge=1, le=MAX_PAGE)] = MAX_PAGE,
    page: Annotated[str, Query(alias=PAGE)] = "",
) -> Response:
    """https://hl7.org/fhir/R4/operation-patient-everything.html."""
    found = disclose_everything(
        Everything(
            patient=name,
            since=parse_instant(since) if since else None,
            types=tuple(part for part in types.split(",") if part),
            count=count,
            page=page,
        ),
        caller=caller,
        **node.disclosing,
    )
    asked = [("_count", str(count))]
    asked += [pair for pair in (("_since", since), ("_type", types)) if pair[1]]
    url = f"{_base(request)}/Patient/{name}/$everything"
    return Response(searchset(found, url, asked, _base(request)), media_type=FHIR_JSON)


@router.get("/{kind}/{name}/_history", response_class=Response)
def history(  # noqa: PLR0913, PLR0917 - one parameter a query parameter
    kind: str,
    name: str,
    request: Request,
    node: TheNode,
    caller: Reader,
    count: Annotated[int, Query(alias="_count", ge=1, le=MAX_PAGE)] = PAGE_SIZE,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Versions of one resource, newest first."""
    found = disclose_history(
        History(ref=ResourceRef(kind, name), count=count, before=before),
        caller=caller,
        **node.disclosing,
    )
    base = _base(request)
    url = f"{base}/{kind}/{name}/_history"
    return Response(history_bundle(found, url, count, base), media_type=FHIR_JSON)


@router.get("/{kind}/{name}/_history/{version}/$receipt", response_class=Response)
def receipt(kind: str, name: str, version: int, node: TheNode, _: Reader) -> Response:
    """The receipt of one version; its document is the body of that version."""
    ref = VersionRef(type=kind, id=name, version=version)
    return Response(
        issue(ref, evidence=node.evidence, book=node.book), media_type="application/json"
    )


@router.get("/{kind}/{name}/_history/{version}", response_class=Response)
def vread(kind: str, name: str, version: int, node: TheNode, caller: Reader) -> Response:
    """One version, byte for byte as it was sealed."""
    return _body(
        disclose_version(ResourceRef(kind, name), version, caller=caller, **node.disclosing)
    )


@router.get("/{kind}/{name}", response_class=Response)
def read(kind: str, name: str, request: Request, node: TheNode, caller: Reader) -> Response:
    """The newest version; 304 when `If-None-Match` names it."""
    served = disclose_version(ResourceRef(kind, name), caller=caller, **node.disclosing)
    if request.headers.get("if-none-match") == _etag(served):
        return Response(status_code=304, headers={"ETag": _etag(served)})
    return _body(served)


def _search(
    node: Node, caller: Caller, kind: str, pairs: list[tuple[str, str]], base: str
) -> Response:
    query = parse_query(kind, pairs)
    found = disclose_search(query, caller=caller, **node.disclosing)
    return Response(
        searchset(found, f"{base}/{kind}", list(query.pairs), base), media_type=FHIR_JSON
    )


def _body(served: Served) -> Response:
    if served.deleted:
        raise BridgeError(
            "deleted",
            Fault.SENDER,
            what="this version is a deletion",
            where=f"{served.ref.type}, version {served.version}",
            do="read an earlier version from its _history",
        )
    headers = {
        "ETag": _etag(served),
        "Last-Modified": served.at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Cache-Control": "no-store",
    }
    return Response(served.body, headers=headers, media_type=FHIR_JSON)


def _etag(served: Served) -> str:
    return f'W/"{served.version}"'


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir"
