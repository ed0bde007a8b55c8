"""`POST /verify`: the same checks as `fhir-anchor verify`, for people without a command line."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from fastapi.concurrency import run_in_threadpool

from bridge.api.node import TheNode
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.members import Value
from bridge.core.proof.receipt import MAX_SIZE
from bridge.core.proof.report import report_value
from bridge.core.proof.verify import MAX_DOCUMENT

__all__ = ["router"]

router = APIRouter(tags=["evidence"])


@router.post("/verify", response_model=None)
async def verify(
    node: TheNode,
    receipt: Annotated[UploadFile, File(description="The receipt.")],
    document: Annotated[UploadFile | None, File(description="What was sealed.")] = None,
) -> Value:
    """The verdict as JSON. No login; nothing is kept."""
    sealed = await _read(receipt, MAX_SIZE, "receipt")
    shown = None if document is None else await _read(document, MAX_DOCUMENT, "document")
    return report_value(await run_in_threadpool(node.verify, sealed, shown))


async def _read(upload: UploadFile, at_most: int, name: str) -> bytes:
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
