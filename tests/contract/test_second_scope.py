"""Messages and segments of the second scope: one message each, the elements that it is sent for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2
from adapters.hl7v2.explain import residue

Resources = dict[str, list[dict[str, Any]]]
Convert = Callable[..., Resources]

HEADER = "MSH|^~\\&|LABX|STMARY|EPIC|HUB|20260102080000+0100||{kind}|C1|P|2.5.1"
PATIENT = "PID|1||17^^^STMARY^MR||Everyman^Adam||19620114|M||||||||||A1^^^STMARY^AN"
VISIT = "PV1|1|I" + "|" * 17 + "V1^^^STMARY"


def raw_of(kind: str, *segments: str) -> bytes:
    """A message of that type about one patient."""
    return "\r".join((HEADER.format(kind=kind), PATIENT, *segments, "")).encode()


@pytest.fixture(scope="session")
def dialect() -> Hl7v2:
    """The base rules, compiled once."""
    return Hl7v2()


@pytest.fixture(scope="session")
def convert(dialect: Hl7v2) -> Convert:
    """Resources of the message's bundle by type, in order."""

    def run(kind: str, *segments: str) -> Resources:
        found: Resources = {}
        bundle = json.loads(dialect.convert(raw_of(kind, *segments), sender="").canonical)
        for entry in bundle["entry"]:
            found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
        return found

    return run


@pytest.mark.parametrize(
    "kind",
    [
        *(f"ADT^A{number:02}" for number in (9, 10, 14, 15, 16, 17, 21, 22, 23, 24, 25, 26, 27)),
        *(f"ADT^A{number:02}" for number in (29, 37, 38, 41, 45, 60)),
        "BAR^P01", "DFT^P03", "DFT^P11", "OMG^O19", "OML^O21", "ORU^R30", "ORU^R31", "ORU^R32",
        "RAS^O17", "RDE^O11", "RDE^O25", "RDS^O13",
    ],
)  # fmt: skip
def test_trigger_is_mapped(kind: str, dialect: Hl7v2) -> None:
    """No finding says that the trigger is unknown."""
    made = dialect.convert(raw_of(kind, VISIT), sender="")

    assert [one.code for one in made.findings if one.code == "unmapped-trigger"] == []


@pytest.mark.parametrize(
    "kind", ["PPR^PC1", "REF^I12", "OUL^R22", "MFN^M02", "QBP^Q11", "BAR^P12", "ZZZ^Z99"]
)
def test_other_trigger_keeps_what_is_known(kind: str, convert: Convert) -> None:
    """Third scope and beyond: the patient and the visit are there."""
    found = convert(kind, VISIT)

    assert found["Patient"][0]["name"][0]["family"] == "Everyman"
    assert found["Encounter"][0]["subject"]["reference"].startswith("Patient/")


@pytest.mark.parametrize(
    ("trigger", "status"),
    [("A14", "planned"), ("A21", "onleave"), ("A22", "in-progress"), ("A27", "cancelled"),
     ("A38", "cancelled"), ("A23", "entered-in-error"), ("A52", "in-progress"),
     ("A53", "onleave")],
)  # fmt: skip
def test_event_decides_the_state_of_the_visit(trigger: str, status: str, convert: Convert) -> None:
    """By the official table of events."""
    assert convert(f"ADT^{trigger}", VISIT)["Encounter"][0]["status"] == status


def test_account_belongs_to_patient_and_visit(convert: Convert) -> None:
    """PID-18 as Account (v2-to-FHIR PID[Account])."""
    found = convert("ADT^A04", VISIT)

    account = found["Account"][0]
    assert account["identifier"][0]["value"] == "A1"
    assert account["subject"] == [{"reference": f"Patient/{found['Patient'][0]['id']}"}]
    assert found["Encounter"][0]["account"] == [{"reference": f"Account/{account['id']}"}]


def test_subscriber_is_a_related_person_unless_the_patient(convert: Convert) -> None:
    """IN1-16 to IN1-19 and IN2 of another person; IN1-17 SEL points at the patient."""
    insured = "IN1|1|P1^Gold|77^^^H|Acme" + "|" * 12 + "Roe^Rita|SPO|19600101|1 St^^Town|"
    own = "IN1|2|P2|78^^^H|Beta" + "|" * 12 + "Everyman^Adam|SEL"

    found = convert("BAR^P01", VISIT, insured, "IN2|E5^^^ACME^EI|999-99-9999||||M123", own)

    first, second = found["Coverage"]
    spouse = found["RelatedPerson"][0]
    assert first["subscriber"] == {"reference": f"RelatedPerson/{spouse['id']}"}
    assert (spouse["name"][0]["family"], spouse["birthDate"]) == ("Roe", "1960-01-01")
    assert [one["value"] for one in spouse["identifier"]] == ["E5", "999-99-9999"]
    assert "M123" in [one["value"] for one in first["identifier"]]
    assert second["subscriber"] == {"reference": f"Patient/{found['Patient'][0]['id']}"}
    assert (first["class"][0]["value"], first["class"][0]["name"]) == ("P1", "Gold")


def test_guarantor_is_party_of_the_account(convert: Convert) -> None:
    """GT1 as RelatedPerson and Account.guarantor."""
    guarantor = "GT1|1|G7^^^STMARY|Roe^Rita||1 St^^Town|5551234||19600101|F||SPO||20260101|20261231"

    found = convert("DFT^P03", VISIT, guarantor)

    person = found["RelatedPerson"][0]
    assert person["relationship"][0]["coding"][0]["code"] == "GUAR"
    assert found["Account"][0]["guarantor"] == [
        {
            "party": {"reference": f"RelatedPerson/{person['id']}"},
            "period": {"start": "2026-01-01", "end": "2026-12-31"},
        }
    ]


@pytest.mark.parametrize(
    ("kind", "status"), [("CG", "billable"), ("CD", "aborted"), ("AJ", "unknown")]
)
def test_charge_is_a_charge_item(kind: str, status: str, convert: Convert) -> None:
    """FT1 with code, time, quantity, price, account and who did it."""
    charge = f"FT1|1|T9||20260102|20260103|{kind}|71045^Chest^C4|||2|100&USD|||||||||77^Doc^Tor"

    item = convert("DFT^P03", VISIT, charge)["ChargeItem"][0]

    assert item["status"] == status
    assert item["code"]["coding"][0]["code"] == "71045"
    assert item["occurrenceDateTime"] == "2026-01-02"
    assert item["quantity"] == {"value": 2}
    assert item["priceOverride"] == {"value": 100, "currency": "USD"}
    assert item["account"][0]["reference"].startswith("Account/")
    assert item["performer"][0]["actor"]["reference"].startswith("Practitioner/")


def test_accident_and_death_are_observations(convert: Convert) -> None:
    """ACC and PDA, the autopsy as a Procedure."""
    found = convert(
        "ADT^A08", VISIT, "ACC|202601010900+0100||Crossroads||Y|N||A car",
        "PDA|I21^Infarction^I10|W^1|Y|20260103||Y|20260104^20260105",
    )  # fmt: skip

    accident, death = found["Observation"]
    assert accident["valueString"] == "A car"
    assert [one.get("valueBoolean") for one in accident["component"]] == [None, True, False]
    assert death["valueCodeableConcept"]["coding"][0]["code"] == "I21"
    assert found["Procedure"][0]["performedPeriod"] == {"start": "2026-01-04", "end": "2026-01-05"}


@pytest.mark.parametrize(
    ("code", "status"),
    [("A", "active"), ("P", "proposed"), ("R", "rejected"), ("X", "inactive"), ("", "active")],
)
def test_consent_has_status_and_period(code: str, status: str, convert: Convert) -> None:
    """CON in a document message."""
    consent = f"CON|1|001|HIPAA|C7^H|||||||{code}||20260102|20260102|20270102"

    made = convert("MDM^T02", VISIT, "TXA|1|DS|TX|||||||||D1^H", consent)["Consent"][0]

    assert made["status"] == status
    assert made["provision"]["period"] == {"start": "2026-01-02", "end": "2027-01-02"}
    assert made["identifier"][0]["value"] == "C7"


def test_container_is_of_its_specimen(convert: Convert) -> None:
    """OML^O21: SAC below SPM, two specimens."""
    found = convert(
        "OML^O21", "ORC|NW|P1^H", "OBR|1|P1^H||X^y^LN", "SPM|1|S1&H||BLD", "SAC||ACC1|T1^H",
        "SPM|2|S2&H||UR", "SAC||ACC2|T2^H",
    )  # fmt: skip

    assert [
        (one["container"][0]["identifier"][0]["value"], one["accessionIdentifier"]["value"])
        for one in found["Specimen"]
    ] == [("T1", "ACC1"), ("T2", "ACC2")]


def test_schedule_orders_its_services(convert: Convert) -> None:
    """AIS as ServiceRequest that the Appointment is based on; a cancellation revokes it."""
    found = convert(
        "SIU^S15", "SCH|A1^H||||||CHECKUP|||m|^^^202601050800+0100^202601050830+0100",
        "RGS|1", "AIS|1||XR^Chest^L",
    )  # fmt: skip

    order = found["ServiceRequest"][0]
    assert (order["status"], order["code"]["coding"][0]["code"]) == ("revoked", "XR")
    assert found["Appointment"][0]["basedOn"] == [{"reference": f"ServiceRequest/{order['id']}"}]


def test_species_and_breed_of_an_animal(dialect: Hl7v2) -> None:
    """PID-35 and PID-36 as the extension patient-animal."""
    patient = "PID|1||17^^^STMARY||Rex" + "|" * 30 + "DOG^Dog^L|POO^Poodle^L"
    raw = "\r".join((HEADER.format(kind="ADT^A08"), patient, "")).encode()

    bundle = json.loads(dialect.convert(raw, sender="").canonical)

    found = next(e["resource"] for e in bundle["entry"] if "Patient/" in e["fullUrl"])
    animal = next(e for e in found["extension"] if e["url"].endswith("patient-animal"))
    assert [one["url"] for one in animal["extension"]] == ["species", "breed"]


def test_race_is_an_omb_category_where_it_is_one(dialect: Hl7v2) -> None:
    """US Core binds ombCategory to five codes; any other code is a detail."""
    patient = "PID|1||17^^^STMARY||Doe|||||2106-3^White^HL70005~2034-7^Chinese^HL70005"
    raw = "\r".join((HEADER.format(kind="ADT^A08"), patient, "")).encode()

    bundle = json.loads(dialect.convert(raw, sender="").canonical)

    found = next(e["resource"] for e in bundle["entry"] if "Patient/" in e["fullUrl"])
    race = found["extension"][0]["extension"]
    assert [one["url"] for one in race] == ["ombCategory", "detailed", "text"]


def test_second_scope_segments_leave_little_unread(dialect: Hl7v2) -> None:
    """What is sent here is read whole, but for set ids."""
    raw = raw_of("DFT^P03", VISIT, "FT1|1|T9||20260102|20260103|CG|71045^Chest^C4|||2|100&USD",
                 "GT1|1|G7^^^STMARY|Roe^Rita||1 St^^Town|5551234||19600101|F||SPO")  # fmt: skip

    assert residue(dialect, raw) == ()


def test_disability_of_the_patient_is_an_observation(convert: Convert) -> None:
    """DB1 says since when; of a guarantor's nothing is said of the patient."""
    found = convert("ADT^A08", "DB1|1|PT|D7^^^STMARY|Y|20240101|20240301|20240401",
                    "DB1|2|GT||Y|20200101")  # fmt: skip

    (one,) = found["Observation"]
    assert (one["code"], one["valueBoolean"]) == ({"text": "disability"}, True)
    assert one["effectivePeriod"] == {"start": "2024-01-01", "end": "2024-03-01"}
    assert one["component"][0]["valueDateTime"] == "2024-04-01"


@pytest.mark.parametrize(
    "segment", ["PD1" + "|" * 15 + "DNR^Do not resuscitate~NI^No intubation",
                "PV2" + "|" * 45 + "DNR^Do not resuscitate~NI^No intubation"],
    ids=["PD1", "PV2"],
)  # fmt: skip
def test_advance_directives_are_one_observation(convert: Convert, segment: str) -> None:
    """Whether to resuscitate is read from wherever it was sent."""
    (one,) = convert("ADT^A01", "PV1|1|I", segment)["Observation"]

    assert one["code"]["coding"][0]["code"] == "75320-2"
    assert [part["valueCodeableConcept"]["text"] for part in one["component"]] == [
        "Do not resuscitate",
        "No intubation",
    ]


def test_charge_knows_its_procedure_order_and_organizations(convert: Convert) -> None:
    """FT1-23, FT1-25 and FT1-32 to 34."""
    charge = "FT1|1|||20240101||CG|C1^Visit" + "|" * 16 + "F9^LAB||99213^Office visit^CPT4"

    (one,) = convert("DFT^P03", charge + "|" * 7 + "Clinic|Ward|I7^Stent")["ChargeItem"]

    assert one["service"] == [{"type": "Procedure", "display": "Office visit"}]
    assert one["supportingInformation"][0]["identifier"]["value"] == "F9"
    assert one["performingOrganization"] == {"display": "Clinic"}
    assert one["requestingOrganization"] == {"display": "Ward"}
    assert one["productCodeableConcept"]["text"] == "Stent"


def test_participants_have_the_place_of_what_they_follow(convert: Convert) -> None:
    """PRT behind PR1, behind a document, and for the person himself."""
    found = convert(
        "ADT^A01", "PRT||AD||PP|8^Wilson^James", VISIT, "PR1|1||80146002^Cut^SCT||20260101",
        "PRT||AD||SP|9^Cut^Ann",
    )  # fmt: skip
    written = convert("MDM^T02", "TXA|1|DS|||||||||||D1^X", "OBX|1|TX|1^Note||one||||||F",
                      "PRT||AD||AUT|7^House^Greg", "PRT||AD||RCT|9^Cut^Ann")  # fmt: skip

    assert found["Patient"][0]["generalPractitioner"][0]["display"] == "James Wilson"
    assert found["Procedure"][0]["performer"][0]["actor"]["display"] == "Ann Cut"
    (document,) = written["DocumentReference"]
    assert [one["display"] for one in document["author"]] == ["Greg House"]
    assert [one["display"] for one in document["context"]["related"]] == ["Ann Cut"]


def test_classified_and_confidential_diagnosis(convert: Convert) -> None:
    """DG1-17 is a category beside ours; DG1-18 is a label that readers obey."""
    diagnosis = "DG1|1||F32.1^Depression^I10|||A" + "|" * 11 + "D^Diagnosis|Y"

    (condition,) = convert("ADT^A01", VISIT, diagnosis)["Condition"]

    assert "Diagnosis" in [one.get("text") for one in condition["category"]]
    assert condition["meta"]["security"][0]["code"] == "R"


@pytest.mark.parametrize(
    ("kind", "segments"),
    [
        ("QRY^A19", ["QRD|20240101|R|I|1|||1|17|DEM", "QRF|ADT||||PID"]),
        ("QBP^Q22", ["QPD|Q22|1|@PID.3^17|||||^^^H", "RCP|I|10^RD"]),
        ("REF^I12", ["AUT|P|C|Co|20240101|20250101", VISIT]),
        ("ADT^A01", [VISIT, "IN1|1|P|C|Co", "IN2|||E^Employer||||M", "IN3|1|77^^^C|8^Who"]),
    ],
)
def test_segments_of_the_exchange_and_of_billing_are_left_by_decision(
    dialect: Hl7v2, kind: str, segments: list[str]
) -> None:
    """Each position that nobody reads has its reason in a map."""
    assert residue(dialect, raw_of(kind, *segments)) == ()


def _third(dialect: Hl7v2, kind: str, *segments: str) -> tuple[Resources, list[str]]:
    """Resources by type, and the codes found, of a message of the third scope."""
    head = f"MSH|^~\\&|EMR|STMARY|HUB|HUB|20260301080000+0100||{kind}|T1|P|2.5.1"
    made = dialect.convert("".join(f"{one}\r" for one in (head, *segments)).encode(), sender="")
    found: Resources = {}
    for entry in json.loads(made.canonical)["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found, [one.code for one in made.findings]


PERSON = "PID|1||1^^^STMARY^MR||Berg^Anna"


def test_problems_and_goals_are_conditions_and_goals(dialect: Hl7v2) -> None:
    """PPR: state, onset, end and comments of a problem; the goal that addresses it."""
    found, codes = _third(
        dialect, "PPR^PC1", PERSON,
        "PRB|AD|20260301|E11.9^Diabetes^I10|PR1^STMARY|||20250101||||||C^Confirmed|A||20241201",
        "NTE|1||under control",
        "GOL|AD|20260301|G^HbA1c below 7|G1^STMARY|||20260301|20261231",
        "PRB|DE|20260301|J45^Asthma^I10|PR2^STMARY",
        "PRB|UP|20260301|A09^Gastroenteritis^I10|PR3^STMARY|||20260101||20260110",
    )  # fmt: skip

    diabetes, asthma, gastritis = found["Condition"]
    assert diabetes["clinicalStatus"]["coding"][0]["code"] == "active"
    assert diabetes["verificationStatus"]["coding"][0]["code"] == "confirmed"
    assert (diabetes["onsetDateTime"], diabetes["note"][0]["text"]) == (
        "2024-12-01",
        "under control",
    )
    assert "clinicalStatus" not in asthma
    assert gastritis["clinicalStatus"]["coding"][0]["code"] == "resolved"
    assert gastritis["abatementDateTime"] == "2026-01-10"
    (goal,) = found["Goal"]
    assert goal["addresses"] == [{"reference": f"Condition/{diabetes['id']}"}]
    assert (goal["lifecycleStatus"], goal["target"]) == ("active", [{"dueDate": "2026-12-31"}])
    assert codes == []


def test_role_for_a_problem_is_of_its_care_team_and_of_no_visit(dialect: Hl7v2) -> None:
    """ROL below PRB: each problem has a team, whose reason it is; the visit has its own people."""
    found, codes = _third(
        dialect, "PPR^PC1", PERSON, "PV1|1|I|W1||||7^House^Greg",
        "PRB|AD|20260301|E11.9^Diabetes^I10|PR1^STMARY", "ROL||AD|PI|8^Cut^Ann",
        "PRB|AD|20260301|J45^Asthma^I10|PR2^STMARY", "ROL||AD|PI|9^Wilson^Jim",
        "ROL||DE|PI|8^Cut^Ann",
    )  # fmt: skip

    assert len(found["Encounter"][0]["participant"]) == 1
    teams = [
        (
            one["reasonReference"][0]["reference"],
            [of["member"]["display"] for of in one["participant"]],
        )
        for one in found["CareTeam"]
    ]
    assert teams == [
        (f"Condition/{problem['id']}", [name])
        for problem, name in zip(found["Condition"], ("Ann Cut", "Jim Wilson"), strict=True)
    ]
    assert codes == []


def test_referral_knows_who_asks_and_who_is_asked(dialect: Hl7v2) -> None:
    """REF: PRD by its role; a provider without number is words."""
    found, codes = _third(
        dialect, "REF^I12", "RF1|A|R|MED||O|REF1^STMARY|20260201",
        "PRD|RP^Referring|House^Greg^^^Dr|Lane 1^^Bern||031 1^WPN^PH||1234567893^NPI|20200101",
        "PRD|RT|Cut^Ann", "PRD|PP|Wilson^James", "PRD|CP", PERSON,
    )  # fmt: skip

    (request,), (asks,) = found["ServiceRequest"], found["Practitioner"]
    assert request["requester"]["reference"] == f"Practitioner/{asks['id']}"
    assert asks["identifier"][0]["system"] == "http://hl7.org/fhir/sid/us-npi"
    assert asks["telecom"][0]["value"] == "031 1"
    assert request["performer"] == [{"display": "Ann Cut"}]
    assert request["supportingInfo"] == [{"display": "James Wilson"}]
    assert found["Patient"][0]["generalPractitioner"] == [{"display": "James Wilson"}]
    assert codes == []


def test_referral_without_its_own_segment_is_a_request_all_the_same(dialect: Hl7v2) -> None:
    """RF1 is optional: who asks whom about whom is one request, and called off by I14."""
    segments = ("PRD|RP|House^Greg", "PRD|RT|Cut^Ann", PERSON)

    (request,), (off,) = (
        _third(dialect, kind, *segments)[0]["ServiceRequest"] for kind in ("REF^I12", "REF^I14")
    )

    assert (request["requester"], request["performer"]) == (
        {"display": "Greg House"},
        [{"display": "Ann Cut"}],
    )
    assert (request["status"], off["status"]) == ("active", "revoked")
    assert request["subject"]["reference"].startswith("Patient/")


def test_comments_of_a_referral_are_notes_of_the_request(dialect: Hl7v2) -> None:
    """NTE at the end of REF, with what kind of comment it is."""
    found, codes = _third(
        dialect, "REF^I12", "RF1|A|R|MED|||REF1^STMARY", PERSON, "NTE|1||chest pain|^Reason"
    )

    (note,) = found["ServiceRequest"][0]["note"]
    assert note["text"] == "chest pain"
    assert note["extension"][0]["valueCodeableConcept"] == {"text": "Reason"}
    assert codes == []


def test_diagnosis_of_a_referral_is_its_reason(dialect: Hl7v2) -> None:
    """DG1 in REF says why the patient is sent."""
    found, _ = _third(
        dialect, "REF^I12", "RF1|A|R|MED|||REF1^STMARY", PERSON, "DG1|1||R07.4^Chest pain^I10"
    )

    (request,), (condition,) = found["ServiceRequest"], found["Condition"]
    assert request["reasonReference"] == [{"reference": f"Condition/{condition['id']}"}]


def test_referral_that_is_called_off_is_revoked(dialect: Hl7v2) -> None:
    """I14, although RF1-1 repeats that it was accepted."""
    found, _ = _third(dialect, "REF^I14", "RF1|A|R|MED|||REF1^STMARY", PERSON)

    assert found["ServiceRequest"][0]["status"] == "revoked"


def test_order_in_a_referral_is_one_with_its_observation(dialect: Hl7v2) -> None:
    """Senders put ORC in front of OBR, as in every other message."""
    found, codes = _third(
        dialect, "REF^I12", "RF1|A|R|MED|||REF1^STMARY", PERSON, "ORC|RE|O1", "OBR|1|O1||X^Letter"
    )

    assert [one["identifier"][0]["value"] for one in found["ServiceRequest"]] == ["REF1", "O1"]
    assert codes == []


def test_what_a_member_of_the_staff_does_is_a_role(dialect: Hl7v2) -> None:
    """STF and PRA: title, specialty, employer, service, since when; a licence is a number."""
    found, codes = _third(
        dialect, "MFN^M02", "MFI|PRA||UPD|||AL", "MFE|MAD|1|20260301|77|CE",
        "STF|77|77^^^STMARY^EI|House^Greg|||||C^Cardiology|MED^Medicine|||20200101||||||Chief",
        "PRA|77|G^Heart Group|MD||Cardiology^Board^C|9^NPI",
    )  # fmt: skip

    (person,), (work,) = found["Practitioner"], found["PractitionerRole"]
    assert [one["value"] for one in person["identifier"]] == ["77", "9"]
    assert work["practitioner"] == {"reference": f"Practitioner/{person['id']}"}
    assert work["organization"] == {"display": "Heart Group"}
    assert work["healthcareService"] == [{"display": "Medicine"}]
    assert [one["text"] for one in work["specialty"]] == ["Cardiology"]
    assert work["code"][0] == {"text": "Chief"}
    assert work["period"] == {"start": "2020-01-01"}
    assert codes == []


def test_master_file_of_staff_is_practitioners(dialect: Hl7v2) -> None:
    """MFN M02: the record that XCN refers to, else of its key; who left is not active."""
    found, _ = _third(
        dialect, "MFN^M02", "MFI|PRA||UPD|||AL", "MFE|MAD|1|20260301|77|CE",
        "STF|77|77^^^STMARY^EI|House^Greg||M|19590611|A|||555 1234^WPN^PH|1 Lane^^Bern||||h@x.y",
        "MFE|MDC|2|20260301|78|CE", 'STF|78|78^^^STMARY|Gone^Long||||A|||""',
        "MFE|MUP|3|20260301|79|CE", "STF|79||Nobody^At",
        "MFE|MUP|4|20260301|80|CE", "STF|80|80^^^STMARY|Away^Far||||I",
    )  # fmt: skip
    seen, _ = _third(dialect, "ADT^A01", PERSON, "PV1|1|I|||||77^House^Greg^^^^^^STMARY")

    house, gone, nobody, away = found["Practitioner"]
    assert (nobody["identifier"][0]["value"], nobody["name"][0]["family"]) == ("79", "Nobody")
    assert house["id"] == seen["Practitioner"][0]["id"]
    assert (house["gender"], house["birthDate"], house["active"]) == ("male", "1959-06-11", True)
    assert [one["system"] for one in house["telecom"]] == ["phone", "email"]
    assert (gone["active"], away["active"]) == (False, False)
