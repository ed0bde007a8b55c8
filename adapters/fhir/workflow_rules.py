"""Constraints on orders, doses, lists, estimates and what is measured: type, key, words, test.

Source: the pages of https://hl7.org/fhir/R4/resourcelist.html, medications, workflow and financial.
"""

from adapters.fhir.constraint import (
    any_of,
    has,
    has_choice,
    in_order,
    items,
    not_both,
    number_of,
    one_of,
    text_of,
)
from adapters.fhir.type_rules import Row
from bridge.core.record.bundle import JsonObject

__all__ = ["WORKFLOW_RULES"]


def _percent(value: JsonObject) -> bool:
    probability = number_of(value, "probabilityDecimal")
    return probability is None or probability <= 100


def _percent_range(value: JsonObject) -> bool:
    ends = (*items(value, "probabilityRange", "low"), *items(value, "probabilityRange", "high"))
    return all(
        (text_of(end, "code"), text_of(end, "system")) == ("%", "http://unitsofmeasure.org")
        for end in ends
    )


def _trigger_is_told(value: JsonObject) -> bool:
    kind = text_of(value, "type")
    needed = {"named-event": has(value, "name"), "periodic": has_choice(value, "timing")}
    return needed.get(kind, not kind.startswith("data-") or has(value, "data"))


_SEQUENCES = ("genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString")

WORKFLOW_RULES: tuple[Row, ...] = (
    (
        "List",
        "lst-1",
        "emptyReason stands only in a list without entries",
        not_both("emptyReason", "entry"),
    ),
    (
        "List",
        "lst-3",
        "an entry has a date only where mode is working",
        lambda value: (
            text_of(value, "mode") == "working"
            or not any(has(entry, "date") for entry in items(value, "entry"))
        ),
    ),
    (
        "MedicationAdministrationDosage",
        "mad-1",
        "a dosage has dose or rate",
        lambda value: has(value, "dose") or has_choice(value, "rate"),
    ),
    (
        "MedicationDispense",
        "mdd-1",
        "whenHandedOver is not before whenPrepared",
        lambda value: in_order(text_of(value, "whenPrepared"), text_of(value, "whenHandedOver")),
    ),
    (
        "ImmunizationRecommendationRecommendation",
        "imr-1",
        "a recommendation has vaccineCode or targetDisease",
        any_of("vaccineCode", "targetDisease"),
    ),
    ("RiskAssessmentPrediction", "ras-1", "low and high are percentages", _percent_range),
    ("RiskAssessmentPrediction", "ras-2", "a probability is at most 100", _percent),
    (
        "RequestGroupAction",
        "rqg-1",
        "an action has either a resource or actions",
        one_of("resource", "action"),
    ),
    ("TriggerDefinition", "trd-3", "a trigger says what triggers", _trigger_is_told),
    (
        "CoverageEligibilityResponseInsuranceItem",
        "ces-1",
        "an item has either category or productOrService",
        one_of("category", "productOrService"),
    ),
    (
        "InsurancePlan",
        "ipn-1",
        "a plan has an identifier or a name",
        any_of("identifier", "name"),
    ),
    (
        "MeasureReport",
        "mrp-1",
        "a report for the collection of data has no groups",
        lambda value: text_of(value, "type") != "data-collection" or not has(value, "group"),
    ),
    (
        "MolecularSequence",
        "msq-3",
        "coordinateSystem is 0 or 1",
        lambda value: number_of(value, "coordinateSystem") in {0, 1},
    ),
    (
        "MolecularSequenceReferenceSeq",
        "msq-5",
        "chromosome and genomeBuild stand together",
        lambda value: has(value, "chromosome") == has(value, "genomeBuild"),
    ),
    (
        "MolecularSequenceReferenceSeq",
        "msq-6",
        "a reference sequence is given in one way",
        lambda value: sum(has(value, name) for name in _SEQUENCES) == 1,
    ),
)
