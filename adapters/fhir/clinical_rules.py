"""Constraints on what is said of patients and by whom: type, key, words, test.

Source: the pages of https://hl7.org/fhir/R4/resourcelist.html, clinical, base and workflow.
"""

from collections.abc import Callable

from adapters.fhir.constraint import (
    any_of,
    codes,
    has,
    has_choice,
    in_order,
    items,
    needs,
    not_both,
    text_of,
)
from adapters.fhir.type_rules import Row
from bridge.core.record.bundle import JsonObject

__all__ = ["CLINICAL_RULES"]

_WRONG = "entered-in-error"


def _is_wrong(value: JsonObject) -> bool:
    return _WRONG in codes(value, "verificationStatus")


def _component_repeats_code(value: JsonObject) -> bool:
    """obs-7: the value of the code must not stand beside a component of the same code."""
    if not has_choice(value, "value"):
        return True
    own = list(items(value, "code", "coding"))
    return not any(coding in own for coding in items(value, "component", "code", "coding"))


def _abated_is_over(value: JsonObject) -> bool:
    over = {"resolved", "remission", "inactive"}
    return not has_choice(value, "abatement") or bool(over & codes(value, "clinicalStatus"))


def _no_use(value: JsonObject, name: str) -> bool:
    return all(text_of(one, "use") != "home" for one in items(value, name))


def _reference_kind(value: JsonObject) -> str:
    for member in items(value, "member"):
        return text_of(member, "reference").rpartition("/")[0].rpartition("/")[2]
    return ""


def _status_by_participants(value: JsonObject) -> bool:
    started = text_of(value, "status") in {"proposed", "cancelled", "waitlist"}
    return started or (has(value, "start") and has(value, "end"))


def _consent_for(scope: str, needed: str) -> Callable[[JsonObject], bool]:
    return lambda value: scope not in codes(value, "scope") or has(value, needed)


CLINICAL_RULES: tuple[Row, ...] = (
    (
        "PatientContact",
        "pat-1",
        "a contact has a name, telecom, address or organization",
        any_of("name", "telecom", "address", "organization"),
    ),
    (
        "Observation",
        "obs-6",
        "dataAbsentReason stands only where there is no value",
        lambda value: not (has(value, "dataAbsentReason") and has_choice(value, "value")),
    ),
    (
        "Observation",
        "obs-7",
        "a value does not stand beside a component of the same code",
        _component_repeats_code,
    ),
    (
        "ObservationReferenceRange",
        "obs-3",
        "a range has low, high or text",
        any_of("low", "high", "text"),
    ),
    (
        "AllergyIntolerance",
        "ait-1",
        "clinicalStatus is needed unless it was entered in error",
        lambda value: _is_wrong(value) or has(value, "clinicalStatus"),
    ),
    (
        "AllergyIntolerance",
        "ait-2",
        "what was entered in error has no clinicalStatus",
        lambda value: not (_is_wrong(value) and has(value, "clinicalStatus")),
    ),
    (
        "ConditionStage",
        "con-1",
        "a stage has summary or assessment",
        any_of("summary", "assessment"),
    ),
    ("ConditionEvidence", "con-2", "evidence has code or detail", any_of("code", "detail")),
    (
        "Condition",
        "con-4",
        "what has abated is inactive, resolved or in remission",
        _abated_is_over,
    ),
    (
        "Condition",
        "con-5",
        "what was entered in error has no clinicalStatus",
        lambda value: not (_is_wrong(value) and has(value, "clinicalStatus")),
    ),
    (
        "ImmunizationEducation",
        "imm-1",
        "education has documentType or reference",
        any_of("documentType", "reference"),
    ),
    (
        "CarePlanActivity",
        "cpl-3",
        "detail and reference exclude each other",
        not_both("detail", "reference"),
    ),
    (
        "CareTeamParticipant",
        "ctm-1",
        "onBehalfOf is for a Practitioner",
        lambda value: (
            not has(value, "onBehalfOf")
            or _reference_kind(value) in {"Practitioner", "PractitionerRole", ""}
        ),
    ),
    (
        "GoalTarget",
        "gol-1",
        "detail needs measure",
        lambda value: not has_choice(value, "detail") or has(value, "measure"),
    ),
    (
        "CompositionSection",
        "cmp-1",
        "a section has text, entries or sections",
        any_of("text", "entry", "section"),
    ),
    (
        "CompositionSection",
        "cmp-2",
        "emptyReason is for what is empty",
        not_both("emptyReason", "entry"),
    ),
    (
        "List",
        "lst-2",
        "deleted stands only in a changes list",
        lambda value: (
            text_of(value, "mode") == "changes"
            or not any(has(entry, "deleted") for entry in items(value, "entry"))
        ),
    ),
    (
        "QuestionnaireResponseItem",
        "qrs-1",
        "items stand under the item or under its answers, not both",
        lambda value: (
            not (
                has(value, "item") and any(has(answer, "item") for answer in items(value, "answer"))
            )
        ),
    ),
    (
        "ParametersParameter",
        "inv-1",
        "a parameter has a value, a resource or parts: one of them",
        lambda value: has_choice(value, "value") + has(value, "resource") + has(value, "part") <= 1,
    ),
    (
        "AuditEventEntity",
        "sev-1",
        "an entity has a name or a query, not both",
        not_both("name", "query"),
    ),
    ("Consent", "ppc-1", "a consent has a policy or a policyRule", any_of("policy", "policyRule")),
    (
        "Consent",
        "ppc-2",
        "a privacy consent has a patient",
        _consent_for("patient-privacy", "patient"),
    ),
    ("Consent", "ppc-3", "a research consent has a patient", _consent_for("research", "patient")),
    ("Consent", "ppc-4", "an advance directive has a patient", _consent_for("adr", "patient")),
    ("Consent", "ppc-5", "a treatment consent has a patient", _consent_for("treatment", "patient")),
    (
        "Organization",
        "org-1",
        "an organization has an identifier or a name",
        any_of("identifier", "name"),
    ),
    (
        "Organization",
        "org-2",
        "an organization has no home address",
        lambda value: _no_use(value, "address"),
    ),
    (
        "Organization",
        "org-3",
        "an organization has no home telecom",
        lambda value: _no_use(value, "telecom"),
    ),
    (
        "Group",
        "grp-1",
        "only an actual group has members",
        lambda value: not has(value, "member") or value.get("actual") is True,
    ),
    (
        "Task",
        "inv-1",
        "a task was not modified before it was authored",
        lambda value: in_order(text_of(value, "authoredOn"), text_of(value, "lastModified")),
    ),
    (
        "AppointmentParticipant",
        "app-1",
        "a participant has a type or an actor",
        any_of("type", "actor"),
    ),
    (
        "Appointment",
        "app-2",
        "start and end stand together",
        lambda value: has(value, "start") == has(value, "end"),
    ),
    (
        "Appointment",
        "app-3",
        "only a proposed, cancelled or waitlist appointment has no time",
        _status_by_participants,
    ),
    (
        "Appointment",
        "app-4",
        "only a cancelled or missed appointment has a cancelationReason",
        lambda value: (
            not has(value, "cancelationReason")
            or text_of(value, "status") in {"cancelled", "noshow"}
        ),
    ),
    (
        "AppointmentResponse",
        "apr-1",
        "a response has a participantType or an actor",
        any_of("participantType", "actor"),
    ),
    (
        "FamilyMemberHistory",
        "fhs-1",
        "age and born exclude each other",
        lambda value: not (has_choice(value, "age") and has_choice(value, "born")),
    ),
    (
        "FamilyMemberHistory",
        "fhs-2",
        "estimatedAge needs an age",
        lambda value: not has(value, "estimatedAge") or has_choice(value, "age"),
    ),
    ("ServiceRequest", "prr-1", "orderDetail needs code", needs("orderDetail", "code")),
    (
        "Linkage",
        "lnk-1",
        "a linkage has more than one item",
        lambda value: len(list(items(value, "item"))) > 1,
    ),
)
