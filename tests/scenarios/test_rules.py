"""What messages do to what is stored: one invented patient, one rule a test. docs/adr/0009."""

from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2
from tests.scenarios.journey import Hospital, Resource

RICH = (
    "PID|1||100^^^STMARY^MR||Berg^Anna^Maria^^Dr^^L||19700305|F|||Lindenweg 4^^Bern^^3011^CH^H"
    "||0311234567^PRN^PH|0319876543^WPN^PH"
)
POOR = "PID|1||100^^^STMARY^MR||BERG^A^^^^^L||1970"
VISIT = "PV1|1|I|W1^101^1^STMARY||||7^House^Gregory^^^Dr|||MED|||||||||V1^^^STMARY|{}20240105"
ADMITTED = VISIT.format("|" * 24)
STATES = {"clinicalStatus", "verificationStatus"}
RESULT = ("ORC|RE|P1|F1", "OBR|1|P1|F1|24323-8^Panel^LN")


@pytest.fixture(scope="module")
def dialect() -> Hl7v2:
    """The base rules, compiled once."""
    return Hl7v2()


@pytest.fixture
def hospital(dialect: Hl7v2) -> Hospital:
    """Nothing stored yet."""
    return Hospital(dialect)


def obx(value: str, status: str, *, flag: str = "") -> str:
    """A potassium result."""
    return f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1|{flag}|||{status}"


def test_a_result_never_wipes_what_an_admission_said(hospital: Hospital) -> None:
    """A result's PID with less, or with other words, identifies the patient and changes nothing."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    before = hospital.one("Patient")

    hospital.send("ORU^R01", POOR, "PV1|1|I|ER", *RESULT, obx("4.0", "F"))
    hospital.send(
        "ORU^R01",
        "PID|1||100^^^STMARY^MR||Berger^Annie||19700306|M|||Other^^Basel",
        *RESULT,
        obx("4.1", "F"),
    )

    assert hospital.one("Patient") == before


def test_a_patient_known_from_results_alone_follows_the_newest(hospital: Hospital) -> None:
    """Until an admission states the patient he is provisional; then its word stands."""
    hospital.send("ORU^R01", "PID|1||100^^^STMARY^MR||Breg^Anna", *RESULT, obx("4.0", "P"))
    hospital.send("ORU^R01", "PID|1||100^^^STMARY^MR||Berg^Anna", *RESULT, obx("4.0", "F"))
    provisional = hospital.one("Patient")
    hospital.send("ADT^A08", "EVN|A08", RICH)
    sure = hospital.one("Patient")

    assert provisional["name"] == [{"family": "Berg", "given": ["Anna"]}]
    assert provisional["meta"]["tag"][0]["code"] == "provisional"
    assert sure["name"][0]["prefix"] == ["Dr"]
    assert "meta" not in sure


def test_a_poorer_update_leaves_the_richer_name_address_and_date(hospital: Hospital) -> None:
    """An update that says less of the same leaves it: an initial, a year, a city, capitals."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    before = hospital.one("Patient")

    hospital.send("ADT^A08", "EVN|A08", f"{POOR}|F|||^^BERN^^^^H||031 123 45 67^PRN^PH")

    assert hospital.one("Patient") == before


def test_an_update_that_says_something_else_replaces(hospital: Hospital) -> None:
    """A new family name, address and home telephone stand; the telephone at work stays."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send(
        "ADT^A08",
        "EVN|A08",
        "PID|1||100^^^STMARY^MR||Keller^Anna^^^^^L||19700305|F|||See 1^^Thun^^3600^CH^H"
        "||0330000^PRN^PH",
    )

    patient = hospital.one("Patient")
    assert patient["name"] == [{"family": "Keller", "given": ["Anna"], "use": "official"}]
    assert patient["address"][0]["city"] == "Thun"
    assert "3011" not in str(patient["address"])
    assert [(one["use"], one["value"]) for one in patient["telecom"]] == [
        ("home", "0330000"),
        ("work", "0319876543"),
    ]


@pytest.mark.parametrize(
    ("fields", "uses"),
    [
        ('||||||||""', ["work"]),
        ('||||||||""|""', []),
        ('|||||||||""', ["home"]),
    ],
    ids=["home", "both", "work"],
)
def test_two_quotes_delete_what_their_field_filled(
    hospital: Hospital, fields: str, uses: list[str]
) -> None:
    """PID-13 and PID-14 fill one list; each deletes its own."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send("ADT^A08", "EVN|A08", f"PID|1||100^^^STMARY^MR||{fields}")

    patient = hospital.one("Patient")
    assert [one["use"] for one in patient.get("telecom", [])] == uses
    assert patient["name"]


@pytest.mark.parametrize(
    ("pid", "path", "expected"),
    [
        ('||Berg^Anna^""^^Dr^^L', ("name", 0), {"given": ["Anna"], "prefix": ["Dr"]}),
        ('||||||||Lindenweg 4^^Bern^^""^CH^H', ("address", 0), {"city": "Bern", "country": "CH"}),
        ('||""^""^""', ("name",), None),
        ('||||||||""^""^""^""', ("address",), None),
        ('||||||||^^^^""^^H', ("address", 0), {"postalCode": "3011", "city": "Bern"}),
        ('||||||||||""^PRN^PH', ("telecom", 0), {"use": "work"}),
        ('||||||||||""~""', ("telecom", 0), {"use": "work"}),
        ('||||||||||""~0310000^PRN^PH', ("telecom", 0), {"value": "0310000", "use": "home"}),
    ],
    ids=[
        "middle-name", "postal-code", "all-of-a-name", "all-of-an-address", "one-part-alone",
        "typed-number", "all-repetitions", "one-repetition",
    ],
)  # fmt: skip
def test_two_quotes_in_a_part_delete_that_part(
    hospital: Hospital, pid: str, path: tuple[str | int, ...], expected: Resource | None
) -> None:
    """What is left of the value is the whole of it; where nothing is left, all goes."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send("ADT^A08", "EVN|A08", f"PID|1||100^^^STMARY^MR{pid}")

    at: Any = hospital.one("Patient")
    for step in path:
        at = at.get(step) if isinstance(step, str) else at[step]
    if expected is None:
        assert at is None
    else:
        assert expected.items() <= at.items()
        assert pid != '||||||||Lindenweg 4^^Bern^^""^CH^H' or "postalCode" not in at


def test_two_quotes_in_the_name_leave_the_former_name(hospital: Hospital) -> None:
    """PID-5 has no mark of its own: it deletes the names that are not those of PID-9."""
    hospital.send("ADT^A01", "EVN|A01", "PID|1||100^^^STMARY^MR||Berg^Anna||||Roth^Anna", ADMITTED)

    hospital.send("ADT^A08", "EVN|A08", 'PID|1||100^^^STMARY^MR||""')

    assert [name["family"] for name in hospital.one("Patient")["name"]] == ["Roth"]


def test_a_late_result_leaves_a_finished_visit_finished(hospital: Hospital) -> None:
    """The patient's class concludes that a visit is open; a discharge states that it is not."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.0", "P"))
    hospital.send("ADT^A03", "EVN|A03", RICH, ADMITTED + "|20240109")
    discharged = hospital.one("Encounter")

    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.0", "F"))
    hospital.send("ADT^A08", "EVN|A08", RICH, ADMITTED)

    visit = hospital.one("Encounter")
    assert (discharged["status"], visit["status"]) == ("finished", "finished")
    assert visit["period"] == {"start": "2024-01-05", "end": "2024-01-09"}


def test_a_visit_known_from_results_alone_stays_closed(hospital: Hospital) -> None:
    """Also where nobody stated the visit, a conclusion does not undo a stated end."""
    hospital.send("ORU^R01", RICH, ADMITTED + "|20240109", *RESULT, obx("4.0", "F"))
    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.1", "C"))

    assert hospital.one("Encounter")["status"] == "finished"


def test_a_cancelled_discharge_opens_the_visit_again(hospital: Hospital) -> None:
    """A13 takes the end, the disposition and the destination back."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    leaving = ADMITTED.split("|")
    leaving[36:38] = ["01", "HOME"]
    hospital.send("ADT^A03", "EVN|A03", RICH, "|".join(leaving) + "|20240109")

    hospital.send("ADT^A13", "EVN|A13", RICH, ADMITTED)

    visit = hospital.one("Encounter")
    assert (visit["status"], visit["period"]) == ("in-progress", {"start": "2024-01-05"})
    assert "hospitalization" not in visit


def test_a_cancelled_admission_stays_cancelled(hospital: Hospital) -> None:
    """A11 cancels the stored visit; what comes later and only concludes leaves it so."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send("ADT^A11", "EVN|A11", RICH, ADMITTED)
    hospital.send("ADT^A08", "EVN|A08", RICH, ADMITTED)

    assert hospital.one("Encounter")["status"] == "cancelled"


def test_a_transfer_and_its_cancel_say_where_the_patient_is(hospital: Hospital) -> None:
    """One place is active; a cancelled transfer leaves no trace in the present visit."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ADT^A02", "EVN|A02", RICH, ADMITTED.replace("W1^101^1", "W2^201^1"))
    moved = _places(hospital.one("Encounter"))

    hospital.send("ADT^A12", "EVN|A12", RICH, ADMITTED)

    assert moved == [("W1", "completed"), ("W2", "active")]
    assert _places(hospital.one("Encounter")) == [("W1", "active")]


def _places(visit: Resource) -> list[tuple[str, str]]:
    return [(one["location"]["display"][:2], one["status"]) for one in visit["location"]]


def test_a_correction_is_a_new_version_of_the_same_result(hospital: Hospital) -> None:
    """The corrected value takes the flag of the wrong one with it; the history keeps both."""
    hospital.send("ORU^R01", RICH, *RESULT, obx("6.9", "F", flag="HH"))
    hospital.send("ORU^R01", RICH, *RESULT, obx("4.9", "C"))

    result = hospital.one("Observation")
    assert result["valueQuantity"]["value"] == 4.9
    assert (result["status"], "interpretation" in result) == ("corrected", False)
    assert hospital.versions("Observation") == 2


def test_a_result_taken_back_is_in_error_and_stays_so(hospital: Hospital) -> None:
    """OBX-11 D or W retracts; a message that does not know the status leaves that."""
    hospital.send("ORU^R01", RICH, *RESULT, obx("6.9", "F"))
    hospital.send("ORU^R01", RICH, *RESULT, obx("6.9", "W"))
    hospital.send("ORU^R01", RICH, *RESULT, obx("6.9", ""))

    assert hospital.one("Observation")["status"] == "entered-in-error"
    assert len(hospital.one("DiagnosticReport")["result"]) == 1


def test_a_result_that_could_not_be_obtained_has_no_value(hospital: Hospital) -> None:
    """OBX-11 X takes the preliminary value: a value and its absence exclude each other (obs-6)."""
    hospital.send("ORU^R01", RICH, *RESULT, obx("4.0", "P"))
    hospital.send("ORU^R01", RICH, *RESULT, obx("", "X"))
    absent = hospital.one("Observation")
    hospital.send("ORU^R01", RICH, *RESULT, obx("4.2", "F"))

    assert "valueQuantity" not in absent
    assert "dataAbsentReason" in absent
    assert "dataAbsentReason" not in hospital.one("Observation")


def test_a_later_part_of_a_report_keeps_the_earlier_results(hospital: Hospital) -> None:
    """A report that arrives in parts holds all of them."""
    hospital.send("ORU^R01", RICH, *RESULT, obx("4.0", "F"))
    sodium = "OBX|1|NM|2951-2^Sodium^LN||140|mmol/L|||||F"

    hospital.send("ORU^R01", RICH, *RESULT, sodium)

    assert len(hospital.one("DiagnosticReport")["result"]) == 2


@pytest.mark.parametrize("control", ["CA", "DC", "OC"])
def test_a_cancelled_order_is_revoked(hospital: Hospital, control: str) -> None:
    """ORC-1 says what happens to the order, whatever state ORC-5 repeats."""
    hospital.send("ORM^O01", RICH, "ORC|NW|P1", "OBR|1|P1||24323-8^Panel^LN")

    hospital.send("ORM^O01", RICH, f"ORC|{control}|P1|||IP", "OBR|1|P1||24323-8^Panel^LN")

    assert hospital.one("ServiceRequest")["status"] == "revoked"


@pytest.mark.parametrize("control", ["CA", "DC", "OC", "CR", "OD"])
def test_a_cancel_without_detail_reaches_its_order(hospital: Hospital, control: str) -> None:
    """ORC alone names the order by its number; what was ordered stays."""
    hospital.send("ORM^O01", RICH, "ORC|NW|P1", "OBR|1|P1||24323-8^Panel^LN")

    hospital.send("ORM^O01", RICH, f"ORC|{control}|P1")

    order = hospital.one("ServiceRequest")
    assert (order["status"], order["code"]["text"]) == ("revoked", "Panel")


def test_a_stopped_prescription_keeps_its_drug(hospital: Hospital) -> None:
    """RDE with ORC alone: the order of that number stops, and nothing else of it changes."""
    hospital.send("RDE^O11", RICH, "ORC|NW|P5", "RXE||1191^Aspirin^RXNORM|81||mg")

    hospital.send("RDE^O11", RICH, "ORC|DC|P5")

    order = hospital.one("MedicationRequest")
    assert (order["status"], order["medicationCodeableConcept"]["text"]) == ("stopped", "Aspirin")
    assert order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 81


def test_a_result_completes_the_order_that_it_answers(hospital: Hospital) -> None:
    """One placer number is one order, although the laboratory codes the test otherwise."""
    hospital.send("ORM^O01", RICH, "ORC|NW|P1", "OBR|1|P1||CMP^Panel^L")

    hospital.send("ORU^R01", RICH, *RESULT, obx("4.0", "F"))

    order = hospital.one("ServiceRequest")
    assert order["status"] == "completed"
    assert {one["value"] for one in order["identifier"]} == {"P1", "F1"}


def test_tests_of_one_requisition_number_stay_apart(hospital: Hospital) -> None:
    """A laboratory that gives all tests one number has an order for each."""
    orders = ("ORC|NW|P1", "OBR|1|P1||A^First^L", "ORC|NW|P1", "OBR|2|P1||B^Second^L")

    hospital.send("ORM^O01", RICH, *orders)
    hospital.send("ORM^O01", RICH, *orders[2:], *orders[:2])

    codes = [one["code"]["text"] for one in hospital.all("ServiceRequest")]
    assert sorted(codes) == ["First", "Second"]


def test_a_later_susceptibility_joins_the_ones_of_its_organism(hospital: Hospital) -> None:
    """A panel that arrives in parts: the organism keeps the tests that it had."""
    culture = f"OBR|1|P1|F1|600-7^Culture^LN{'|' * 20}MB|P"
    organism = "OBX|1|CE|600-7^Culture^LN|1|1^E. coli^SCT||||||F"

    hospital.send("ORU^R01", RICH, culture, organism, "OBX|2|SN|28-1^Amp^LN|1|>^16|||R|||F")
    hospital.send("ORU^R01", RICH, culture, organism, "OBX|2|SN|185-9^Cip^LN|1|<^1|||S|||F")

    held = [one for one in hospital.all("Observation") if "hasMember" in one]
    assert [len(one["hasMember"]) for one in held] == [2]


def test_a_deleted_vaccination_is_in_error(hospital: Hospital) -> None:
    """RXA-21 D acts on the stored vaccination."""
    shot = "RXA|0|1|20240105||08^HepB^CVX|1|mL||00||||||L1|||||CP|{}"
    hospital.send("VXU^V04", RICH, "ORC|RE||F7", shot.format("A"))

    hospital.send("VXU^V04", RICH, "ORC|RE||F7", shot.format("D"))

    assert hospital.one("Immunization")["status"] == "entered-in-error"


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ("|N", "20240109|Y", {"deceasedDateTime": "2024-01-09"}),
        ("20240109|Y", "|Y", {"deceasedDateTime": "2024-01-09"}),
        ("20240109|Y", "|N", {"deceasedBoolean": False}),
    ],
    ids=["date-arrives", "less-precise", "taken-back"],
)
def test_death_is_said_once(
    hospital: Hospital, first: str, then: str, kept: dict[str, object]
) -> None:
    """A choice element holds one type: the newer one, unless it says less of the same."""
    for fields in (first, then):
        hospital.send("ADT^A08", "EVN|A08", f"PID|1||100^^^STMARY^MR||Berg^Anna{'|' * 24}{fields}")

    patient = hospital.one("Patient")
    assert {name: value for name, value in patient.items() if name.startswith("deceased")} == kept


def test_a_merge_links_both_ways_and_late_messages_find_the_retired(hospital: Hospital) -> None:
    """What arrives for the retired number stays with it; the link leads to the survivor."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ADT^A04", "EVN|A04", "PID|1||200^^^STMARY^MR||Berg^Anna")
    hospital.send("ADT^A40", "EVN|A40", RICH, "MRG|200^^^STMARY^MR")
    lanes = hospital.lanes
    hospital.send("ORU^R01", "PID|1||200^^^STMARY^MR||Berg^Anna", *RESULT, obx("4.0", "F"))

    survivor, retired = hospital.patient("100"), hospital.patient("200")
    assert (survivor["active"], retired["active"]) == (True, False)
    assert _link(survivor) == ("replaces", f"Patient/{retired['id']}")
    assert _link(retired) == ("replaced-by", f"Patient/{survivor['id']}")
    assert hospital.one("Observation")["subject"] == {"reference": f"Patient/{retired['id']}"}
    assert len(lanes) == 2
    assert hospital.lanes[0] in lanes


def test_a_merge_can_be_taken_back(hospital: Hospital) -> None:
    """A37 leaves two live records that neither replace nor are replaced."""
    hospital.send("ADT^A40", "EVN|A40", RICH, "MRG|200^^^STMARY^MR")

    hospital.send("ADT^A37", "EVN|A37", RICH, "PID|1||200^^^STMARY^MR||Berg^Anna")

    for patient in hospital.all("Patient"):
        assert patient["active"] is True
        assert "link" not in patient
    assert hospital.one("Linkage")["active"] is False


def test_a_merge_can_be_turned_round(hospital: Hospital) -> None:
    """Retired by mistake the wrong way round: the second merge decides who lives."""
    other = "PID|1||200^^^STMARY^MR||Berg^Anna"
    hospital.send("ADT^A40", "EVN|A40", RICH, "MRG|200^^^STMARY^MR")

    hospital.send("ADT^A40", "EVN|A40", other, "MRG|100^^^STMARY^MR")

    assert hospital.patient("200")["active"] is True
    assert hospital.patient("100")["active"] is False
    assert _link(hospital.patient("100"))[0] == "replaced-by"


def _link(patient: Resource) -> tuple[str, str]:
    (link,) = patient["link"]
    return link["type"], link["other"]["reference"]


def test_a_moved_visit_belongs_to_the_other_patient(hospital: Hospital) -> None:
    """A45 moves the visit; its number stays, its patient changes."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send(
        "ADT^A45",
        "EVN|A45",
        "PID|1||200^^^STMARY^MR||Berg^Berta",
        "MRG|100^^^STMARY^MR||||V1^^^STMARY",
        ADMITTED,
    )

    patient = hospital.patient("200")
    assert hospital.one("Encounter")["subject"] == {"reference": f"Patient/{patient['id']}"}


@pytest.mark.parametrize(("said", "taken_back"), [("A10", "A32"), ("A09", "A33")])
def test_an_arrival_that_is_cancelled_never_was(
    hospital: Hospital, said: str, taken_back: str
) -> None:
    """The patient is where PV1-3 says, and was never where he did not arrive."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    before = hospital.one("Encounter")["location"]

    hospital.send(f"ADT^{said}", f"EVN|{said}", RICH, ADMITTED.replace("W1^101", "XR^2"))
    hospital.send(f"ADT^{taken_back}", f"EVN|{taken_back}", RICH, ADMITTED)

    (now,) = [one for one in hospital.one("Encounter")["location"] if one["status"] == "active"]
    assert now["location"] == before[0]["location"]
    assert all("XR" not in str(one) for one in hospital.one("Encounter")["location"])


def test_a_number_that_moves_to_another_one_takes_everything_along(hospital: Hospital) -> None:
    """A43 with two numbers: the prior one is replaced by the other, and A37 takes it back."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send("ADT^A43", "EVN|A43", BERTA, "MRG|100^^^STMARY^MR")

    prior, other = hospital.patient("100"), hospital.patient("200")
    assert prior["link"] == [
        {"other": {"reference": f"Patient/{other['id']}"}, "type": "replaced-by"}
    ]
    assert other["link"][0]["type"] == "replaces"


BERTA = "PID|1||200^^^STMARY^MR||Berg^Berta"
MOVED = ("EVN|A45", BERTA, "MRG|100^^^STMARY^MR||||V1^^^STMARY", ADMITTED)


def owners(hospital: Hospital, *kinds: str) -> set[str]:
    """Whose the resources of these types are."""
    return {one["subject"]["reference"] for kind in kinds for one in hospital.all(kind)}


def test_what_was_filed_under_a_moved_visit_is_the_other_patients(hospital: Hospital) -> None:
    """A45: results, orders and diagnoses follow the visit; moved back they come back."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED, "DG1|1||J18.9^Pneumonia^I10|||A")
    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.0", "F"))
    kinds = ("Encounter", "Observation", "DiagnosticReport", "ServiceRequest", "Condition")
    before = owners(hospital, *kinds)

    hospital.send("ADT^A45", *MOVED)
    berta = f"Patient/{hospital.patient('200')['id']}"
    moved = owners(hospital, *kinds)
    hospital.send("ADT^A45", "EVN|A45", RICH, "MRG|200^^^STMARY^MR||||V1^^^STMARY", ADMITTED)

    assert (len(before), moved, owners(hospital, *kinds)) == (1, {berta}, before)


def test_what_a_moved_visit_does_not_hold_stays(hospital: Hospital) -> None:
    """Results of another visit, and what another patient's message filed there by mistake."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ORU^R01", RICH, "OBR|1|P9|F9|X", obx("4.0", "F"))
    third = RICH.replace("100^^^", "300^^^")
    hospital.send("ORU^R01", third, ADMITTED, "OBR|1|P8|F8|X", obx("4.0", "F"))
    before = [one["subject"] for one in hospital.all("Observation")]

    hospital.send("ADT^A45", *MOVED)

    assert [one["subject"] for one in hospital.all("Observation")] == before


def test_a_correction_of_a_result_that_moved_does_not_take_it_back(hospital: Hospital) -> None:
    """The laboratory still names the patient whose it was: the value changes, not the patient."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.0", "P"))
    hospital.send("ADT^A45", *MOVED)

    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.4", "C"))

    result = hospital.one("Observation")
    berta = f"Patient/{hospital.patient('200')['id']}"
    assert (result["subject"]["reference"], result["status"]) == (berta, "corrected")
    assert hospital.one("Encounter")["subject"]["reference"] == berta


@pytest.mark.parametrize("number", ["", f"{'|' * 13}A1^^^STMARY"], ids=["MRG-3", "PID-18-too"])
def test_a_moved_account_takes_its_visits_and_their_results_along(
    hospital: Hospital, number: str
) -> None:
    """A44: what was charged to it was the other patient's; PID-18 may repeat the number."""
    hospital.send("ADT^A01", "EVN|A01", f"{RICH}||||A1^^^STMARY", ADMITTED)
    hospital.send("ORU^R01", RICH, ADMITTED, *RESULT, obx("4.0", "F"))

    hospital.send("ADT^A44", "EVN|A44", BERTA + number, "MRG|100^^^STMARY^MR||A1^^^STMARY")

    berta = f"Patient/{hospital.patient('200')['id']}"
    assert hospital.one("Account")["subject"] == [{"reference": berta}]
    assert owners(hospital, "Encounter", "Observation", "DiagnosticReport") == {berta}


def test_an_appointment_number_used_again_mixes_no_two_patients(hospital: Hospital) -> None:
    """A clinic that counts its appointments from 1: what is booked for one is not the other's."""
    room = ("RGS|1", "AIL|1|A|R1", "AIP|1|A|7^House^Gregory")
    hospital.send("SIU^S12", "SCH|1|1|||||CHECKUP||30|MIN|^^^20240201090000+0100", RICH, *room)

    hospital.send("SIU^S12", "SCH|1|1|||||||||^^^20240301100000+0100", BERTA)

    appointment = hospital.one("Appointment")
    berta = f"Patient/{hospital.patient('200')['id']}"
    assert [one["actor"]["reference"] for one in appointment["participant"]] == [berta]
    assert "reasonCode" not in appointment
    assert appointment["start"] == "2024-03-01T10:00:00+01:00"


@pytest.mark.parametrize(
    ("times", "start", "end"),
    [
        ("^^^20240203100000+0100", "2024-02-03T10:00:00+01:00", None),
        ("^^^20240203", None, None),
        ("^^^20240201", "2024-02-01T09:00:00+01:00", "2024-02-01T09:30:00+01:00"),
        ("", "2024-02-01T09:00:00+01:00", "2024-02-01T09:30:00+01:00"),
    ],
    ids=["hour", "another-day", "the-same-day", "nothing"],
)
def test_a_postponed_appointment_does_not_end_when_it_did(
    hospital: Hospital, times: str, start: str | None, end: str | None
) -> None:
    """S13 that says when it starts and not when it ends; a day alone does not wipe the hour."""
    hospital.send("SIU^S12", "SCH|P1|F1|||||||||^^^20240201090000+0100^20240201093000+0100", RICH)

    hospital.send("SIU^S13", f"SCH|P1|F1|||||||||{times}", RICH)

    appointment = hospital.one("Appointment")
    assert (appointment.get("start"), appointment.get("end")) == (start, end)
    assert appointment["status"] == "booked"


def test_a_visit_number_used_again_mixes_no_two_patients(hospital: Hospital) -> None:
    """A department that counts its visits from 1: no part of one visit is in another's."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED, "PV2|||R10^Pain")

    hospital.send("ADT^A01", "EVN|A01", BERTA, "PV1|1|O|||||||||||||||||V1^^^STMARY")

    visit = hospital.one("Encounter")
    assert visit["subject"]["reference"] == f"Patient/{hospital.patient('200')['id']}"
    assert visit["class"]["code"] == "AMB"
    assert not {"participant", "location", "reasonCode", "serviceType"} & visit.keys()


def test_a_survivor_goes_on_with_the_visit_of_the_record_he_took_over(hospital: Hospital) -> None:
    """Merged in the middle of a stay: one visit, with all that was known of it."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    hospital.send("ADT^A40", "EVN|A40", BERTA, "MRG|100^^^STMARY^MR")

    hospital.send("ADT^A03", "EVN|A03", BERTA, "PV1|1|I|||||||||||||||||V1^^^STMARY")

    visit = hospital.one("Encounter")
    assert visit["subject"]["reference"] == f"Patient/{hospital.patient('200')['id']}"
    assert (visit["status"], "location" in visit) == ("finished", True)


def test_results_without_visit_number_share_the_visit_that_began_then(hospital: Hospital) -> None:
    """Patient and admission time stand for the number; another patient's visit is another."""
    unnumbered = ADMITTED.replace("V1^^^STMARY", "")
    other = RICH.replace("100^^^", "200^^^")
    for pid, value in ((RICH, "4.0"), (RICH, "4.1"), (other, "4.2")):
        hospital.send("ORU^R01", pid, unnumbered, *RESULT, obx(value, "F"))

    assert len(hospital.all("Encounter")) == 2


@pytest.mark.parametrize(
    ("order", "other"),
    [("{mr}~{ss}", "{ss}~{mr}"), ("{mr}", "{ss}~{mr}"), ("{pi}~{mr}", "{mr}")],
    ids=["turned-round", "number-in-front", "index-in-front"],
)
def test_the_order_of_the_identifiers_makes_no_other_patient(
    hospital: Hospital, order: str, other: str
) -> None:
    """The medical record number names the record, wherever it stands in PID-3."""
    numbers = {"mr": "100^^^STMARY^MR", "ss": "999-99^^^SSA^SS", "pi": "E1^^^MPI^PI"}

    for text in (order, other):
        hospital.send("ADT^A08", "EVN|A08", f"PID|1||{text.format(**numbers)}||Berg^Anna")

    found = {one["value"] for one in hospital.one("Patient")["identifier"]}
    assert "100" in found


def test_a_deleted_visit_is_in_error(hospital: Hospital) -> None:
    """A23 takes the visit back; it stays to be seen, and nobody lies in its bed."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)

    hospital.send("ADT^A23", "EVN|A23", RICH, ADMITTED)

    visit = hospital.one("Encounter")
    assert visit["status"] == "entered-in-error"
    assert [place["status"] for place in visit["location"]] == ["completed"]


def test_what_is_pending_is_planned_and_can_be_taken_back(hospital: Hospital) -> None:
    """A15 and A16 reserve a bed and plan an end; A25 and A26 take them back."""
    hospital.send("ADT^A01", "EVN|A01", RICH, ADMITTED)
    pending = VISIT.format("|" * 22 + "W9^1^1^STMARY||") + "|20240201"

    hospital.send("ADT^A15", "EVN|A15", RICH, pending)
    hospital.send("ADT^A16", "EVN|A16", RICH, pending)
    planned = hospital.one("Encounter")
    hospital.send("ADT^A25", "EVN|A25", RICH, pending)
    hospital.send("ADT^A26", "EVN|A26", RICH, pending)
    visit = hospital.one("Encounter")

    assert planned["status"] == visit["status"] == "in-progress"
    assert {place["status"] for place in planned["location"]} == {"active", "reserved"}
    assert planned["extension"][0]["valueDateTime"] == "2024-02-01"
    assert [place["status"] for place in visit["location"]] == ["active"]
    assert "extension" not in visit
    assert "end" not in visit["period"]


def test_a_cancelled_appointment_keeps_who_and_where_and_can_be_booked_again(
    hospital: Hospital,
) -> None:
    """S15 with SCH and PID alone; S12 again has no reason of a cancellation (R4 app-4)."""
    schedule = "SCH|P1|F1||||SICK|CHECKUP|NORMAL|30|MIN|^^^20240201090000^20240201093000"
    group = ("RGS|1|A", "AIL|1|A|R1^^^STMARY", "AIP|1|A|9^House^Greg|ATND")
    hospital.send("SIU^S12", schedule, RICH, *group)
    booked = hospital.one("Appointment")

    hospital.send("SIU^S15", schedule, RICH)
    cancelled = hospital.one("Appointment")
    hospital.send("SIU^S12", schedule, RICH, *group[:2])
    again = hospital.one("Appointment")

    assert cancelled["participant"] == booked["participant"]
    assert (cancelled["status"], again["status"]) == ("cancelled", "booked")
    assert cancelled["cancelationReason"]["coding"][0]["code"] == "SICK"
    assert "cancelationReason" not in again
    assert len(again["participant"]) == len(booked["participant"]) - 1


def test_a_deleted_allergy_is_in_error_and_may_come_back(hospital: Hospital) -> None:
    """IAM-6 D and A: what is in error has no clinical status (R4 ait-1, ait-2)."""
    states = []
    for action in "ADA":
        hospital.send(
            "ADT^A60", "EVN|A60", RICH, f"IAM|1|DA|PEN^Penicillin|SV|hives|{action}|A1^STMARY"
        )
        states.append(hospital.one("AllergyIntolerance").keys() & STATES)

    assert states == [{"clinicalStatus"}, {"verificationStatus"}, {"clinicalStatus"}]


def test_a_death_without_a_day_is_a_death(hospital: Hospital) -> None:
    """PID-30 says it where the date in PID-29 is none of the calendar."""
    dead = "PID|1||100^^^STMARY^MR||Berg^Anna" + "|" * 24 + "20230230|Y"

    hospital.send("ADT^A08", "EVN|A08", dead)

    assert hospital.one("Patient")["deceasedBoolean"] is True
