"""`/records`: the status of what was sent, and what it takes to prove it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bridge.api.access import holding
from bridge.api.node import Node, TheNode
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, RecordId, instant_text, parse_instant
from bridge.core.policy.access import Caller, Role
from bridge.flows.disclose import disclose_bundle, disclose_source
from bridge.flows.issue import issue
from bridge.ports.anchors import Attempt, State
from bridge.ports.reading import RecordRow, Refusal

__all__ = ["router"]

router = APIRouter(prefix="/records", tags=["records"])
Anyone = Annotated[Caller, Depends(holding(Role.SENDER, Role.READER, Role.COMPLIANCE))]
Prover = Annotated[Caller, Depends(holding(Role.READER, Role.COMPLIANCE))]
MAX_COUNT = 1000


@router.get("")
def find(  # noqa: PLR0913, PLR0917 - one parameter a query parameter
    node: TheNode,
    _: Anyone,
    control_id: str = "",
    sender: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    page: str = "",
    count: Annotated[int, Query(ge=1, le=MAX_COUNT)] = 50,
) -> dict[str, Any]:
    """Records that match all that is given, newest first."""
    with node.reading.unit():
        found = node.reading.records(
            control_id=control_id,
            sender=sender,
            since=_moment(since),
            until=_moment(until),
            count=count,
            page=page,
        )
        rows = [_status(row, node) for row in found.records]
    return {"records": rows, "next": found.next or None}


@router.get("/{record}")
def status(record: str, node: TheNode, _: Anyone) -> dict[str, Any]:
    """Where a record stands: stored, sequenced, anchored, final, or quarantined with reasons."""
    with node.reading.unit():
        row = node.reading.record(RecordId(record))
        if row is not None:
            return _status(row, node)
        refusal = node.reading.refusal(RecordId(record))
    if refusal is None:
        raise _unknown(record)
    return _refused(refusal)


@router.get("/{record}/receipt", response_class=Response)
def receipt(record: str, node: TheNode, _: Prover) -> Response:
    """The receipt; 409 until the record is under a checkpoint."""
    data = issue(RecordId(record), evidence=node.evidence, book=node.book)
    return Response(data, media_type="application/json")


@router.get("/{record}/source", response_class=Response)
def source(record: str, node: TheNode, caller: Prover) -> Response:
    """The bytes as they were received; an access entry is made."""
    data = disclose_source(RecordId(record), caller=caller, **node.disclosing)
    return Response(data, media_type="application/octet-stream")


@router.get("/{record}/bundle", response_class=Response)
def bundle(record: str, node: TheNode, caller: Prover) -> Response:
    """The canonical bundle, byte for byte as it was hashed; an access entry is made."""
    data = disclose_bundle(RecordId(record), caller=caller, **node.disclosing)
    return Response(data, media_type="application/fhir+json")


def _status(row: RecordRow, node: Node) -> dict[str, Any]:
    anchors = node.anchors.covering(row.index + 1) if row.index is not None else ()
    return {
        "record": row.id,
        "received": instant_text(row.received),
        "sender": row.sender,
        "type": row.message_type,
        "control_id": row.control_id,
        "status": _stage(row, anchors),
        "projected": instant_text(row.projected) if row.projected else None,
        "index": row.index,
        "checkpoint_size": row.checkpoint_size,
        "anchors": [_anchor(anchor) for anchor in anchors[:3]],
    }


def _stage(row: RecordRow, anchors: tuple[Attempt, ...]) -> str:
    if any(anchor.state is State.EVIDENCED for anchor in anchors):
        return "final"
    if anchors:
        return "anchored"
    return "stored" if row.checkpoint_size is None else "sequenced"


def _anchor(anchor: Attempt) -> dict[str, Any]:
    return {
        "chain": anchor.chain,
        "contract": anchor.contract,
        "size": anchor.payload.size,
        "tx": f"0x{anchor.signed.tx_hash.hex()}" if anchor.signed else None,
        "state": anchor.state.value,
    }


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {
        "record": refusal.id,
        "received": instant_text(refusal.received),
        "sender": refusal.sender,
        "type": refusal.message_type,
        "control_id": refusal.control_id,
        "status": "quarantined",
        "reasons": [{"code": refusal.code, "where": refusal.where, "text": refusal.reason}],
        "state": refusal.state,
        "times": refusal.times,
        "retried_as": refusal.retried_as,
    }


def _moment(text: str) -> Instant | None:
    return parse_instant(text) if text else None


def _unknown(record: str) -> BridgeError:
    return BridgeError(
        "not-found",
        Fault.SENDER,
        what="there is no such record",
        where=f"record {record[:64]}",
        do="take the id from X-Record-Id or from the acknowledgement",
    )
