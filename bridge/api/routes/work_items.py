"""`/work-items`: codes that no table of their sender has, for whoever maps them."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from bridge.api.access import holding
from bridge.api.answers import PRIVATE
from bridge.api.node import TheNode
from bridge.api.queries import asked_of, count_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import instant_text
from bridge.core.policy.access import Caller, Role
from bridge.flows.work_items import close_item
from bridge.ports.mappings import WorkItem, WorkItemState

__all__ = ["item_value", "router"]

router = APIRouter(prefix="/work-items", tags=["work items"])
Officer = Annotated[Caller, Depends(holding(Role.COMPLIANCE))]
USUAL_PAGE = 50
STATES = frozenset({"open", "mapped", "dismissed", "any"})
MAX_ID = 2**63 - 1
"""PostgreSQL's bigint."""


class Closing(BaseModel):
    """What became of an item, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    state: Literal["open", "mapped", "dismissed"]
    reason: str


@router.get("")
def find(request: Request, node: TheNode, caller: Officer) -> Response:
    """Work items, the most frequent first; `state` is open (default), mapped, dismissed or any."""
    del caller
    asked = asked_of(request, "sender", "state", "count")
    state = asked.get("state", "open")
    if state not in STATES:
        raise BridgeError(
            "query-value",
            Fault.SENDER,
            what="there is no such state",
            where="state",
            do=f"write one of {', '.join(sorted(STATES))}",
        )
    with node.work_items.unit():
        found = node.work_items.items(
            sender=asked.get("sender", ""),
            state=cast("WorkItemState", "" if state == "any" else state),
            count=count_of(asked, "count", USUAL_PAGE),
        )
    return JSONResponse({"items": [item_value(one) for one in found]}, headers=PRIVATE)


@router.post("/{item}")
def close(item: int, closing: Closing, node: TheNode, caller: Officer) -> Response:
    """Close an item as mapped or dismissed, or open it again."""
    found = close_item(
        min(item, MAX_ID), closing.state, closing.reason, caller=caller, items=node.work_items
    )
    return JSONResponse(item_value(found), headers=PRIVATE)


def item_value(item: WorkItem) -> dict[str, Any]:
    """The item as JSON."""
    return {
        "item": item.id,
        "sender": item.sender,
        "field": item.field,
        "system": item.system,
        "code": item.code,
        "times": item.times,
        "first": item.first,
        "last": item.last,
        "since": instant_text(item.since),
        "seen": instant_text(item.seen),
        "state": item.state,
        "reason": item.reason,
    }
