"""`fhir-anchor map tasks` and `map close`: codes that nobody mapped, at the node itself."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Literal

from bridge.core.ids import instant, instant_text
from bridge.core.policy.access import Caller, Role
from bridge.flows.work_items import close_item
from bridge.ports.mappings import WorkItem, WorkItems, WorkItemState

__all__ = ["say_closed", "say_items"]

AT_MOST = 1_000
OPERATOR = Caller(subject="operator", roles=frozenset({Role.ADMIN}))
"""Whoever can run this command can write to the database anyway."""


def say_items(items: WorkItems, *, sender: str, state: WorkItemState | Literal[""]) -> None:
    """A JSON line an item, the most frequent first."""
    with items.unit():
        found = items.items(sender=sender, state=state, count=AT_MOST)
    for one in found:
        _say(one)


def say_closed(items: WorkItems, item: int, state: WorkItemState, reason: str) -> None:
    """Close one, and say what it is now.

    Raises:
        BridgeError: `not-found`, `work-item-reason`.
    """
    _say(close_item(item, state, reason, caller=OPERATOR, items=items))


def _say(item: WorkItem) -> None:
    parts = {
        name: instant_text(instant(value)) if isinstance(value, datetime) else value
        for name, value in asdict(item).items()
    }
    sys.stdout.write(json.dumps(parts) + "\n")
