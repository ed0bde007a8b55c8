"""What users of other converters complain of, each as a test; and the frame of the bundle."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hl7v2.dialect import Hl7v2, Options
from adapters.hl7v2.overlays import parse_profile
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.core.record.bundle import Apply, Finding, Severity

Build = Callable[..., bytes]
Convert = Callable[[bytes], dict[str, list[dict[str, Any]]]]
Codes = Callable[[bytes], list[tuple[str, str]]]


def test_obx_after_spm_gives_an_observation_of_that_specimen(
    message: Build, convert: Convert
) -> None:
    """An OBX behind SPM is an Observation that names the specimen, not a silent loss."""
    raw = message(
        "ORU^R01^ORU_R01",
        "OBR|1|P1|F1|600-7^Culture^LN|||20240101|||||||||||||||||||F",
        "SPM|1|^S1||BLD",
        "OBX|1|ST|1234^Odour^L||foul||||||F",
    )

    found = convert(raw)

    specimen = found["Specimen"][0]["id"]
    assert found["Observation"][0]["specimen"] == {"reference": f"Specimen/{specimen}"}
    assert len(found["DiagnosticReport"][0]["result"]) == 1


def test_orc_without_obr_does_not_vanish(message: Build, convert: Convert) -> None:
    """An order without detail is still a ServiceRequest."""
    raw = message("ORM^O01^ORM_O01", "ORC|NW|P77^EPIC")

    found = convert(raw)

    assert found["ServiceRequest"][0]["identifier"][0]["value"] == "P77"
    assert found["ServiceRequest"][0]["status"] == "active"


def test_segment_without_map_is_reported(message: Build, codes: Codes) -> None:
    """A segment that no map reads is named, with its occurrence."""
    raw = message("ADT^A01^ADT_A01", "ZPI|1|x", "ZPI|2|y")

    found = codes(raw)

    assert ("segment-unmapped", "ZPI") in found
    assert ("segment-unmapped", "ZPI[2]") in found


def test_each_obr_gets_its_own_orc(message: Build, convert: Convert) -> None:
    """Repeating ORC and OBR pair up; the second OBR never gets the first ORC."""
    raw = message(
        "ORU^R01^ORU_R01",
        "ORC|RE|P1|F1||||||20240101080000+0100",
        "OBR|1|P1|F1|A^First^L",
        "NTE|1||about the first",
        "OBX|1|NM|1^a^L||1|||||||F",
        "NTE|1||about the value",
        "ORC|RE|P2|F2",
        "OBR|2|P2|F2|B^Second^L",
        "OBX|1|NM|1^a^L||2|||||||F",
    )

    found = convert(raw)

    orders = {made["code"]["coding"][0]["code"]: made for made in found["ServiceRequest"]}
    assert [one["value"] for one in orders["A"]["identifier"]] == ["P1", "F1"]
    assert [one["value"] for one in orders["B"]["identifier"]] == ["P2", "F2"]
    assert orders["A"]["note"][0]["text"] == "about the first"
    assert found["Observation"][0]["note"][0]["text"] == "about the value"
    assert "note" not in found["Observation"][1]
    reports = found["DiagnosticReport"]
    assert [made["result"][0]["reference"] for made in reports] == [
        f"Observation/{made['id']}" for made in found["Observation"]
    ]


def test_missing_zone_never_makes_an_invalid_datetime(codes: Codes, convert: Convert) -> None:
    """Without offset anywhere a time is cut to its date, and that is said."""
    raw = (
        b"MSH|^~\\&|A|B|C|D|20240102080000||ADT^A01|1|P|2.3\r"
        b"PID|1||1^^^H\rPV1|1|I|||||||||||||||||V1|||||||||||||||||||||||||20240101120000\r"
    )

    start = convert(raw)["Encounter"][0]["period"]["start"]

    assert start == "2024-01-01"
    assert ("zone-missing", "PV1-44") in codes(raw)


def test_offset_of_msh7_holds_for_times_without_offset(message: Build, convert: Convert) -> None:
    """A time without offset takes that of MSH-7, never the host's."""
    raw = message("ADT^A01^ADT_A01", "PV1|1|I" + "|" * 42 + "20240101120000")

    assert convert(raw)["Encounter"][0]["period"]["start"] == "2024-01-01T12:00:00+01:00"


def test_same_mrn_at_two_facilities_is_two_patients(dialect: Hl7v2) -> None:
    """A number without authority belongs to the facility that sent it."""
    template = "MSH|^~\\&|A|{0}|||20240101||ADT^A08|1|P|2.5\rPID|1||123\r"

    north = dialect.convert(template.format("NORTH").encode(), sender="")
    south = dialect.convert(template.format("SOUTH").encode(), sender="")

    assert north.lanes != south.lanes


def test_required_status_is_never_missing(message: Build, convert: Convert) -> None:
    """Without OBX-11, OBR-25 or PV1-2 the status is unknown, so servers accept the resource."""
    raw = message("ORU^R01^ORU_R01", "PV1|1||W1", "OBR|1|||X^x^L", "OBX|1|ST|1^a^L||v")

    found = convert(raw)

    assert [found[kind][0]["status"] for kind in ("Encounter", "DiagnosticReport", "Observation")
            ] == ["unknown", "unknown", "unknown"]  # fmt: skip


def test_escapes_become_characters_and_json_stays_whole(message: Build, convert: Convert) -> None:
    r"""`\F\ \S\ \T\ \R\ \E\ \.br\ \X0A\` become what they stand for; quotes do not break JSON."""
    text = r"a\F\b\S\c\T\d\R\e\E\f\.br\g\X41\ "
    raw = message("ORU^R01^ORU_R01", "OBR|1|||X", f'OBX|1|ST|1^a^L||{text}"q"')

    assert convert(raw)["Observation"][0]["valueString"] == 'a|b^c&d~e\\f\ngA "q"'


def test_charset_of_msh18_decides(convert: Convert) -> None:
    """8859/1 in MSH-18 is latin-1 also where the bytes would be odd UTF-8."""
    raw = "MSH|^~\\&|A|B|||20240101||ADT^A08|1|P|2.5||||||8859/1\rPID|1||1||Müller^Zoë\r"

    name = convert(raw.encode("latin-1"))["Patient"][0]["name"][0]

    assert (name["family"], name["given"]) == ("Müller", ["Zoë"])


def test_findings_name_segment_and_field(message: Build, codes: Codes) -> None:
    """Whoever reads a finding knows where to look."""
    raw = message("ORU^R01^ORU_R01", "OBR|1|||X", "OBX|1|ST|1||a", "OBX|2|NM|2||not a number")

    assert ("number-invalid", "OBX[2]-5") in codes(raw)


def test_finding_about_another_segment_does_not_count_this_one(
    message: Build, codes: Codes
) -> None:
    """OBR-22 that the second OBX looks at is not OBR[2]-22: there is one OBR."""
    obr = f"OBR|1||F|X{'|' * 18}20240101"
    raw = message("ORU^R01", obr, "OBX|1|ST|1||a||||||F", "OBX|2|ST|2||b||||||F")

    assert {where for _, where in codes(raw)} == {"OBR-22"}


def test_delete_marker_becomes_a_patch_operation(message: Build, convert: Convert) -> None:
    """`""` deletes, empty says nothing: the change set carries it beside the snapshot."""
    raw = message(
        "ADT^A08^ADT_A01", patient='PID|1||MRN1^^^STMARY^MR||Everyman^Adam||""|M||||||||""\r'
    )

    found = convert(raw)

    patient = found["Patient"][0]
    assert "birthDate" not in patient
    operations = [
        {part["name"]: part.get("valueString", part.get("valueCode")) for part in one["part"]}
        for one in found["Parameters"][0]["parameter"]
    ]
    assert operations == [
        {"target": f"Patient/{patient['id']}", "type": "delete", "path": path}
        for path in ("Patient.birthDate", "Patient.maritalStatus")
    ]


def test_cancelled_discharge_retracts_the_stored_end(message: Build, convert: Convert) -> None:
    """A13 opens the visit again and deletes its end."""
    raw = message("ADT^A13^ADT_A01", "PV1|1|I" + "|" * 17 + "V1" + "|" * 26 + "20240105")

    found = convert(raw)

    assert found["Encounter"][0]["status"] == "in-progress"
    assert "end" not in found["Encounter"][0].get("period", {})
    paths = [one["part"][2]["valueString"] for one in found["Parameters"][0]["parameter"]]
    assert "Encounter.period.end" in paths


def test_merge_links_both_patients_and_holds_both_lanes(
    message: Build, convert: Convert, dialect: Hl7v2
) -> None:
    """A40: the retired patient is inactive and each points to the other."""
    raw = message("ADT^A40^ADT_A39", "MRG|OLD9^^^STMARY^MR")

    found = convert(raw)

    survivor, retired = found["Patient"]
    assert retired["active"] is False
    assert retired["link"] == [
        {"other": {"reference": f"Patient/{survivor['id']}"}, "type": "replaced-by"}
    ]
    assert survivor["link"] == [
        {"other": {"reference": f"Patient/{retired['id']}"}, "type": "replaces"}
    ]
    assert len(dialect.convert(raw, sender="").lanes) == 2


def test_person_without_identifier_is_words(message: Build, convert: Convert) -> None:
    """A name alone becomes a display; an identifier makes a resource."""
    raw = message("ADT^A01^ADT_A01", "PV1|1|I|||||^House^Gregory|77^Cuddy^Lisa^^^^^^STMARY")

    found = convert(raw)

    first, second = (one["individual"] for one in found["Encounter"][0]["participant"])
    assert "reference" not in first
    assert "House" in first["display"]
    assert second["reference"] == f"Practitioner/{found['Practitioner'][0]['id']}"


def test_retracted_result_is_entered_in_error(message: Build, convert: Convert) -> None:
    """OBX-11 W takes the result back; X and N say why there is none."""
    rows = [f"OBX|{n}|ST|{n}^x^L||v||||||{code}" for n, code in enumerate("DWXN", 1)]
    raw = message("ORU^R01^ORU_R01", "OBR|1||F1|X", *rows)

    found = convert(raw)["Observation"]

    assert [made["status"] for made in found[:2]] == ["entered-in-error"] * 2
    reasons = [made["dataAbsentReason"]["coding"][0]["code"] for made in found[2:]]
    assert reasons == ["not-performed", "not-asked"]


def test_report_lines_are_one_value(message: Build, convert: Convert) -> None:
    """Runs of TX with one code join by newline; another code starts anew."""
    raw = message(
        "ORU^R01^ORU_R01", "OBR|1||F1|X",
        "OBX|1|TX|R^Report^L||first line||||||F", "OBX|2|TX|R^Report^L||||||||F",
        "OBX|3|TX|R^Report^L||third line||||||F", "OBX|4|TX|S^Other^L||alone||||||F",
    )  # fmt: skip

    found = convert(raw)["Observation"]

    assert [made["valueString"] for made in found] == ["first line\n\nthird line", "alone"]


@pytest.mark.parametrize(
    ("kind", "segments", "status", "event"),
    [
        ("ADT", ("EVN|A03",), "finished", "A03"),
        ("ADT", ("EVN| A11 ^x",), "cancelled", "A11"),
        ("^A03", (), "in-progress", "A03"),
        ("^A03^ADT_A03", (), "finished", "A03"),
        ("ADT", (), "in-progress", "ADT"),
        ("ADT", ("EVN",), "in-progress", "ADT"),
    ],
    ids=["v21", "v21-with-blanks", "no-type", "structure-alone", "nothing", "empty-event"],
)
def test_event_is_inferred_where_msh9_leaves_it_out(
    message: Build,
    convert: Convert,
    kind: str,
    segments: tuple[str, ...],
    *,
    status: str,
    event: str,
) -> None:
    """v2.1 has the event in EVN-1, and some senders name the structure alone."""
    found = convert(message(kind, *segments, "PV1|1|I"))

    assert found["Encounter"][0]["status"] == status
    assert found["MessageHeader"][0]["eventCoding"]["code"] == event


def test_unknown_trigger_is_kept_and_marked(message: Build, codes: Codes, convert: Convert) -> None:
    """Anything else is accepted, its known segments converted."""
    raw = message("ZZZ^Z99", "PV1|1|O")

    assert ("unmapped-trigger", "MSH-9") in codes(raw)
    assert convert(raw)["Encounter"][0]["class"]["code"] == "AMB"


def test_bundle_names_its_source_and_mapping(dialect: Hl7v2, message: Build) -> None:
    """Provenance holds both digests, and is of every resource."""
    raw = message("ADT^A01^ADT_A01", "PV1|1|I")

    made = dialect.convert(raw, sender="")

    bundle = json.loads(made.canonical)
    first, last = (bundle["entry"][at]["resource"] for at in (0, -1))
    assert (bundle["type"], first["resourceType"]) == ("message", "MessageHeader")
    assert [one["what"]["identifier"]["value"] for one in last["entity"]] == [
        f"urn:sha256:{sha256(raw).hex()}", f"urn:sha256:{made.mapping.hex()}"
    ]  # fmt: skip
    assert len(last["target"]) == len(bundle["entry"]) - 1
    assert (made.apply, made.control_id) == (Apply.MERGE, "C1")


def test_same_bytes_give_the_same_bundle_whatever_came_before(message: Build) -> None:
    """What is remembered of earlier messages changes nothing."""
    raw = message("ADT^A01^ADT_A01", "PV1|1|Q|W^1^2||||7^Cuddy^Lisa|||||||||||V1")
    other = message("ORU^R01", "OBR|1||F1|X^y^Z|||||||||||||7^Cuddy^Lisa^^^^^^X", "OBX|1|CE|1||Q")
    fresh = Hl7v2()
    used = Hl7v2()
    used.convert(other, sender="")
    first = used.convert(raw, sender="")

    again = used.convert(raw, sender="")

    assert fresh.convert(raw, sender="") == first == again


def test_message_without_type_is_refused_with_its_place(dialect: Hl7v2) -> None:
    """A refusal names field and byte."""
    with pytest.raises(BridgeError, match=r"MSH-9 is empty \(MSH-9, byte \d+\) - send") as caught:
        dialect.convert(b"MSH|^~\\&|A|B|||20240101|||1|P|2.5\r", sender="")

    assert caught.value.fault is Fault.SENDER


def test_envelope_never_raises(dialect: Hl7v2) -> None:
    """Quarantine and duplicates need a name for anything."""
    made = [dialect.envelope(raw, sender="s") for raw in (b"", b"MSH", b"MSH|^~\\&|A|B", b"\xff")]

    assert [one.sender for one in made] == ["s", "s", "A/B", "s"]


def test_bundle_that_is_no_r4_is_refused_where_somebody_asks() -> None:
    """By the node, or by the sender's profile, which has the last word; with code and place."""
    finding = Finding(code="value-type", severity=Severity.ERROR, where="Bundle.entry[1]", text="x")
    hint = Finding(code="hint", severity=Severity.WARNING, where="Bundle", text="y")
    raw = b"MSH|^~\\&|LABX|X|||2024||ADT^A08|1|P|2.5\rPID|1||1\r"
    said = {True: "validate_bundles = true", False: "validate_bundles = false", None: ""}

    def convert(*judged: Finding, node: bool, sender: bool | None) -> None:
        profile = parse_profile("labx", f'match = {{ "MSH-3" = "LABX" }}\n{said[sender]}')
        options = Options(judge=lambda _: judged, validate_bundles=node)
        Hl7v2((profile,), options).convert(raw, sender="")

    refused = r"a bundle that is no valid R4: value-type, 1 in all \(Bundle.entry\[1\]\)"
    with pytest.raises(BridgeError, match=refused):
        convert(finding, hint, node=True, sender=None)
    with pytest.raises(BridgeError, match=refused):
        convert(finding, node=False, sender=True)
    convert(finding, node=True, sender=False)
    convert(finding, node=False, sender=None)
    convert(hint, node=True, sender=None)


def test_bundle_beyond_the_bound_is_refused_with_its_size() -> None:
    """The message waits in quarantine; what was accepted under another bound is made again."""
    raw = b"MSH|^~\\&|LABX|X|||2024||ADT^A08|1|P|2.5\rPID|1||1\r"
    size = len(Hl7v2().convert(raw, sender="").canonical)

    Hl7v2(options=Options(max_bundle_bytes=size)).convert(raw, sender="")
    with pytest.raises(BridgeError, match=rf"a bundle of {size:,} bytes, over 1,000 \(message\)"):
        Hl7v2(options=Options(max_bundle_bytes=1_000)).convert(raw, sender="")
