"""`POST /records/{id}/retry` and `/dismiss`: a person decides about what could not be taken."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from bridge.api.access import holding
from bridge.api.answers import PRIVATE
from bridge.api.node import Node, TheNode
from bridge.api.routes.records import find_status, record_named
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.core.policy.access import Caller, Role
from bridge.flows.retry import Retry, dismiss, resume, retry

__all__ = ["router"]

router = APIRouter(prefix="/records", tags=["records"])
Officer = Annotated[Caller, Depends(holding(Role.COMPLIANCE))]


class Dismissal(BaseModel):
    """Why an input is put away."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    reason: str


@router.post("/{record}/retry")
def try_again(record: str, node: TheNode, caller: Officer) -> Response:
    """A refused input is received again as it came; a stored one that stopped its lane runs again.

    The answer is the status of now: of the refusal, with `retried_as` when it became a record, or
    of the stored record.
    """
    name = record_named(record)
    with node.reading.unit():
        refused = node.reading.refusal(name) is not None
    if refused:
        _receive_again(name, node, caller)
    elif not resume(name, caller=caller, ports=node.writing, reading=node.reading):
        find_status(name, node, caller)
        raise BridgeError(
            "retry-nothing",
            Fault.SENDER,
            what="this record did not stop anything",
            where="record",
            do="retry the record that its status names under halted",
        )
    node.wake()
    return JSONResponse(find_status(name, node, caller), headers=PRIVATE)


@router.post("/{record}/dismiss")
def put_away(record: str, dismissal: Dismissal, node: TheNode, caller: Officer) -> Response:
    """A refused input that needs no retry leaves the list; its bytes stay."""
    name = record_named(record)
    dismiss(name, dismissal.reason, caller=caller, ports=node.writing, reading=node.reading)
    return JSONResponse(find_status(name, node, caller), headers=PRIVATE)


def _receive_again(name: RecordId, node: Node, caller: Caller) -> None:
    asked = Retry(
        refused=name, feed=node.feeds.name(caller), number=next(node.feeds.numbers(caller))
    )
    retry(
        asked,
        caller=caller,
        dialects={node.hl7v2.name: node.hl7v2},
        ports=node.writing,
        reading=node.reading,
    )
