"""What a datatype function may know besides its text: delimiters, sender, zone, findings."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from adapters.hl7v2.escapes import unescape
from bridge.core.record.bundle import Finding, JsonObject, Severity

__all__ = ["MAX_FINDINGS", "Context"]

MAX_FINDINGS: Final = 1000
"""A message of 100,000 odd fields must not answer with 100,000 findings; the rest is counted."""


class Context:
    """One message's surroundings; one instance a message, never shared between messages."""

    __slots__ = (
        "assigners",
        "at",
        "codec",
        "component",
        "escape",
        "facility",
        "field",
        "findings",
        "namespace",
        "occurrence",
        "offset",
        "repetition",
        "segment",
        "subcomponent",
        "suppressed",
        "systems",
        "truncation",
        "zone",
    )

    def __init__(  # noqa: PLR0913 - one value a delimiter and a source of defaults, all named
        self,
        *,
        field: str = "|",
        component: str = "^",
        subcomponent: str = "&",
        repetition: str = "~",
        escape: str = "\\",
        truncation: str = "#",
        codec: str = "utf-8",
        namespace: str = "urn:fhir-anchor",
        facility: str = "",
        offset: str = "",
        zone: ZoneInfo | None = None,
        systems: Mapping[str, str] | None = None,
    ) -> None:
        r"""Take what MSH and the sender's profile say.

        Args:
            field: MSH-1.
            component: MSH-2 first character.
            subcomponent: MSH-2 fourth character; a control character where none is declared.
            repetition: MSH-2 second character; a control character where none is declared.
            escape: MSH-2 third character, empty where the sender declares none.
            truncation: MSH-2 fifth character (v2.7 on).
            codec: Python name of the message's character set, for `\Xhh\`.
            namespace: URI of the sender's name space, for ids and systems that no table knows.
            facility: MSH-4, the assigning authority where an identifier names none.
            offset: of MSH-7, such as `+01:00`; empty when MSH-7 has none.
            zone: the sender's IANA zone; None when the profile names none.
            systems: assigning authority or coding system name to URI, the sender's own.
        """
        self.field, self.truncation, self.codec = field, truncation, codec
        self.component, self.subcomponent = component, subcomponent
        self.repetition, self.escape = repetition, escape
        self.namespace, self.facility = namespace, facility
        self.offset, self.zone = offset, zone
        self.systems: Mapping[str, str] = systems or {}
        self.assigners: dict[str, JsonObject] = {}
        self.at = ""
        self.occurrence = 0
        self.segment = ""
        self.findings: list[Finding] = []
        self.suppressed = 0

    def note(self, code: str, text: str, severity: Severity = Severity.WARNING) -> None:
        """Record a finding at the HL7 path that is being converted."""
        if len(self.findings) >= MAX_FINDINGS:
            self.suppressed += 1
            return
        self.findings.append(Finding(code=code, severity=severity, where=self.where(), text=text))

    def where(self) -> str:
        """The path being converted with the segment's occurrence, such as `OBX[3]-5`."""
        name, dash, field = self.at.partition("-")
        if self.occurrence < 2 or (self.segment and name != self.segment):
            return self.at  # OBR-7 that the third OBX looked at is not OBR[3]-7
        return f"{name}[{self.occurrence}]{dash}{field}"

    def text(self, raw: str) -> str:
        """The text with its escape sequences resolved; unknown ones are kept and reported."""
        escape = self.escape
        if not escape or escape not in raw:
            return raw
        return unescape(raw, self)
