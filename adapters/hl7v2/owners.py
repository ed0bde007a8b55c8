"""Whose a number is: what a sender numbers again for another patient is another thing."""

from collections.abc import Sequence
from typing import Final, cast

from adapters.hl7v2.group import Group
from bridge.core.record.identity import resource_id

__all__ = ["owned"]

_NUMBERED: Final = frozenset({"Patient", "Encounter", "EpisodeOfCare", "Account", "Appointment"})
"""Types whose number names them whoever the patient is: a visit that moves to another patient, or
to the survivor of a merge, is the same visit. Everything else is of its patient (docs/adr/0023)."""


def owned(
    key: tuple[str, ...],
    kind: str,
    group: Group,
    *,
    namespace: str,
    patients: Sequence[tuple[str, ...]],
) -> tuple[str, ...]:
    """The key with its patient as the last part.

    Args:
        key: of a resource.
        kind: its type.
        group: where it is opened: the patient is the nearest one.
        namespace: of the sender.
        patients: keys of the message's patients so far. Where there is one, what stands in a group
            beside that of PID (AIS) is his.
    """
    if kind in _NUMBERED:
        return key
    whose = group.nearest.get("Patient")
    if whose is not None:
        return (*key, cast("str", whose[0]["id"]))
    if len(patients) == 1:
        return (*key, resource_id(namespace, "Patient", *patients[0]))
    return key
