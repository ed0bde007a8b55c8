"""Constraints on resources: type, key, words, test. Source: the pages of https://hl7.org/fhir/R4/resourcelist.html."""

from collections.abc import Callable

from adapters.fhir.constraint import codes, has, has_choice, in_order, items, text_of, unique
from adapters.fhir.type_rules import Row
from bridge.core.record.bundle import JsonObject

__all__ = ["RESOURCE_RULES"]

_WRONG = "entered-in-error"


def _not_both(first: str, second: str) -> Callable[[JsonObject], bool]:
    return lambda value: not (has(value, first) and has(value, second))


def _any(*names: str) -> Callable[[JsonObject], bool]:
    return lambda value: has(value, *names)


def _needs(given: str, needed: str) -> Callable[[JsonObject], bool]:
    return lambda value: not has(value, given) or has(value, needed)


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


def _unique_codes(value: JsonObject) -> bool:
    found: list[str] = []
    stack = list(items(value, "concept"))
    while stack:
        concept = stack.pop()
        found.append(text_of(concept, "code"))
        stack.extend(items(concept, "concept"))
    return unique(found)


def _link_ids(value: JsonObject) -> bool:
    found: list[str] = []
    stack = list(items(value, "item"))
    while stack:
        item = stack.pop()
        found.append(text_of(item, "linkId"))
        stack.extend(items(item, "item"))
    return unique(found)


def _group_has_items(value: JsonObject) -> bool:
    return text_of(value, "type") != "group" or has(value, "item")


def _display_is_plain(value: JsonObject) -> bool:
    return text_of(value, "type") != "display" or not has(
        value, "item", "code", "required", "repeats", "readOnly", "initial"
    )


def _options_fit(value: JsonObject) -> bool:
    wanted = {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string"}
    wanted |= {"quantity"}
    kind = text_of(value, "type")
    return not has(value, "answerOption", "answerValueSet") or not kind or kind in wanted


def _max_length_fits(value: JsonObject) -> bool:
    wanted = {"boolean", "decimal", "integer", "string", "text", "url", "open-choice", ""}
    return not has(value, "maxLength") or text_of(value, "type") in wanted


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


def _expansion_named(value: JsonObject) -> bool:
    return has(value, "code", "display")


RESOURCE_RULES: tuple[Row, ...] = (
    (
        "PatientContact",
        "pat-1",
        "a contact has a name, telecom, address or organization",
        _any("name", "telecom", "address", "organization"),
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
        _any("low", "high", "text"),
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
    ("ConditionStage", "con-1", "a stage has summary or assessment", _any("summary", "assessment")),
    ("ConditionEvidence", "con-2", "evidence has code or detail", _any("code", "detail")),
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
        _any("documentType", "reference"),
    ),
    (
        "CarePlanActivity",
        "cpl-3",
        "detail and reference exclude each other",
        _not_both("detail", "reference"),
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
        _any("text", "entry", "section"),
    ),
    (
        "CompositionSection List",
        "cmp-2",
        "emptyReason is for what is empty",
        _not_both("emptyReason", "entry"),
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
    ("Questionnaire", "que-2", "each linkId stands once", _link_ids),
    ("QuestionnaireItem", "que-1", "a group has items", _group_has_items),
    ("QuestionnaireItem", "que-1", "a display has no items, code or answer", _display_is_plain),
    (
        "QuestionnaireItem",
        "que-4",
        "options are listed or named, not both",
        _not_both("answerOption", "answerValueSet"),
    ),
    ("QuestionnaireItem", "que-5", "options are for questions that choose", _options_fit),
    ("QuestionnaireItem", "que-10", "maxLength is for questions that are typed", _max_length_fits),
    (
        "QuestionnaireItem",
        "que-11",
        "answerOption and initial exclude each other",
        _not_both("answerOption", "initial"),
    ),
    (
        "QuestionnaireItem",
        "que-12",
        "several enableWhen need enableBehavior",
        lambda value: len(list(items(value, "enableWhen"))) < 2 or has(value, "enableBehavior"),
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
        "ValueSetComposeInclude",
        "vsd-1",
        "an include has a system or value sets",
        _any("system", "valueSet"),
    ),
    (
        "ValueSetComposeInclude",
        "vsd-2",
        "concepts and filters need a system",
        lambda value: not has(value, "concept", "filter") or has(value, "system"),
    ),
    (
        "ValueSetComposeInclude",
        "vsd-3",
        "concepts and filters exclude each other",
        _not_both("concept", "filter"),
    ),
    ("ValueSetExpansionContains", "vsd-6", "an item has a code or a display", _expansion_named),
    (
        "ValueSetExpansionContains",
        "vsd-9",
        "an item has a code or is abstract",
        lambda value: has(value, "code") or value.get("abstract") is True,
    ),
    ("ValueSetExpansionContains", "vsd-10", "a code needs its system", _needs("code", "system")),
    ("CodeSystem", "csd-1", "each code is defined once", _unique_codes),
    (
        "ConceptMapGroupUnmapped",
        "cmd-2",
        "fixed needs its code",
        lambda value: text_of(value, "mode") != "fixed" or has(value, "code"),
    ),
    (
        "ConceptMapGroupUnmapped",
        "cmd-3",
        "other-map needs its url",
        lambda value: text_of(value, "mode") != "other-map" or has(value, "url"),
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
        _not_both("name", "query"),
    ),
    ("Consent", "ppc-1", "a consent has a policy or a policyRule", _any("policy", "policyRule")),
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
        _any("identifier", "name"),
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
        _any("type", "actor"),
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
        _any("participantType", "actor"),
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
    ("ServiceRequest", "prr-1", "orderDetail needs code", _needs("orderDetail", "code")),
    (
        "Linkage",
        "lnk-1",
        "a linkage has more than one item",
        lambda value: len(list(items(value, "item"))) > 1,
    ),
    (
        "StructureDefinition",
        "sdf-6",
        "a definition has a snapshot or a differential",
        _any("snapshot", "differential"),
    ),
    (
        "StructureDefinition",
        "sdf-4",
        "a concrete type has a baseDefinition",
        lambda value: value.get("abstract") is True or has(value, "baseDefinition"),
    ),
    (
        "StructureDefinition",
        "sdf-5",
        "type, kind and context of an extension",
        lambda value: (
            text_of(value, "type") != "Extension"
            or text_of(value, "derivation") == "specialization"
            or has(value, "context")
        ),
    ),
    ("SearchParameter", "spd-1", "an xpath needs its xpathUsage", _needs("xpath", "xpathUsage")),
    (
        "OperationDefinitionParameter",
        "opd-1",
        "a parameter has a type or parts",
        _any("type", "part"),
    ),
    (
        "CapabilityStatementRestResource",
        "cpb-12",
        "each search parameter stands once",
        lambda value: unique([text_of(one, "name") for one in items(value, "searchParam")]),
    ),
    (
        "CapabilityStatement",
        "cpb-1",
        "a statement has rest, messaging or document",
        _any("rest", "messaging", "document"),
    ),
    (
        "CapabilityStatement",
        "cpb-2",
        "a statement has description, software or implementation",
        _any("description", "software", "implementation"),
    ),
    (
        "NamingSystem",
        "nsd-2",
        "only one identifier of each type is preferred",
        lambda value: unique(
            [
                text_of(one, "type")
                for one in items(value, "uniqueId")
                if one.get("preferred") is True
            ]
        ),
    ),
)
