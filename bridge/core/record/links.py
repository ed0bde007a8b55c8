"""Which records of a person a surviving one took over, by Patient.link."""

from collections.abc import Collection
from typing import Final

import msgspec

from bridge.core.record.bundle import Json

__all__ = ["MAX_RETIRED", "taken_over"]

MAX_RETIRED: Final = 1_000
"""Records of one person that are followed: registrars merge two or three, a master index that runs
wild some dozens."""


def taken_over(name: str, body: bytes, survivors: Collection[str]) -> tuple[str, ...]:
    """Ids of the records that one of the survivors took over, by the links of one Patient.

    https://hl7.org/fhir/R4/valueset-link-type.html: `replaces` and `replaced-by` make one person of
    two records; `seealso` and `refer` leave two. Either side may say it, for FHIR assumes no
    mutual links (https://hl7.org/fhir/R4/patient-definitions.html#Patient.link).

    Args:
        name: id of the Patient.
        body: the Patient, as stored.
        survivors: ids of the patients that are asked for.
    """
    patient = msgspec.json.decode(body)
    links = patient.get("link") if isinstance(patient, dict) else None
    said = [_said(link) for link in links] if isinstance(links, list) else []
    own = [other for kind, other in said if kind == "replaces" and name in survivors]
    gone = any(kind == "replaced-by" and other in survivors for kind, other in said)
    return (*(other for other in own if other), *((name,) if gone else ()))


def _said(link: Json) -> tuple[Json, str]:
    """Type of a link and id of the Patient that it leads to; empty when it leads to none."""
    other = link.get("other") if isinstance(link, dict) else None
    reference = other.get("reference") if isinstance(other, dict) else None
    if not isinstance(link, dict) or not isinstance(reference, str):
        return None, ""
    kind, _, name = reference.partition("/_history/")[0].partition("/")
    return link.get("type"), name if kind == "Patient" else ""
