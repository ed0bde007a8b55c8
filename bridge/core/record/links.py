"""Which records of a person a surviving one took over, by Patient.link."""

from typing import Final

import msgspec

from bridge.core.record.bundle import Json

__all__ = ["MAX_RETIRED", "replaced"]

MAX_RETIRED: Final = 1_000
"""Records of one person that are followed: registrars merge two or three, a master index that runs
wild some dozens."""


def replaced(body: bytes) -> tuple[str, ...]:
    """Ids of the patients whom this one replaces, in the order of its links.

    https://hl7.org/fhir/R4/valueset-link-type.html: `replaces` alone makes one person of two
    records; `seealso` and `refer` leave two.
    """
    patient = msgspec.json.decode(body)
    links = patient.get("link") if isinstance(patient, dict) else None
    found = (_replaced(link) for link in links) if isinstance(links, list) else ()
    return tuple(name for name in found if name)


def _replaced(link: Json) -> str:
    if not isinstance(link, dict) or link.get("type") != "replaces":
        return ""
    other = link.get("other")
    reference = other.get("reference") if isinstance(other, dict) else None
    kind, _, name = reference.partition("/") if isinstance(reference, str) else ("", "", "")
    return name if kind == "Patient" else ""
