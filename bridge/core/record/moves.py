"""A visit or an account that moves to another patient, and what was filed under it.

HL7 v2.5.1 ch. 3.3.44 (A44) and 3.3.45 (A45): what was gathered under the visit is the other
patient's. docs/adr/0009.
"""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Final, TypeVar, cast

from bridge.core.record.bundle import Json, JsonObject
from bridge.core.record.conditional import references

__all__ = ["MOVABLE", "filed_under", "follow", "given", "takes_over", "whose"]

MOVABLE: Final = frozenset({"Patient", "Encounter", "EpisodeOfCare", "Account", "Appointment"})
"""Types that are the same whoever the patient is; every other resource of a message is of its
patient for good, unless what it is filed under moves (docs/adr/0023)."""
_OWNER: Final = ("subject", "patient")
_FILED: Final = ("encounter", "context", "account")
"""Elements, and search parameters, that file a resource under a visit or an account."""

_Ref = TypeVar("_Ref")


def whose(body: JsonObject | None) -> str:
    """`Patient/id` of the one patient that the resource is about; empty where none is named."""
    for name in _OWNER:
        owner = (body or {}).get(name)
        if isinstance(owner, list):  # Account.subject
            owner = owner[0] if len(owner) == 1 else None
        reference = owner.get("reference") if isinstance(owner, dict) else None
        if isinstance(reference, str) and reference.startswith("Patient/"):
            return reference
    return _booked_for((body or {}).get("participant"))


def _booked_for(participants: Json) -> str:
    """The one patient among those who take part in an Appointment, which has no subject."""
    actors = [one.get("actor") for one in _objects(participants)]
    named = [one.get("reference") for one in _objects(actors)]
    patients = [one for one in named if isinstance(one, str) and one.startswith("Patient/")]
    return patients[0] if len(patients) == 1 else ""


def _objects(values: Json) -> list[JsonObject]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def filed_under(body: JsonObject, place: str) -> bool:
    """Whether the resource is filed under this visit or account, `Type/id`."""
    return any(_leads_to(body[name], place) for name in _FILED if name in body)


def takes_over(patient: JsonObject | None, former: str) -> bool:
    """Whether the patient's own links say that he is the survivor of the other record."""
    links = (patient or {}).get("link")
    return any(
        link.get("type") == "replaces" and _leads_to(link, former)
        for link in cast("list[JsonObject]", links if isinstance(links, list) else [])
    )


def follow(
    moved: Collection[_Ref],
    before: Mapping[_Ref, JsonObject | None],
    after: MutableMapping[_Ref, JsonObject | None],
) -> None:
    """Give what is filed under the moved visits and accounts to the patient they moved to.

    Only what was the former patient's: what another patient's message filed there by mistake stays.

    Args:
        moved: visits and accounts of which the record says that they move.
        before: stored bodies, with everything that is filed under those.
        after: bodies that the record changed; gets those that follow.
    """
    waiting = [*moved]
    while waiting:
        place = waiting.pop()
        former, now = whose(before.get(place)), whose(after.get(place))
        if not former or not now or former == now:
            continue
        for ref in dict.fromkeys((*before, *after)):
            body = after[ref] if ref in after else before[ref]
            if body is not None and whose(body) == former and filed_under(body, str(place)):
                after[ref] = given(body, now)
                waiting.append(ref)


def given(body: JsonObject, now: str) -> JsonObject:
    """The resource as the other patient's; a display would be the former one's name."""
    owner: JsonObject = {"reference": now}
    return {
        name: value if name not in _OWNER else [owner] if isinstance(value, list) else owner
        for name, value in body.items()
    }


def _leads_to(value: Json, place: str) -> bool:
    return any(one["reference"] == place for one in references(value))
