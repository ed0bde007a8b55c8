"""`POST /verify`: the same checks as `fhir-anchor verify`, for people without a command line."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from bridge.api.bodies import chunks_of
from bridge.api.node import TheNode
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.members import Value
from bridge.core.proof.receipt import MAX_SIZE
from bridge.core.proof.report import report_value
from bridge.core.proof.verify import MAX_DOCUMENT

__all__ = ["router"]

router = APIRouter(tags=["evidence"])


MAX_BODY = MAX_SIZE + MAX_DOCUMENT + 64 * 1024
"""Both files and what multipart puts around them."""
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["receipt"],
                    "properties": {
                        "receipt": {"type": "string", "format": "binary"},
                        "document": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


@router.post("/verify", response_model=None, openapi_extra=FORM)
async def verify(request: Request, node: TheNode) -> Value:
    """The verdict as JSON. No login; nothing is kept."""
    form = await _form(request)
    try:
        sealed = await _read(form.get("receipt"), MAX_SIZE, "receipt")
        shown = None
        if "document" in form:
            shown = await _read(form["document"], MAX_DOCUMENT, "document")
    finally:
        await form.close()
    return report_value(await run_in_threadpool(node.verify, sealed, shown))


async def _form(request: Request) -> FormData:
    """The two parts, bounded while they are read: nobody logged in to send them."""
    chunks = chunks_of(request, at_most=MAX_BODY)
    try:
        return await MultiPartParser(request.headers, chunks, max_files=2, max_fields=0).parse()
    except (MultiPartException, KeyError) as error:
        raise BridgeError(
            "verify-form",
            Fault.SENDER,
            what="the body is not multipart/form-data with the files receipt and document",
            where="request body",
            do="send it as `curl -F receipt=@FILE -F document=@FILE` does",
        ) from error


async def _read(upload: UploadFile | str | None, at_most: int, name: str) -> bytes:
    if not isinstance(upload, UploadFile):
        raise BridgeError(
            "verify-form",
            Fault.SENDER,
            what=f"there is no file {name}",
            where=name,
            do="send it as `curl -F receipt=@FILE -F document=@FILE` does",
        )
    data = await upload.read(at_most + 1)
    if len(data) > at_most:
        raise BridgeError(
            "body-too-large",
            Fault.SENDER,
            what=f"the {name} is larger than {at_most} bytes",
            where=name,
            do="verify it with the command line, or send the right file",
        )
    return data
