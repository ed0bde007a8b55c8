"""HL7 v2 datatypes as FHIR R4 datatypes: one pure function a pair, registered by name."""

from adapters.hl7v2.datatypes import (
    addresses,
    attachments,
    codes,
    concepts,
    headers,
    identifiers,
    names,
    numbers,
    organizations,
    people,
    places,
    quantities,
    readings,
    telecoms,
    texts,
    times,
    timing,
)
from adapters.hl7v2.datatypes.registry import DATATYPES, Datatype

__all__ = [
    "DATATYPES",
    "Datatype",
    "addresses",
    "attachments",
    "codes",
    "concepts",
    "headers",
    "identifiers",
    "names",
    "numbers",
    "organizations",
    "people",
    "places",
    "quantities",
    "readings",
    "telecoms",
    "texts",
    "times",
    "timing",
]
