"""What a bundle leaves to be looked up, and what it then says."""

import copy
from typing import cast

import pytest

from bridge.core.errors import BridgeError
from bridge.core.record.bundle import Apply, Json, JsonObject
from bridge.core.record.conditional import Condition, conditions, resolved
from bridge.core.record.merge import Change, ResourceRef, apply_bundle

ANN = Condition("Patient", "identifier=urn:a|1")
PATIENT: JsonObject = {"resourceType": "Patient", "id": "new"}


def _bundle(*entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "entry": cast("list[Json]", list(entries))}


def _entry(method: str, url: str, body: JsonObject | None = None, **more: str) -> JsonObject:
    entry: JsonObject = {"request": {"method": method, "url": url, **more}}
    return entry if body is None else entry | {"resource": body}


def _visit(reference: str) -> JsonObject:
    body: JsonObject = {"resourceType": "Encounter", "id": "e", "subject": {"reference": reference}}
    return _entry("POST", "Encounter", body)


def test_create_that_somebody_meets_leads_to_him() -> None:
    """A conditional create of what exists creates nothing, and its references lead there."""
    create = _entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:a|1")
    bundle = _bundle(create, _visit("Patient/new"))
    before = copy.deepcopy(bundle)

    answered = resolved(bundle, {ANN: ("old",)})

    assert conditions(bundle) == (ANN,)
    assert answered["entry"] == [_visit("Patient/old")]
    assert bundle == before


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("identifier=a|1", "identifier=a|1"),
        ("?identifier=a|1", "identifier=a|1"),
        ("Patient?identifier=a|1", "identifier=a|1"),
        ("https://here/fhir/Patient?identifier=a|1", "identifier=a|1"),
        ("Group?identifier=a|1", "Group?identifier=a|1"),
        ("identifier=http://h/Patient?a|1", "identifier=http://h/Patient?a|1"),
    ],
)
def test_condition_of_a_create_is_what_its_url_asks(text: str, query: str) -> None:
    """Clients that send the whole URL mean its query; of another type it is none that is known."""
    create = _entry("POST", "Patient", PATIENT, ifNoneExist=text)

    assert conditions(_bundle(create)) == (Condition("Patient", query),)


def test_create_that_nobody_meets_creates() -> None:
    """Then the request is a plain one."""
    bundle = _bundle(_entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:a|1"))

    answered = resolved(bundle, {})

    assert apply_bundle(answered, Apply.REQUESTS, {}) == (
        Change(ref=ResourceRef("Patient", "new"), body=PATIENT),
    )


def test_update_takes_the_id_of_what_it_met() -> None:
    """A conditional update names the stored resource from then on."""
    bundle = _bundle(_entry("PUT", "Patient?identifier=urn:a|1", PATIENT))

    answered = resolved(bundle, {ANN: ("old",)})

    assert answered["entry"] == [_entry("PUT", "Patient/old", PATIENT | {"id": "old"})]


def test_delete_that_meets_nothing_is_gone() -> None:
    """Deleting what is not there is done already."""
    bundle = _bundle(_entry("DELETE", "Patient?identifier=urn:a|1"))

    assert resolved(bundle, {}) == {"resourceType": "Bundle"}
    assert resolved(bundle, {ANN: ("old",)})["entry"] == [_entry("DELETE", "Patient/old")]


def test_reference_by_condition_is_looked_up() -> None:
    """`Patient?identifier=` in a reference becomes the literal one."""
    bundle = _bundle(_visit("Patient?identifier=urn:a|1"))

    assert conditions(bundle) == (ANN,)
    assert resolved(bundle, {ANN: ("old",)})["entry"] == [_visit("Patient/old")]


def test_condition_that_several_meet_is_refused() -> None:
    """Which one was meant cannot be guessed."""
    bundle = _bundle(_entry("DELETE", "Patient?identifier=urn:a|1"))

    with pytest.raises(BridgeError, match=r"2 resources meet the condition \(Bundle.entry\[0\]"):
        resolved(bundle, {ANN: ("a", "b")})


def test_reference_that_nobody_meets_is_refused() -> None:
    """A reference into nowhere is not stored."""
    with pytest.raises(BridgeError, match="no resource meets the condition of a reference"):
        resolved(_bundle(_visit("Patient?identifier=urn:a|1")), {})


def test_bundle_without_conditions_is_itself() -> None:
    """The usual bundle costs one look."""
    bundle = _bundle(_visit("Patient/a"))

    assert resolved(bundle, {}) is bundle


def test_second_create_of_one_condition_meets_the_first() -> None:
    """One transaction that states a patient twice creates one."""
    first = _entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:a|1")
    again = _entry("POST", "Patient", PATIENT | {"id": "again"}, ifNoneExist="identifier=urn:a|1")

    answered = resolved(_bundle(first, again, _visit("Patient/again")), {})

    assert answered["entry"] == [_entry("POST", "Patient", PATIENT), _visit("Patient/new")]


def test_reference_leads_to_what_the_bundle_creates() -> None:
    """FHIR resolves conditional references after the writes of their transaction."""
    bundle = _bundle(_entry("POST", "Patient", PATIENT), _visit("Patient?identifier=urn:a|1"))

    answered = resolved(bundle, {}, {ANN: ("new",)})

    assert answered["entry"] == [_entry("POST", "Patient", PATIENT), _visit("Patient/new")]


def test_reference_that_two_meet_is_ambiguous() -> None:
    """One that is stored and one of the bundle are two."""
    bundle = _bundle(_entry("POST", "Patient", PATIENT), _visit("Patient?identifier=urn:a|1"))

    with pytest.raises(BridgeError, match="2 resources meet the condition"):
        resolved(bundle, {ANN: ("old",)}, {ANN: ("new",)})


@pytest.mark.parametrize(
    "second",
    [
        _entry("PUT", "Patient/old", PATIENT | {"id": "old"}),
        _entry("PUT", "Patient?identifier=urn:a|1", PATIENT | {"id": "other"}),
        _entry("DELETE", "Patient?identifier=urn:a|1"),
    ],
    ids=["by-id", "by-condition", "deletion"],
)
def test_entries_that_turn_out_to_write_one_resource_are_refused(second: JsonObject) -> None:
    """Which of them would win is nowhere written."""
    bundle = _bundle(_entry("PUT", "Patient?identifier=urn:a|1", PATIENT), second)

    with pytest.raises(BridgeError, match=r"two entries write one resource \(Bundle\.entry\[1\]"):
        resolved(bundle, {ANN: ("old",)})
