"""FHIR patch: JSON Patch of the newest version, written as the update that it makes.

https://hl7.org/fhir/R4/http.html#patch. The patch is applied to what its caller may read, and the
result is put under that version (`ifMatch`): nothing that came between is lost (docs/adr/0035).
"""

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bridge.api import answers
from bridge.api.bodies import body_of, media_type_of
from bridge.api.node import TheNode
from bridge.api.queries import json_wanted
from bridge.api.reads import Asking, ref_of
from bridge.api.routes.fhir_read import Kind
from bridge.api.routes.fhir_write import Said, Writer, check_names, preconditions, single
from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import CLINICAL, allow
from bridge.core.record.json_patch import patched
from bridge.flows.disclose import disclose_version

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
PATCH = "application/json-patch+json"
MAX_PATCH_BYTES = 4 * 1024 * 1024
"""A patch that is larger than most resources says less than an update would."""
TRIES = 5
"""Versions that others may write meanwhile; then the caller is told to come again."""


@router.patch("/{kind}/{name}", response_class=Response)
async def patch(kind: Kind, name: str, request: Request, node: TheNode, client: Writer) -> Response:
    """Change some elements; who may not read what is there may not patch it, for `test` asks."""
    allow(client, CLINICAL)
    stated, _ = media_type_of(request)
    if stated != PATCH:
        raise BridgeError(
            "media-type",
            Fault.SENDER,
            what=f"Content-Type {stated[:60] or 'is absent'}",
            where="Content-Type header",
            do=f"send {PATCH}, or PUT the whole resource",
        )
    operations = await body_of(request, at_most=MAX_PATCH_BYTES)
    asking = Asking(node=node, caller=client, base=answers.base_of(request))
    return await run_in_threadpool(_patch, asking, request, kind, name, operations)


def _patch(asking: Asking, request: Request, kind: str, name: str, operations: bytes) -> Response:
    asked = preconditions(request)
    for _ in range(TRIES):
        served = disclose_version(ref_of(kind, name), caller=asking.caller, **asking.disclosing)
        answers.resource(served)  # a deletion is gone
        body = patched(served.body, operations)
        check_names(body, kind, name)
        said: Said = {"method": "PUT", "url": f"{kind}/{name}"}
        said |= {"ifMatch": answers.etag(served.version)} | asked
        try:
            return single(request, asking.node, asking.caller, body, said)
        except BridgeError as error:
            if error.code != "version-conflict" or asked:
                raise
    raise BridgeError(
        "resource-busy",
        Fault.PEER,
        what=f"the resource changed {TRIES} times while it was patched",
        where=kind,
        do="try again",
    )
