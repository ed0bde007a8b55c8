"""Numbers that mean two things: what a sender uses again never crosses from patient to patient."""

import json
from collections.abc import Iterator

import pytest

from adapters.hl7v2.dialect import Hl7v2
from tests.scenarios.journey import Hospital, Resource

ANNA = "PID|1||100^^^STMARY^MR||Berg^Anna||19700305|F"
EMIL = "PID|1||200^^^STMARY^MR||Kurz^Emil||19551224|M"
NAMELESS = "PID|1||||{}"
SHARED = frozenset(
    {"Appointment", "Device", "HealthcareService", "Location", "MessageHeader", "Organization",
     "Practitioner", "PractitionerRole", "Provenance"}
)  # fmt: skip
"""Types of what is of no patient, and what several patients may come to."""

MESSAGES = {
    "order": ("ORM^O01", "ORC|NW|7", "OBR|1|7||CBC"),
    "result": ("ORU^R01", "ORC|RE|7|9", "OBR|1|7|9|CBC", "OBX|1|NM|HGB||14|g/dL|||||F"),
    "filler-alone": ("ORU^R01", "OBR|1||9|CBC", "OBX|1|NM|HGB||14|g/dL|||||F"),
    "numbered-result": ("ORU^R01", "OBR|1||9|CBC", f"OBX|1|NM|HGB||14|g/dL|||||F{'|' * 10}1"),
    "document-in-a-result": ("ORU^R01", "OBR|1|7|9|CBC", "OBX|1|ED|D||^text^plain^Base64^QUJD"),
    "specimen": ("OML^O21", "ORC|NW|7", "OBR|1|7||CBC", "SPM|1|5&L^6&L|4|BLD"),
    "child-specimen": ("OML^O21", "ORC|NW|7", "OBR|1|7||CBC", "SPM|1|5^6|4^3|BLD"),
    "prescription": ("RDE^O11", "ORC|NW|7", "RXE|^^^202601010800|0002-1^Drug^NDC|1||mg"),
    "dispense": ("RDS^O13", "ORC|RE|7|9", "RXD|1|0002-1^Drug^NDC|202601010800|1||||7"),
    "given": ("RAS^O17", "ORC|RE|7|9", "RXA|0|1|20260101||0002-1^Drug^NDC|1"),
    "vaccination": ("VXU^V04", "ORC|RE|7|9", "RXA|0|1|20260101||08^HepB^CVX|1"),
    "diagnosis": ("ADT^A08", f"DG1|1||J18.9^Pneumonia^I10|||A{'|' * 14}1"),
    "procedure": ("ADT^A08", f"PR1|1||CABG^Bypass^L||20260101{'|' * 14}1"),
    "allergy": ("ADT^A60", "IAM|1|DA|PEN^Penicillin^L|||A|1"),
    "old-allergy": ("ADT^A08", "AL1|1|DA|PEN^Penicillin^L"),
    "insurance": ("ADT^A08", f"IN1|1|PLAN|INS1{'|' * 33}POL1"),
    "guarantor": ("ADT^A08", "GT1|1|77|Berg^Max"),
    "charge": ("DFT^P03", "FT1|1|77||20260101||CG|A1"),
    "document": ("MDM^T02", "TXA|1|CN|TX|||||||||7", "OBX|1|TX|||words"),
    "consent": ("ADT^A08", "CON|1|C||7"),
    "problem": ("PPR^PC1", "PRB|AD|20260101|J18.9^Pneumonia^I10|7"),
    "goal": ("PGL^PC6", "GOL|AD|20260101|G1^Walk^L|7"),
    "appointment-service": ("SIU^S12", "SCH||7", "PID", "RGS|1|A", "AIS|1|A|XR^X-ray^L"),
    "referral": ("REF^I12", "RF1|A|||||7", "PID"),
    "nothing-numbered": ("ORU^R01", "OBR|1|||CBC", "OBX|1|NM|HGB||14|g/dL|||||F"),
}  # fmt: skip


@pytest.fixture(scope="module")
def dialect() -> Hl7v2:
    """The base rules, compiled once."""
    return Hl7v2()


@pytest.fixture
def hospital(dialect: Hl7v2) -> Hospital:
    """Nothing stored yet."""
    return Hospital(dialect)


def _made(dialect: Hl7v2, kind: str, *segments: str, control: str = "1") -> Iterator[Resource]:
    head = f"MSH|^~\\&|EMR|STMARY|HUB|HUB|20260105080000||{kind}|{control}|P|2.5.1"
    raw = "".join(f"{line}\r" for line in (head, *segments)).encode()
    bundle = json.loads(dialect.convert(raw, sender="").canonical)
    return (entry["resource"] for entry in bundle["entry"])


def _of_patients(dialect: Hl7v2, kind: str, *segments: str, control: str = "1") -> set[str]:
    return {
        f"{one['resourceType']}/{one['id']}"
        for one in _made(dialect, kind, *segments, control=control)
        if one["resourceType"] not in SHARED
    }


def _about(person: str, name: str) -> list[str]:
    """The message with its PID in place: behind MSH, where it says nothing else."""
    kind, *segments = MESSAGES[name]
    if "PID" not in segments:
        return [kind, person, *segments]
    return [kind, *(person if one == "PID" else one for one in segments)]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_number_used_again_for_another_patient_is_another_thing(
    dialect: Hl7v2, name: str
) -> None:
    """The same message, control id included, about two patients: nothing of one is the other's."""
    first = _of_patients(dialect, *_about(ANNA, name))
    second = _of_patients(dialect, *_about(EMIL, name))

    assert len(first) > 1
    assert first & second == set()


@pytest.mark.parametrize("name", MESSAGES)
def test_the_same_number_of_the_same_patient_is_the_same_thing(dialect: Hl7v2, name: str) -> None:
    """Also where PID says more, and whatever else the sender changed there."""
    first = _of_patients(dialect, *_about(ANNA, name))
    again = _of_patients(dialect, *_about(f"{ANNA}|||1 Main St^^Bern", name))

    numbered = {one for one in first if not one.startswith("Parameters/")}
    assert name == "nothing-numbered" or numbered <= again


def test_control_id_used_again_makes_nobody_somebody_else(dialect: Hl7v2) -> None:
    """Patients without a number, from a sender whose every message is number 1."""
    first = _of_patients(dialect, "ADT^A08", NAMELESS.format("Berg^Anna"))
    second = _of_patients(dialect, "ADT^A08", NAMELESS.format("Kurz^Emil"))

    assert len(first) > 0
    assert first & second == set()


def test_a_control_id_used_again_keeps_both_results_of_one_patient(hospital: Hospital) -> None:
    """Without a number of its own a result is of its message's content; sent again it is one."""
    for value in ("1", "2", "2"):
        hospital.sent = 0
        hospital.send("ORU^R01", ANNA, "OBR|1|||CBC", f"OBX|1|NM|HGB||{value}|g/dL|||||F")

    assert [one["valueQuantity"]["value"] for one in hospital.all("Observation")] == [1, 2]


def test_set_ids_in_obx_21_keep_the_results_of_two_reports_apart(hospital: Hospital) -> None:
    """Some senders number the results of each report from 1 there."""
    for filler, value in (("F1", "1"), ("F2", "2")):
        numbered = f"OBX|1|NM|HGB||{value}|g/dL|||||F{'|' * 10}1"
        hospital.send("ORU^R01", ANNA, f"OBR|1||{filler}|CBC", numbered)

    assert [one["valueQuantity"]["value"] for one in hospital.all("Observation")] == [1, 2]


@pytest.mark.parametrize("number", ["Unknown", "000000", "999-99-9999^^^USSSA^SS"])
def test_patients_without_a_number_are_not_one_patient(hospital: Hospital, number: str) -> None:
    """An analyser that knows nobody writes a word or zeros where the number belongs."""
    for name, value in (("Berg^Anna", "1"), ("Kurz^Emil", "2")):
        person = f"PID|1||{number}||{name}"
        hospital.send("ORU^R01", person, f"OBR|1||{value}|CBC", f"OBX|1|NM|HGB||{value}")

    assert len(hospital.all("Patient")) == 2
    assert len({one["subject"]["reference"] for one in hospital.all("Observation")}) == 2


def test_visit_number_zero_is_no_visit_of_all(hospital: Hospital) -> None:
    """PV1-19 of a sender that fills it with zeros."""
    for person in (ANNA, EMIL):
        hospital.send("ADT^A08", person, f"PV1|1|O{'|' * 17}00000")

    assert len(hospital.all("Encounter")) == 2


def test_two_drugs_under_one_order_are_two_prescriptions(hospital: Hospital) -> None:
    """RXE comes twice behind one ORC: no drug replaces the other, each has its own route."""
    drugs = ["RXE||A1^Aspirin^L|100||mg", "RXR|PO", "RXE||B2^Heparin^L|5||mL", "RXR|IV"]
    hospital.send("RDE^O11", ANNA, "ORC|NW|7", *drugs)

    found = hospital.all("MedicationRequest")

    assert [one["medicationCodeableConcept"]["text"] for one in found] == ["Aspirin", "Heparin"]
    routes = [one["dosageInstruction"][0]["route"]["coding"][1]["code"] for one in found]
    assert routes == ["PO", "IV"]


def test_an_order_speaks_of_all_tests_behind_it(hospital: Hospital) -> None:
    """Two OBR behind one ORC: both are of the same doctor, and a cancel is of both."""
    tests = ("OBR|1|7||CBC", "OBR|2|7||CRP")
    hospital.send("ORM^O01", ANNA, f"ORC|NW|7{'|' * 10}D1^Doc^Di", *tests)
    ordered = hospital.all("ServiceRequest")
    hospital.send("ORM^O01", ANNA, "ORC|CA|7", *tests)

    assert [one["code"]["coding"][0]["code"] for one in ordered] == ["CBC", "CRP"]
    assert ordered[0]["requester"] == ordered[1]["requester"]
    assert [one["status"] for one in hospital.all("ServiceRequest")] == ["revoked", "revoked"]
