"""One accepted input as a FHIR R4 Bundle: canonical, frozen, with what the store must know."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from msgspec import Raw

from bridge.core.ids import Digest

__all__ = ["Apply", "CanonicalBundle", "Finding", "Json", "JsonObject", "Severity", "Unmapped"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | int | Raw | None"
"""A JSON value. A number that was read is a `msgspec.Raw` holding its digits as written, because
FHIR says that 0.010 is not 0.01 (https://hl7.org/fhir/R4/datatypes.html#decimal)."""
JsonObject: TypeAlias = dict[str, Json]


class Severity(Enum):
    """OperationOutcome.issue.severity without `fatal`: https://hl7.org/fhir/R4/valueset-issue-severity.html."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was noticed and that lost nothing. Never holds content of the message."""

    code: str
    """Stable name in kebab case, such as `zone-missing`."""
    severity: Severity
    where: str
    """HL7 path (`PID-7`, `OBX[3]-5`), JSON path or byte offset."""
    text: str
    """What happened and what to do, in plain words, without clinical values."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unmapped:
    """A code that no table of the sender has: work for a person, never content of a message."""

    field: str
    """Such as `OBX-3`."""
    system: str
    """Name or OID of the coding system as sent; empty where the field says none."""
    code: str
    """Empty where what was sent has not the form of a code: it might be prose."""


class Apply(Enum):
    """How the projector applies the bundle to what is stored."""

    MERGE = "merge"
    """Elements present replace, elements absent are left alone, a Parameters entry of
    FHIRPath Patch operations (https://hl7.org/fhir/R4/fhirpatch.html) deletes what
    the sender deleted."""
    REQUESTS = "requests"
    """Each `Bundle.entry.request` says it: POST, PUT or DELETE, as in a FHIR transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalBundle:
    """One clinical message as FHIR R4, already canonical. Source: https://hl7.org/fhir/R4/bundle.html."""

    canonical: bytes
    """The Bundle in `fhir-anchor/json-literal/1`: what is hashed, stored and proved."""
    source: Digest
    """Of the bytes as received; what the sender can later be held to."""
    mapping: Digest
    """Of the resolved rules that made this bundle from those bytes."""
    apply: Apply
    message_type: str
    """MSH-9 as `ADT^A01^ADT_A01`, or `Bundle/transaction`, `Patient` for FHIR."""
    control_id: str
    """MSH-10; empty when the input has no such thing. With sender and source
    it is the idempotency key."""
    lanes: tuple[str, ...]
    """Names (`identity.lane`) of the business keys whose records apply in arrival order; sorted, at
    least one."""
    findings: tuple[Finding, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    """Codes that somebody should map, each once; empty unless the sender's profile asks for it."""
