"""Constraints on definitions and terminology: type, key, words, test.

Source: https://hl7.org/fhir/R4/conformance-module.html and terminology-module.html.
"""

from collections.abc import Callable

from adapters.fhir.constraint import (
    any_of,
    has,
    items,
    needs,
    not_both,
    text_of,
    unique,
)
from adapters.fhir.type_rules import Row
from bridge.core.record.bundle import JsonObject

__all__ = ["DEFINITION_RULES"]


def _unique_below(children: str, name: str) -> Callable[[JsonObject], bool]:
    """A text element of the children, their children and so on stands once."""

    def holds(value: JsonObject) -> bool:
        found: list[str] = []
        waiting = list(items(value, children))
        while waiting:
            child = waiting.pop()
            found.append(text_of(child, name))
            waiting.extend(items(child, children))
        return unique(found)

    return holds


def _display_has_no(*names: str) -> Callable[[JsonObject], bool]:
    """An item that is only shown is not answered."""
    return lambda value: text_of(value, "type") != "display" or not has(value, *names)


def _initial_fits(value: JsonObject) -> bool:
    """que-13: several initial values only where the item repeats."""
    return value.get("repeats") is True or len(list(items(value, "initial"))) <= 1


def _statement_of(kind: str, needed: str, *absent: str) -> Callable[[JsonObject], bool]:
    """What a CapabilityStatement of this kind tells of, and of what it may not."""
    return lambda value: (
        text_of(value, "kind") != kind
        or ((not needed or has(value, needed)) and not has(value, *absent))
    )


def _group_has_items(value: JsonObject) -> bool:
    return text_of(value, "type") != "group" or has(value, "item")


def _options_fit(value: JsonObject) -> bool:
    wanted = {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string"}
    wanted |= {"quantity"}
    kind = text_of(value, "type")
    return not has(value, "answerOption", "answerValueSet") or not kind or kind in wanted


def _max_length_fits(value: JsonObject) -> bool:
    wanted = {"boolean", "decimal", "integer", "string", "text", "url", "open-choice", ""}
    return not has(value, "maxLength") or text_of(value, "type") in wanted


def _expansion_named(value: JsonObject) -> bool:
    return has(value, "code", "display")


DEFINITION_RULES: tuple[Row, ...] = (
    ("Questionnaire", "que-2", "each linkId stands once", _unique_below("item", "linkId")),
    ("QuestionnaireItem", "que-1", "a group has items", _group_has_items),
    ("QuestionnaireItem", "que-1", "what is only shown has no items", _display_has_no("item")),
    (
        "QuestionnaireItem",
        "que-4",
        "options are listed or named, not both",
        not_both("answerOption", "answerValueSet"),
    ),
    ("QuestionnaireItem", "que-5", "options are for questions that choose", _options_fit),
    ("QuestionnaireItem", "que-10", "maxLength is for questions that are typed", _max_length_fits),
    (
        "QuestionnaireItem",
        "que-11",
        "answerOption and initial exclude each other",
        not_both("answerOption", "initial"),
    ),
    (
        "QuestionnaireItem",
        "que-12",
        "several enableWhen need enableBehavior",
        lambda value: len(list(items(value, "enableWhen"))) < 2 or has(value, "enableBehavior"),
    ),
    (
        "ValueSetComposeInclude",
        "vsd-1",
        "an include has a system or value sets",
        any_of("system", "valueSet"),
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
        not_both("concept", "filter"),
    ),
    ("ValueSetExpansionContains", "vsd-6", "an item has a code or a display", _expansion_named),
    (
        "ValueSetExpansionContains",
        "vsd-9",
        "an item has a code or is abstract",
        lambda value: has(value, "code") or value.get("abstract") is True,
    ),
    ("ValueSetExpansionContains", "vsd-10", "a code needs its system", needs("code", "system")),
    ("CodeSystem", "csd-1", "each code is defined once", _unique_below("concept", "code")),
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
        "StructureDefinition",
        "sdf-6",
        "a definition has a snapshot or a differential",
        any_of("snapshot", "differential"),
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
    ("SearchParameter", "spd-1", "an xpath needs its xpathUsage", needs("xpath", "xpathUsage")),
    (
        "OperationDefinitionParameter",
        "opd-1",
        "a parameter has a type or parts",
        any_of("type", "part"),
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
        any_of("rest", "messaging", "document"),
    ),
    (
        "CapabilityStatement",
        "cpb-2",
        "a statement has description, software or implementation",
        any_of("description", "software", "implementation"),
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
    (
        "CapabilityStatement TerminologyCapabilities",
        "cpb-14",
        "a statement of an instance has implementation",
        _statement_of("instance", "implementation"),
    ),
    (
        "CapabilityStatement TerminologyCapabilities",
        "cpb-15",
        "a statement of a capability has software and no implementation",
        _statement_of("capability", "software", "implementation"),
    ),
    (
        "CapabilityStatement TerminologyCapabilities",
        "cpb-16",
        "a statement of requirements has neither software nor implementation",
        _statement_of("requirements", "", "implementation", "software"),
    ),
    ("QuestionnaireItem", "que-3", "what is only shown has no code", _display_has_no("code")),
    (
        "QuestionnaireItem",
        "que-6",
        "what is only shown is neither required nor repeated",
        _display_has_no("required", "repeats"),
    ),
    (
        "QuestionnaireItemEnableWhen",
        "que-7",
        "whether there is an answer is yes or no",
        lambda value: text_of(value, "operator") != "exists" or has(value, "answerBoolean"),
    ),
    (
        "QuestionnaireItem",
        "que-8",
        "a group and what is only shown have no initial value",
        lambda value: (
            text_of(value, "type") not in {"group", "display"} or not has(value, "initial")
        ),
    ),
    (
        "QuestionnaireItem",
        "que-9",
        "what is only shown is not marked readOnly",
        _display_has_no("readOnly"),
    ),
    ("QuestionnaireItem", "que-13", "one initial value, or the item repeats", _initial_fits),
    (
        "ConceptMapGroupElementTarget",
        "cmd-1",
        "a target that is narrower or inexact has a comment",
        lambda value: (
            text_of(value, "equivalence") not in {"narrower", "inexact"} or has(value, "comment")
        ),
    ),
)
