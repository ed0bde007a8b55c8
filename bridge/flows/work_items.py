"""Codes that nobody mapped, as work: listed, and closed by a person who says why."""

from bridge.core.errors import BridgeError, Fault
from bridge.core.policy.access import OVERSIGHT, Caller, allow
from bridge.ports.mappings import WorkItem, WorkItems, WorkItemState

__all__ = ["close_item"]

MAX_REASON = 1_000
"""Characters: a few sentences."""


def close_item(
    item: int, state: WorkItemState, reason: str, *, caller: Caller, items: WorkItems
) -> WorkItem:
    """Close an item as `mapped` or `dismissed`, or open it again; who did it stands before why.

    Raises:
        BridgeError: `access-refused`, `work-item-reason`, `not-found`.
    """
    allow(caller, OVERSIGHT)
    if not reason.strip() or len(reason) > MAX_REASON:
        raise BridgeError(
            "work-item-reason",
            Fault.SENDER,
            what=f"a reason of 1 to {MAX_REASON} characters is needed",
            where="reason",
            do="say what was done about the code, without naming a patient",
        )
    with items.unit():
        found = items.close(item, state, f"{caller.subject}: {reason}")
    if found is None:
        raise BridgeError(
            "not-found",
            Fault.SENDER,
            what="there is no such work item",
            where="work item",
            do="take an id from the list of work items",
        )
    return found
