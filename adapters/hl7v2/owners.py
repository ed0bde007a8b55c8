"""Whose a number is: what a sender numbers again for another patient is another thing."""

from collections.abc import Sequence
from typing import cast

from adapters.hl7v2.group import Group
from bridge.core.record.identity import resource_id
from bridge.core.record.moves import MOVABLE

__all__ = ["owned"]


def owned(
    key: tuple[str, ...],
    kind: str,
    group: Group,
    *,
    namespace: str,
    patients: Sequence[tuple[str, ...]],
) -> tuple[str, ...]:
    """The key with its patient as the last part, but for what moves between patients.

    Args:
        key: of a resource.
        kind: its type.
        group: where it is opened: the patient is the nearest one.
        namespace: of the sender.
        patients: keys of the message's patients so far. Where there is one, what stands in a group
            beside that of PID (AIS) is his.
    """
    if kind in MOVABLE:
        return key
    whose = group.nearest.get("Patient")
    if whose is not None:
        return (*key, cast("str", whose[0]["id"]))
    if len(patients) == 1:
        return (*key, resource_id(namespace, "Patient", *patients[0]))
    return key
