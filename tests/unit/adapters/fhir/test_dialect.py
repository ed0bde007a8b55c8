"""FHIR input becomes a canonical bundle that says what was sent, with ids and links in place."""

import json
import re
from pathlib import Path
from typing import cast

import pytest

from adapters.fhir.dialect import FhirDialect, convert, problems_in
from adapters.fhir.problems import InvalidResource
from bridge.core.errors import BridgeError, Fault
from bridge.core.record import canon
from bridge.core.record.bundle import Apply, CanonicalBundle, JsonObject
from bridge.core.record.merge import apply_bundle, references_touched

ANN = "urn:uuid:11111111-1111-4111-8111-111111111111"
PATIENT: dict[str, object] = {"resourceType": "Patient", "gender": "female"}
VITAL: dict[str, object] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "weight"},
    "subject": {"reference": ANN},
    "effectiveDateTime": "2026-01-02T03:04:05.000+00:00",
    "valueQuantity": {"value": 0.40},
}


def _raw(value: object) -> bytes:
    return json.dumps(value).encode().replace(b"0.4}", b"0.40}")


def _transaction(*entries: object, kind: str = "transaction") -> bytes:
    return _raw({"resourceType": "Bundle", "type": kind, "entry": entries})


def _post(body: dict[str, object], url: str = "") -> dict[str, object]:
    request = {"method": "POST", "url": body["resourceType"]}
    return {"resource": body, "request": request} | ({"fullUrl": url} if url else {})


def _entries(made: CanonicalBundle) -> list[JsonObject]:
    return cast("list[JsonObject]", cast("JsonObject", canon.parse(made.canonical))["entry"])


def test_references_follow_the_ids_that_are_given() -> None:
    """A created resource gets its id, and what referred to its fullUrl refers to it."""
    made = convert(_transaction(_post(PATIENT, ANN), _post(VITAL)), sender="lab")

    patient, vital = (cast("JsonObject", entry["resource"]) for entry in _entries(made))
    assert vital["subject"] == {"reference": f"Patient/{cast('str', patient['id'])}"}
    assert (made.apply, made.message_type) == (Apply.REQUESTS, "Bundle/transaction")


def test_numbers_and_times_stay_as_written() -> None:
    """0.40 is not 0.4, and +00:00 is not Z."""
    made = convert(_transaction(_post(PATIENT, ANN), _post(VITAL)), sender="lab")

    assert b'"value":0.40' in made.canonical
    assert b'"2026-01-02T03:04:05.000+00:00"' in made.canonical


def test_same_bytes_give_the_same_bundle_and_other_senders_other_ids() -> None:
    """Ids are a function of sender and bytes: two hospitals never meet in one by accident."""
    raw = _transaction(_post(PATIENT))

    assert convert(raw, sender="a") == convert(raw, sender="a")
    assert _entries(convert(raw, sender="a")) != _entries(convert(raw, sender="b"))


@pytest.mark.parametrize(
    ("body", "request_line"),
    [
        (PATIENT, {"method": "POST", "url": "Patient"}),
        (PATIENT | {"id": "a"}, {"method": "PUT", "url": "Patient/a"}),
    ],
    ids=["create", "update"],
)
def test_single_resource_is_a_transaction_of_one(
    body: dict[str, object], request_line: dict[str, str]
) -> None:
    """With an id it is put there; without one it is created."""
    made = convert(_raw(body), sender="lab")

    assert _entries(made)[0]["request"] == request_line
    assert made.message_type == "Patient"


def test_lane_is_the_patient_wherever_it_is_named() -> None:
    """A vital sign of a stored patient waits for the records of that patient."""
    vital = VITAL | {"subject": {"reference": "Patient/a"}}

    by_reference = convert(_raw(vital), sender="lab").lanes
    by_itself = convert(_raw(PATIENT | {"id": "a"}), sender="other").lanes

    assert by_reference == by_itself


def test_message_is_known_by_its_header() -> None:
    """Control id is the identifier of the bundle, else the id of the header."""
    header = {
        "resourceType": "MessageHeader",
        "id": "msg-1",
        "eventUri": "urn:event",
        "source": {"endpoint": "urn:a"},
    }
    raw = _transaction({"resource": header, "fullUrl": "urn:oid:1.2"}, kind="message")

    made = convert(raw, sender="lab")

    assert (made.control_id, made.message_type) == ("msg-1", "Bundle/message")
    assert FhirDialect().envelope(raw, sender="lab").control_id == "msg-1"


def test_envelope_of_rubbish_is_empty() -> None:
    """Quarantine needs a name for everything."""
    envelope = FhirDialect().envelope(b"{", sender="lab")

    assert (envelope.sender, envelope.message_type, envelope.control_id) == ("lab", "", "")


@pytest.mark.parametrize(
    ("entry", "where", "words"),
    [
        (
            {"request": {"method": "PATCH", "url": "Patient/a"}},
            "Bundle.entry[0].request.method",
            "DELETE here, and nothing else",
        ),
        (
            {"request": {"method": "PUT", "url": "Patient/b"}, "resource": PATIENT | {"id": "a"}},
            "Bundle.entry[0].request.url",
            "request and resource name two ids",
        ),
        (
            {"request": {"method": "POST", "url": "Group"}, "resource": PATIENT},
            "Bundle.entry[0].request.url",
            "request and resource name two types",
        ),
        ({"request": {"method": "POST", "url": "Patient"}}, "Bundle.entry[0].request.method", ""),
        (
            {"request": {"method": "DELETE", "url": "Patient"}},
            "Bundle.entry[0].request.url",
            "PUT and DELETE name Type/id",
        ),
        ({"resource": PATIENT}, "Bundle.entry[0].request", "has a request in every entry"),
        (_post(VITAL), "Bundle.entry[0].resource.subject.reference", "no entry of the bundle"),
    ],
    ids=["patch", "two-ids", "two-types", "no-body", "delete-type", "no-request", "dangling"],
)
def test_request_that_cannot_be_done_is_refused(entry: object, where: str, words: str) -> None:
    """A transaction is all or nothing, so it is understood whole first."""
    with pytest.raises(InvalidResource) as refused:
        convert(_transaction(entry), sender="lab")

    assert (refused.value.where, refused.value.fault) == (where, Fault.SENDER)
    assert words in refused.value.what


def test_one_resource_named_twice_is_refused() -> None:
    """Which of two statements holds must not depend on their order."""
    entry = {"request": {"method": "DELETE", "url": "Patient/a"}}

    with pytest.raises(InvalidResource, match=r"named twice \(Bundle.entry\[1\].request.url\)"):
        convert(_transaction(entry, entry), sender="lab")


def test_bundle_that_states_nothing_is_refused() -> None:
    """An answer is no input."""
    raw = _raw({"resourceType": "Bundle", "type": "batch-response"})

    with pytest.raises(InvalidResource, match="states nothing to store"):
        convert(raw, sender="lab")


def test_every_problem_is_told_with_its_place() -> None:
    """One answer names all there is to mend, and no content."""
    raw = _raw({"resourceType": "Patient", "gender": "f", "birthdate": "1970", "active": "Secret"})

    with pytest.raises(InvalidResource) as refused:
        convert(raw, sender="lab")

    assert [(p.code, p.where) for p in refused.value.problems] == [
        ("code-unknown", "Patient.gender"),
        ("element-unknown", "Patient.birthdate"),
        ("value-form", "Patient.active"),
    ]
    assert "Secret" not in str(refused.value.problems)


def test_conditions_are_kept_for_the_store() -> None:
    """Only who holds the store can answer a condition."""
    entry = _post(PATIENT)
    cast("dict[str, str]", entry["request"])["ifNoneExist"] = "identifier=urn:a|1"

    made = convert(_transaction(entry), sender="lab")

    assert cast("JsonObject", _entries(made)[0]["request"])["ifNoneExist"] == "identifier=urn:a|1"


def test_synthea_transactions_are_accepted_and_applied(shared: Path) -> None:
    """Every resource of a real bundle arrives, each number and time as it was written."""
    for path in sorted((shared / "fhir-samples/synthea-r4-transactions").glob("*.json"))[:4]:
        raw = path.read_bytes()

        made = convert(raw, sender="synthea")

        bundle = cast("JsonObject", canon.parse(made.canonical))
        entries = cast("list[JsonObject]", bundle["entry"])
        changes = apply_bundle(bundle, made.apply, {})
        assert len(changes) == len(entries) == len(references_touched(bundle, made.apply))
        assert b'"reference":"urn:uuid:' not in made.canonical
        assert _literals(raw) == _literals(made.canonical)


def _literals(raw: bytes) -> list[bytes]:
    """Decimals and times as they stand in the bytes, sorted."""
    return sorted(re.findall(rb"-?\d+\.\d+(?:[eE]-?\d+)?|\d{4}-\d\d-\d\d(?:T[^\"]+)?", raw))


def test_published_examples_are_valid(shared: Path) -> None:
    """US Core and IHE examples pass, but for the two that are wrong at their source."""
    known = {"diagnosticreport-cbc.json", "Binary-B-ink.json"}
    for folder in ("us-core-9-examples", "ihe-balp", "ihe-pcf"):
        for path in sorted((shared / "fhir-samples" / folder).glob("*.json")):
            raw = path.read_bytes()
            if b'"resourceType"' in raw:
                assert bool(problems_in(raw)) == (path.name in known), path.name


def test_bundle_of_too_many_entries_is_refused_before_it_is_read() -> None:
    """A bundle is bounded by count as well as by size."""
    raw = b'{"resourceType":"Bundle","type":"batch","entry":[' + b"1," * 50_000 + b"1]}"

    with pytest.raises(BridgeError, match="over 50,000 entries"):
        convert(raw, sender="lab")


def test_bundle_in_a_parameter_keeps_its_own_links() -> None:
    """A document handed over in Parameters refers to its own entries, and is left as it is."""
    document = json.loads(_transaction({"fullUrl": ANN, "resource": VITAL}, kind="collection"))
    document["entry"].append({"fullUrl": ANN.replace("1", "2"), "resource": VITAL})
    handed = {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": document}]}

    made = convert(_raw(handed), sender="lab")

    assert ANN.encode() in made.canonical


def _version(number: str, written: str, family: str) -> dict[str, object]:
    meta = {"versionId": number, "lastUpdated": written}
    body = {"resourceType": "Patient", "id": "1", "meta": meta, "name": [{"family": family}]}
    return {"fullUrl": "http://a.example/Patient/1", "resource": body}


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_two_versions_the_newest_is_what_stands(newest_first: bool) -> None:  # noqa: FBT001
    """A document may hold both, in any order: the later statement is applied last."""
    entries = [
        _version("9", "2026-01-02T00:00:00+02:00", "old"),
        _version("10", "2026-01-01T23:00:00Z", "new"),
    ]
    raw = _transaction(*entries[:: -1 if newest_first else 1], kind="collection")

    made = convert(raw, sender="lab")

    told = cast("JsonObject", canon.parse(made.canonical))
    (change,) = apply_bundle(told, made.apply, dict.fromkeys(references_touched(told, made.apply)))
    assert change.body is not None
    assert change.body["name"] == [{"family": "new"}]


def test_one_version_stated_twice_is_refused() -> None:
    """Which of the two is meant cannot be known."""
    raw = _transaction(
        {"resource": PATIENT | {"id": "1"}}, {"resource": PATIENT | {"id": "1"}}, kind="collection"
    )

    with pytest.raises(InvalidResource, match="another entry states this resource"):
        convert(raw, sender="lab")


def test_what_a_server_says_of_its_search_is_not_stored() -> None:
    """A page that is pulled may bring words about the page."""
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "value"}]}
    raw = _transaction(
        {"resource": PATIENT | {"id": "1"}, "search": {"mode": "match"}},
        {"resource": said, "search": {"mode": "outcome"}},
        kind="searchset",
    )

    (entry,) = _entries(convert(raw, sender="lab"))

    assert cast("JsonObject", entry["resource"])["resourceType"] == "Patient"
