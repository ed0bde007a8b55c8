"""What R4 binds and the models do not say: codes, forms of codes, concepts, reference targets.

Each table is by `Model.element`. The models are those of R4B, which cut some lists short and widen
three references. Source: the value sets and element definitions of https://hl7.org/fhir/R4/.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge.core.record.bundle import JsonObject

__all__ = ["CODES", "CONCEPTS", "TARGETS", "Concept", "Form", "form_of"]

_COMPARATORS = "< <= >= >"
_VERSION_OF_A_RESULT = "registered preliminary final amended corrected cancelled entered-in-error "

CODES: dict[str, str] = {
    "Age.comparator": _COMPARATORS,
    "Count.comparator": _COMPARATORS,
    "Distance.comparator": _COMPARATORS,
    "Duration.comparator": _COMPARATORS,
    "Quantity.comparator": _COMPARATORS,
    "AuditEvent.action": "C R U D E",
    "AuditEvent.outcome": "0 4 8 12",
    "AuditEventAgentNetwork.type": "1 2 3 4 5",
    "CapabilityStatement.format": "",
    "Composition.confidentiality": "U L M N R V",
    "DetectedIssue.status": f"{_VERSION_OF_A_RESULT}unknown",
    "DeviceUdiCarrier.entryType": "barcode rfid manual card self-reported unknown",
    "DeviceUseStatement.status": "active completed entered-in-error intended stopped on-hold",
    "DiagnosticReport.status": f"{_VERSION_OF_A_RESULT}partial appended unknown",
    "Encounter.status": "planned arrived triaged in-progress onleave finished cancelled "
    "entered-in-error unknown",
    "EncounterStatusHistory.status": "planned arrived triaged in-progress onleave finished "
    "cancelled entered-in-error unknown",
    "Expression.language": "",
    "ImplementationGuideDefinitionParameter.code": "",
    "Observation.status": f"{_VERSION_OF_A_RESULT}unknown",
    "OperationOutcomeIssue.code": "invalid structure required value invariant security login "
    "unknown expired forbidden suppressed processing not-supported duplicate multiple-matches "
    "not-found deleted too-long code-invalid extension too-costly business-rule conflict "
    "transient lock-error no-store exception timeout incomplete throttled informational",
    "QuestionnaireItem.type": "group display question boolean decimal integer date dateTime time "
    "string text url choice open-choice attachment reference quantity",
    "RiskAssessment.status": f"{_VERSION_OF_A_RESULT}unknown",
    "StructureMapGroupRuleSource.listMode": "first not_first last not_last only_one",
    "StructureMapGroupRuleTarget.transform": "create copy truncate escape cast append translate "
    "reference dateOp uuid pointer evaluate cc c qty id cp",
    "SupplyRequest.status": "draft active suspended cancelled completed entered-in-error unknown",
    "Task.status": "draft requested received accepted rejected ready cancelled in-progress "
    "on-hold failed completed entered-in-error",
    "TimingRepeat.when": "MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early "
    "EVE.late NIGHT PHS HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV",
}
"""Where the models have no list, cut a required one short, or list what are only examples (empty:
any code)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a code is spelt whose value set is a grammar."""

    name: str
    fits: Callable[[str], object]


_MIME = Form(
    name="MIME type (BCP 13)",
    fits=re.compile(r"[A-Za-z0-9!#$&^_.+\-*]+/[A-Za-z0-9!#$&^_.+\-*]+(?:\s*;.*)?").fullmatch,
)
_LANGUAGE = Form(
    name="language (BCP 47)", fits=re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*").fullmatch
)
_CURRENCY = Form(name="currency (ISO 4217)", fits=re.compile(r"[A-Z]{3}").fullmatch)
_NO_LANGUAGE = frozenset({"Expression"})
"""Whose `language` is one of programs."""

_FORMS = {
    "Attachment.contentType": _MIME,
    "Binary.contentType": _MIME,
    "Money.currency": _CURRENCY,
    "Signature.sigFormat": _MIME,
    "Signature.targetFormat": _MIME,
}


def form_of(model: str, element: str) -> Form | None:
    """The form of a code; `language` is that of people in every model but `Expression`."""
    if element == "language" and model not in _NO_LANGUAGE:
        return _LANGUAGE
    return _FORMS.get(f"{model}.{element}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A CodeableConcept whose code is of one system."""

    system: str
    codes: frozenset[str] = frozenset()
    """Empty for all of the system's."""
    required: bool = True
    """Words alone will not do; otherwise the value set is a maximum."""

    def holds(self, value: JsonObject) -> bool:
        """Whether a coding is of the value set; an extension may say why there is none."""
        listed = value.get("coding")
        if listed is None:
            return not self.required or "extension" in value
        return isinstance(listed, list) and any(
            isinstance(coding, dict)
            and coding.get("system") == self.system
            and (not self.codes or coding.get("code") in self.codes)
            for coding in listed
        )


def _concept(name: str, codes: str) -> Concept:
    return Concept(
        system=f"http://terminology.hl7.org/CodeSystem/{name}", codes=frozenset(codes.split())
    )


_SPOKEN = Concept(system="urn:ietf:bcp:47", required=False)
"""http://hl7.org/fhir/ValueSet/all-languages."""
CONCEPTS: dict[str, Concept] = {
    "AllergyIntolerance.clinicalStatus": _concept(
        "allergyintolerance-clinical", "active inactive resolved"
    ),
    "AllergyIntolerance.verificationStatus": _concept(
        "allergyintolerance-verification", "unconfirmed confirmed refuted entered-in-error"
    ),
    "Condition.clinicalStatus": _concept(
        "condition-clinical", "active recurrence relapse inactive remission resolved"
    ),
    "Condition.verificationStatus": _concept(
        "condition-ver-status",
        "unconfirmed provisional differential confirmed refuted entered-in-error",
    ),
    "HealthcareService.communication": _SPOKEN,
    "PatientCommunication.language": _SPOKEN,
    "Practitioner.communication": _SPOKEN,
    "RelatedPersonCommunication.language": _SPOKEN,
}

_SUBJECTS = frozenset({"Patient", "Group", "Device", "Location"})
_MEMBERS = "Patient Practitioner PractitionerRole Device Medication Substance Group"
TARGETS: dict[str, frozenset[str]] = {
    "DiagnosticReport.subject": _SUBJECTS,
    "GroupMember.entity": frozenset(_MEMBERS.split()),
    "Observation.subject": _SUBJECTS,
}
"""References that R4B widened."""
