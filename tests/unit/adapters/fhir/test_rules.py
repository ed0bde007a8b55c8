"""Constraints of R4: what each refuses, and that each belongs to a type that exists."""

import importlib
import pkgutil

import fhir.resources.R4B
import pytest
from msgspec import Raw

from adapters.fhir.clinical_rules import CLINICAL_RULES
from adapters.fhir.definition_rules import DEFINITION_RULES
from adapters.fhir.problems import Problems
from adapters.fhir.r4 import check_resource
from adapters.fhir.rules import rules_of
from adapters.fhir.type_rules import TYPE_RULES
from adapters.fhir.workflow_rules import WORKFLOW_RULES
from bridge.core.record.bundle import JsonObject

TEXT: JsonObject = {"text": "x"}
CODE: JsonObject = {"coding": [{"system": "urn:a", "code": "b"}]}
PATIENT: JsonObject = {"resourceType": "Patient"}
OBSERVATION: JsonObject = {"resourceType": "Observation", "status": "final", "code": CODE}
CONDITION: JsonObject = {"resourceType": "Condition", "subject": {"reference": "Patient/a"}}
ALLERGY: JsonObject = {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/a"}}


def _coded(system: str, code: str) -> JsonObject:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


LIST: JsonObject = {"resourceType": "List", "status": "current", "mode": "snapshot"}
ITEM: JsonObject = {"item": {"reference": "Patient/a"}}
GIVEN: JsonObject = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "medicationCodeableConcept": TEXT,
    "subject": {"reference": "Patient/a"},
    "effectiveDateTime": "2026",
}
DISPENSED: JsonObject = {
    "resourceType": "MedicationDispense",
    "status": "completed",
    "medicationCodeableConcept": TEXT,
}
RISK: JsonObject = {
    "resourceType": "RiskAssessment",
    "status": "final",
    "subject": {"reference": "Patient/a"},
}
ASKED: JsonObject = {"resourceType": "Questionnaire", "status": "draft"}
SHOWN: JsonObject = {"linkId": "2", "type": "display"}
SAID: JsonObject = {"valueString": "x"}
STATEMENT: JsonObject = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "description": "x",
    "rest": [{"mode": "server"}],
}
ACTIVE = _coded("condition-clinical", "active")
WRONG = _coded("condition-ver-status", "entered-in-error")
ALLERGY_ACTIVE = _coded("allergyintolerance-clinical", "active")
ALLERGY_WRONG = _coded("allergyintolerance-verification", "entered-in-error")


def _keys(value: JsonObject) -> list[str]:
    problems = Problems()
    check_resource(value, None, problems)
    return [problem.code for problem in problems.found]


def _quantity(number: bytes, **more: str) -> JsonObject:
    return {"value": Raw(number), **more}


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (PATIENT | {"contact": [{"gender": "male"}]}, "pat-1"),
        (PATIENT | {"extension": [{"url": "urn:a"}]}, "ext-1"),
        (PATIENT | {"telecom": [{"value": "1"}]}, "cpt-2"),
        (PATIENT | {"photo": [{"data": "AAAA"}]}, "att-1"),
        (PATIENT | {"identifier": [{"system": "mrn", "value": "1"}]}, "system-absolute"),
        (
            PATIENT | {"name": [{"period": {"start": "2026-02", "end": "2026-01-31"}}]},
            "per-1",
        ),
        (OBSERVATION | {"valueQuantity": _quantity(b"1", code="mg")}, "qty-3"),
        (OBSERVATION | {"valueRatio": {"numerator": _quantity(b"1")}}, "rat-1"),
        (
            OBSERVATION | {"valueRange": {"low": _quantity(b"2.0"), "high": _quantity(b"1.9")}},
            "rng-2",
        ),
        (OBSERVATION | {"valueString": "x", "dataAbsentReason": TEXT}, "obs-6"),
        (OBSERVATION | {"valueString": "x", "component": [{"code": CODE}]}, "obs-7"),
        (OBSERVATION | {"referenceRange": [{"type": TEXT}]}, "obs-3"),
        (CONDITION | {"abatementString": "x", "clinicalStatus": ACTIVE}, "con-4"),
        (CONDITION | {"verificationStatus": WRONG, "clinicalStatus": ACTIVE}, "con-5"),
        (ALLERGY, "ait-1"),
        (
            ALLERGY | {"verificationStatus": ALLERGY_WRONG, "clinicalStatus": ALLERGY_ACTIVE},
            "ait-2",
        ),
        ({"resourceType": "Organization", "active": True}, "org-1"),
        (LIST | {"emptyReason": TEXT, "entry": [ITEM]}, "lst-1"),
        (LIST | {"entry": [ITEM | {"date": "2026"}]}, "lst-3"),
        (GIVEN | {"dosage": {"route": TEXT}}, "mad-1"),
        (
            DISPENSED | {"whenPrepared": "2026-02-02", "whenHandedOver": "2026-02-01"},
            "mdd-1",
        ),
        (RISK | {"prediction": [{"probabilityDecimal": Raw(b"100.1")}]}, "ras-2"),
        (
            RISK | {"prediction": [{"probabilityRange": {"high": _quantity(b"5", unit="%")}}]},
            "ras-1",
        ),
        ({"resourceType": "MolecularSequence", "coordinateSystem": Raw(b"2")}, "msq-3"),
        ({"resourceType": "InsurancePlan", "alias": ["x"]}, "ipn-1"),
        (ASKED | {"item": [{"linkId": "1", "type": "display", "required": True}]}, "que-6"),
        (
            ASKED
            | {"item": [{"linkId": "1", "type": "group", "initial": [SAID], "item": [SHOWN]}]},
            "que-8",
        ),
        (ASKED | {"item": [{"linkId": "1", "type": "string", "initial": [SAID, SAID]}]}, "que-13"),
        (STATEMENT | {"kind": "instance"}, "cpb-14"),
        (STATEMENT | {"kind": "requirements", "software": {"name": "x"}}, "cpb-16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_broken_constraint_is_named_by_its_key(value: JsonObject, key: str) -> None:
    """The sender reads the key that FHIR gives the constraint."""
    assert _keys(value) == [key]


@pytest.mark.parametrize(
    "value",
    [
        PATIENT | {"name": [{"period": {"start": "2026-02-10", "end": "2026-02"}}]},
        PATIENT
        | {"name": [{"period": {"start": "2026-02-10T23:00:00-05:00", "end": "2026-02-11"}}]},
        OBSERVATION | {"valueRange": {"low": _quantity(b"1E1"), "high": _quantity(b"10.0")}},
        ALLERGY | {"verificationStatus": ALLERGY_WRONG},
    ],
    ids=["within-the-month", "zones", "equal", "entered-in-error"],
)
def test_what_can_be_true_is_not_refused(value: JsonObject) -> None:
    """A precision that leaves it open is no contradiction."""
    assert _keys(value) == []


def test_every_rule_belongs_to_a_type_of_the_models() -> None:
    """A rule of a misspelt type would never be asked."""
    known: set[str] = set()
    for module in pkgutil.iter_modules(fhir.resources.R4B.__path__):
        if module.name != "tests":
            known |= vars(importlib.import_module(f"fhir.resources.R4B.{module.name}")).keys()

    rows = TYPE_RULES + CLINICAL_RULES + WORKFLOW_RULES + DEFINITION_RULES
    named = {name for row in rows for name in row[0].split()}

    assert named - known == set()
    assert [rule.key for rule in rules_of("PatientContact")] == ["pat-1"]
