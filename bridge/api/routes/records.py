"""`/records`: the status of what was sent, and what it takes to prove it."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from bridge.api.access import holding
from bridge.api.answers import PRIVATE
from bridge.api.node import Node, TheNode
from bridge.api.queries import asked_of, count_of, moment_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId, instant_text
from bridge.core.policy.access import Caller, Role
from bridge.flows.disclose import disclose_bundle, disclose_source
from bridge.flows.issue import issue
from bridge.ports.anchors import Attempt, State
from bridge.ports.reading import Halt, RecordRow, Refusal, Wanted

__all__ = ["Told", "find_status", "record_named", "router"]

router = APIRouter(prefix="/records", tags=["records"])
Anyone = Annotated[Caller, Depends(holding(Role.SENDER, Role.READER, Role.COMPLIANCE))]
Prover = Annotated[Caller, Depends(holding(Role.READER, Role.COMPLIANCE))]
Told = dict[str, Any]
USUAL_PAGE = 50
PARAMETERS = ("control_id", "sender", "from", "to", "status", "state", "page", "count")
STATES = frozenset({"open", "retried", "dismissed", "any"})


@router.get("")
def find(request: Request, node: TheNode, caller: Anyone) -> Response:
    """Records that match all that is given, newest first; a sender finds its own.

    `status=quarantined` lists refused inputs by `state` (open, retried, dismissed, any), and
    `status=halted` the records that stopped their lanes, oldest first.
    """
    asked = asked_of(request, *PARAMETERS)
    match asked.get("status", ""):
        case "":
            found = _records(asked, node, caller)
        case "quarantined":
            found = _refusals(asked, node, caller)
        case "halted" if not node.feeds.visible(caller):
            with node.reading.unit():
                halts = node.reading.halts(count_of(asked, "count", USUAL_PAGE))
            found = {"records": [_halted(halt) for halt in halts], "next": None}
        case _:
            raise _value("status", "write quarantined or halted, or leave it out for records")
    return JSONResponse(found, headers=PRIVATE)


@router.get("/{record}")
def status(record: str, request: Request, node: TheNode, caller: Anyone) -> Response:
    """Where a record stands: stored, sequenced, anchored, final, or quarantined with reasons."""
    asked_of(request)
    return JSONResponse(find_status(record_named(record), node, caller), headers=PRIVATE)


@router.get("/{record}/receipt", response_class=Response)
def receipt(record: str, node: TheNode, _: Prover) -> Response:
    """The receipt; 409 until the record is under a checkpoint."""
    data = issue(record_named(record), evidence=node.evidence, book=node.book)
    return Response(data, media_type="application/json")


@router.get("/{record}/source", response_class=Response)
def source(record: str, node: TheNode, caller: Prover) -> Response:
    """The bytes as they were received; an access entry is made."""
    data = disclose_source(record_named(record), caller=caller, **node.disclosing)
    headers = {**PRIVATE, "X-Content-Type-Options": "nosniff"}
    return Response(data, headers=headers, media_type="application/octet-stream")


@router.get("/{record}/bundle", response_class=Response)
def bundle(record: str, node: TheNode, caller: Prover) -> Response:
    """The canonical bundle, byte for byte as it was hashed; an access entry is made."""
    data = disclose_bundle(record_named(record), caller=caller, **node.disclosing)
    return Response(data, headers=PRIVATE, media_type="application/fhir+json")


def record_named(text: str) -> RecordId:
    """The record of a URL; what cannot be an id of ours names none.

    Raises:
        BridgeError: `not-found`.
    """
    if not re.fullmatch(r"[A-Za-z0-9\-]{1,64}", text):
        raise _unknown()
    return RecordId(text)


def find_status(record: RecordId, node: Node, caller: Caller) -> Told:
    """The status of a record or refusal that the caller may see.

    Raises:
        BridgeError: `not-found`, also for what another sender sent.
    """
    own = node.feeds.visible(caller)
    with node.reading.unit():
        row = node.reading.record(record)
        if row is not None and row.feed.startswith(own):
            return _statuses([row], node)[0]
        refusal = node.reading.refusal(record)
    if refusal is None or not refusal.feed.startswith(own):
        raise _unknown()
    return _refused(refusal)


def _records(asked: dict[str, str], node: Node, caller: Caller) -> Told:
    if "state" in asked:
        raise _value("state", "state is of refused inputs: ask for status=quarantined with it")
    wanted = Wanted(
        control_id=asked.get("control_id", ""),
        sender=asked.get("sender", ""),
        since=moment_of(asked, "from"),
        until=moment_of(asked, "to", last=True),
        feeds=node.feeds.visible(caller),
    )
    with node.reading.unit():
        found = node.reading.records(
            wanted,
            count=count_of(asked, "count", USUAL_PAGE),
            page=asked.get("page", ""),
        )
        rows = _statuses(found.records, node)
    return {"records": rows, "next": found.next or None}


def _refusals(asked: dict[str, str], node: Node, caller: Caller) -> Told:
    state = asked.get("state", "open")
    if state not in STATES or {"control_id", "sender", "from", "to"} & asked.keys():
        raise _value("state", f"write one of {', '.join(sorted(STATES))}, and page and count alone")
    with node.reading.unit():
        found = node.reading.refusals(
            state="" if state == "any" else state,
            feeds=node.feeds.visible(caller),
            count=count_of(asked, "count", USUAL_PAGE),
            page=asked.get("page", ""),
        )
    return {"records": [_refused(one) for one in found.refusals], "next": found.next or None}


def _statuses(rows: Sequence[RecordRow], node: Node) -> list[Told]:
    """Of a page: what covers its leaves is asked once."""
    covering = node.anchors.covering({row.index + 1 for row in rows if row.index is not None})
    return [
        _status(row, () if row.index is None else covering[row.index + 1], node) for row in rows
    ]


def _status(row: RecordRow, anchors: tuple[Attempt, ...], node: Node) -> Told:
    halt = None if row.projected else node.reading.halt(row.id)
    return {
        "record": row.id,
        "received": instant_text(row.received),
        "sender": row.sender,
        "type": row.message_type,
        "control_id": row.control_id,
        "status": _stage(row, anchors),
        "projected": instant_text(row.projected) if row.projected else None,
        "halted": _halted(halt) if halt else None,
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


def _anchor(anchor: Attempt) -> Told:
    return {
        "chain": anchor.chain,
        "contract": anchor.contract,
        "size": anchor.payload.size,
        "tx": f"0x{anchor.signed.tx_hash.hex()}" if anchor.signed else None,
        "state": anchor.state.value,
    }


def _halted(halt: Halt) -> Told:
    """The record that cannot be applied: the one asked for, or an earlier one of its lane."""
    return {
        "record": halt.record,
        "code": halt.code,
        "text": halt.reason,
        "since": instant_text(halt.since),
    }


def _refused(refusal: Refusal) -> Told:
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
        "dismissed_because": refusal.dismissed_because or None,
    }


def _value(where: str, do: str) -> BridgeError:
    return BridgeError(
        "query-value", Fault.SENDER, what="the value does not fit here", where=where, do=do
    )


def _unknown() -> BridgeError:
    return BridgeError(
        "not-found",
        Fault.SENDER,
        what="there is no such record",
        where="record",
        do="take the id from X-Record-Id or from the acknowledgement",
    )
