"""Rules of MessageHeader that need more than one value."""

from typing import Final

from adapters.hl7v2.build import Build
from adapters.hl7v2.datatypes import DATATYPES
from adapters.hl7v2.grammar import Group
from adapters.hl7v2.rules.registry import rule
from bridge.core.record.bundle import JsonObject

__all__: list[str] = []

_CODES: Final = {
    "AA": "ok", "CA": "ok", "AE": "transient-error", "CE": "transient-error",
    "AR": "fatal-error", "CR": "fatal-error",
}  # fmt: skip
"""HL7 table 0008 to http://hl7.org/fhir/R4/valueset-response-code.html."""


@rule("response", reads=("MSA-1", "MSA-2"), writes="response")
def response(f: list[str], _g: Group, b: Build, r: JsonObject) -> None:
    """R4 wants both code and identifier, and the identifier as a FHIR id: else nothing is said."""
    b.ctx.at = "MSA-2"
    identifier = DATATYPES["ST.id"].function(f[2], b.ctx) if f[2] else None
    code = _CODES.get(b.comp(f[1], 1))
    if identifier and code:
        r["response"] = {"identifier": identifier, "code": code}
    else:
        b.ctx.note("response-partial", "MSA has no code of table 0008 or no id that FHIR can hold")
