"""What a FHIR input became, made again: the port `Historian` for FHIR."""

from collections.abc import Mapping
from typing import Final, cast

from adapters.fhir.dialect import RULES, convert
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, sha256
from bridge.core.record import canon
from bridge.core.record.bundle import JsonObject
from bridge.core.record.conditional import conditions
from bridge.ports.mappings import Again, Original

__all__ = ["FhirHistory"]

DOCUMENT: Final = RULES.encode()
LOOKED_UP: Final = (
    "its conditions were answered by what was stored then, which a conversion cannot look up"
)


class FhirHistory:
    """These rules have no data of their own: their name is their document."""

    @property
    def mappings(self) -> Mapping[Digest, bytes]:
        """The one mapping."""
        return {sha256(DOCUMENT): DOCUMENT}

    def again(self, document: bytes, original: Original) -> Again | BridgeError:
        """The bundle of the body, with the request that HTTP said beside it."""
        if document != DOCUMENT:
            return BridgeError(
                "mapping-format",
                Fault.OPERATOR,
                what="the record was made by other FHIR rules",
                where="mapping",
                do=f"use the version of fhir-anchor that made it; this one has {RULES}",
            )
        try:
            made = convert(original.source, sender=original.pinned).canonical
            if made != original.bundle:
                made = _with_request(original) or made
        except BridgeError as error:
            return error
        asked = conditions(cast("JsonObject", canon.parse(made)))
        return Again(bundle=made, doubt=LOOKED_UP if asked else "")


def _with_request(original: Original) -> bytes | None:
    """As one resource that an HTTP request wrote; None where that is not what it was."""
    stored = cast("JsonObject", canon.parse(original.bundle))
    entries = stored.get("entry")
    if not (isinstance(entries, list) and len(entries) == 1 and isinstance(entries[0], dict)):
        return None
    request = entries[0].get("request")
    if not isinstance(request, dict):
        return None
    said = {name: str(value) for name, value in request.items()}
    return convert(original.source, sender=original.pinned, request=said).canonical
