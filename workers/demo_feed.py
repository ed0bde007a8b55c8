"""A small hospital for the demo: invented people, two sending systems, one FHIR client."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["fhir_bundle", "messages"]

STAYS = 12
FIRST_DAY = 3


@dataclass(frozen=True, slots=True)
class Person:
    """An invented patient."""

    mrn: str
    family: str
    given: str
    born: str
    sex: str


PEOPLE = (
    Person("700101", "Lindqvist", "Maja", "19820417", "F"),
    Person("700102", "Okafor", "Chidi", "19571103", "M"),
    Person("700103", "Varga", "Ilona", "19990228", "F"),
    Person("700104", "Tanaka", "Ren", "20110709", "M"),
)


def messages() -> Iterator[bytes]:
    """Admission, laboratory report, update and discharge of each stay; ER7 of version 2.5.1."""
    for stay in range(STAYS):
        person = PEOPLE[stay % len(PEOPLE)]
        day = f"202603{FIRST_DAY + stay:02d}"
        visit = f"V{9000 + stay}"
        yield _message(f"{day}0800", "ADT^A01^ADT_A01", _stay(person, visit, f"{day}0755", ""))
        yield _message(f"{day}0931", "ORU^R01^ORU_R01", _report(person, visit, day, stay))
        yield _message(f"{day}1015", "ADT^A08^ADT_A01", _stay(person, visit, f"{day}0755", ""))
        yield _message(
            f"{day}1640", "ADT^A03^ADT_A03", _stay(person, visit, f"{day}0755", f"{day}1630")
        )


def _message(at: str, kind: str, segments: list[str]) -> bytes:
    sender = "LAB|RIVERSIDE" if kind.startswith("ORU") else "ADT|RIVERSIDE"
    control = f"{at}{kind[4:7]}"
    head = f"MSH|^~\\&|{sender}|BRIDGE|RIVERSIDE|{at}00+0000||{kind}|{control}|P|2.5.1"
    return "".join(f"{line}\r" for line in [head, *segments]).encode()


def _patient(person: Person) -> str:
    return (
        f"PID|1||{person.mrn}^^^RIVERSIDE^MR||{person.family}^{person.given}^^^^^L||"
        f"{person.born}|{person.sex}|||12 Mill Lane^^Harbour Town^^40100^SE"
    )


def _visit(visit: str, admitted: str, discharged: str) -> str:
    fields = [""] * 46
    fields[0:4] = ["PV1", "1", "I", "WARD2^204^B^RIVERSIDE"]
    fields[7] = "4471^Strand^Eva^^^Dr^^^RIVERSIDE"
    fields[19] = f"{visit}^^^RIVERSIDE^VN"
    fields[44], fields[45] = f"{admitted}00+0000", discharged and f"{discharged}00+0000"
    return "|".join(fields).rstrip("|")


def _stay(person: Person, visit: str, admitted: str, discharged: str) -> list[str]:
    return [
        f"EVN||{discharged or admitted}00+0000",
        _patient(person),
        _visit(visit, admitted, discharged),
        "AL1|1|DA|70618^Penicillin^RXNORM|MO|Rash",
        "DG1|1||J18.9^Pneumonia, unspecified organism^I10|||A",
    ]


def _report(person: Person, visit: str, day: str, stay: int) -> list[str]:
    values = (
        ("718-7^Hemoglobin^LN", f"{12.10 + stay / 10:.2f}", "g/dL", "12.00-16.00"),
        ("2823-3^Potassium^LN", f"{3.60 + stay / 20:.2f}", "mmol/L", "3.50-5.10"),
        ("1988-5^C reactive protein^LN", f"{40 - 3 * stay}", "mg/L", "0-5"),
    )
    head = f"OBR|1|P{stay}^ADT|F{stay}^LAB|24323-8^Comprehensive panel^LN|||{day}083000+0000"
    results = [
        f"OBX|{n}|NM|{code}||{value}|{unit}^^UCUM|{limits}||||F|||{day}083000+0000"
        for n, (code, value, unit, limits) in enumerate(values, start=1)
    ]
    return [
        _patient(person),
        _visit(visit, f"{day}0755", ""),
        f"ORC|RE|P{stay}^ADT|F{stay}^LAB",
        f"{head}" + "|" * 15 + f"{day}093000+0000|||F",
        *results,
        "NTE|1|L|Sample slightly haemolysed",
    ]


def fhir_bundle() -> bytes:
    """A transaction of a patient and a weight, as a clinic's own FHIR system sends it."""
    patient = "urn:uuid:5f1d7a52-6f0e-4c5c-9c9e-3a1f0c5b7e10"
    entries = [
        {
            "fullUrl": patient,
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:oid:2.999.1.4", "value": "H-2231"}],
                "name": [{"family": "Almeida", "given": ["Joana"]}],
                "gender": "female",
                "birthDate": "1974-05-30",
            },
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "fullUrl": "urn:uuid:0d8b8d4e-2f0f-4a55-8d5e-57a7f1d1d9b2",
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
                "subject": {"reference": patient},
                "effectiveDateTime": "2026-03-05T10:30:00+01:00",
                "valueQuantity": {
                    "value": "WEIGHT",
                    "unit": "kg",
                    "system": "http://unitsofmeasure.org",
                    "code": "kg",
                },
            },
            "request": {"method": "POST", "url": "Observation"},
        },
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    # 64.50 is not 64.5: the digits are written here as a scale shows them.
    return json.dumps(bundle).replace('"WEIGHT"', "64.50").encode()
