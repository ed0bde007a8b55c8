"""How a bundle meets the resources that are stored."""

from typing import cast

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Apply, Json, JsonObject
from bridge.core.record.merge import Change, ResourceRef, apply_bundle, references_touched

ANN = ResourceRef("Patient", "ann")


def _bundle(*entries: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "entry": cast("list[Json]", list(entries))}


def _patient(**elements: Json) -> JsonObject:
    return {"resourceType": "Patient", "id": "ann", **elements}


def _deletes(*paths: str, target: str = "Patient/ann", kind: str = "delete") -> JsonObject:
    operations: list[Json] = [
        {
            "name": "operation",
            "part": [
                {"name": "target", "valueString": target},
                {"name": "type", "valueCode": kind},
                {"name": "path", "valueString": path},
            ],
        }
        for path in paths
    ]
    return {"resource": {"resourceType": "Parameters", "parameter": operations}}


def _request(method: str, url: str, body: JsonObject | None = None, **more: str) -> JsonObject:
    entry: JsonObject = {"request": {"method": method, "url": url, **more}}
    return entry if body is None else entry | {"resource": body}


def test_message_leaves_absent_elements_alone() -> None:
    """A later, poorer message never wipes what a richer one said."""
    stored = _patient(gender="female", birthDate="1970-01-01", meta={"versionId": "3"})
    message = _bundle({"resource": _patient(gender="other")})

    changes = apply_bundle(message, Apply.MERGE, {ANN: stored})

    assert changes == (Change(ref=ANN, body=_patient(gender="other", birthDate="1970-01-01")),)


def test_message_that_says_nothing_new_changes_nothing() -> None:
    """A resource that would stay the same, but for what the store stamps, gives no change."""
    stored = _patient(gender="female", meta={"versionId": "3", "lastUpdated": "2026-01-01"})
    message = _bundle({"resource": _patient(gender="female")})

    assert apply_bundle(message, Apply.MERGE, {ANN: stored}) == ()


def test_explicit_delete_takes_the_element_away() -> None:
    """What the sender deleted is gone; the rest stays."""
    stored = _patient(gender="female", birthDate="1970-01-01")
    message = _bundle({"resource": _patient()}, _deletes("Patient.birthDate"))

    changes = apply_bundle(message, Apply.MERGE, {ANN: stored})

    assert changes == (Change(ref=ANN, body=_patient(gender="female")),)


def test_delete_and_set_in_one_message_sets() -> None:
    """Deletes come first wherever they stand, so that a message can replace a list that grows."""
    stored = _patient(identifier=[{"value": "1"}])
    message = _bundle(
        {"resource": _patient(identifier=[{"value": "2"}])}, _deletes("Patient.identifier")
    )

    changes = apply_bundle(message, Apply.MERGE, {ANN: stored})

    assert changes == (Change(ref=ANN, body=_patient(identifier=[{"value": "2"}])),)


def test_delete_of_what_is_not_there_changes_nothing() -> None:
    """Deleting is idempotent, of elements and of resources."""
    message = _bundle(_deletes("Patient.birthDate", "Patient"))

    assert apply_bundle(message, Apply.MERGE, {}) == ()


def test_path_that_is_the_type_deletes_the_resource() -> None:
    """A message can take back a whole resource."""
    changes = apply_bundle(_bundle(_deletes("Patient")), Apply.MERGE, {ANN: _patient()})

    assert changes == (Change(ref=ANN, body=None),)


@pytest.mark.parametrize(
    "patch",
    [
        _deletes("Patient.birthDate", kind="replace"),
        _deletes("Encounter.status"),
        _deletes("Patient.id"),
        _deletes("Patient.name[0]"),
        _deletes("Patient.birthDate", target="Patient"),
    ],
    ids=["other-operation", "other-type", "identity", "index", "no-id"],
)
def test_patch_in_another_form_is_refused(patch: JsonObject) -> None:
    """A patch that could be read in two ways is an error of the adapter, not a guess."""
    with pytest.raises(BridgeError, match=r"patch operation is not target .*parameter\[0\]") as got:
        apply_bundle(_bundle(patch), Apply.MERGE, {})

    assert (got.value.code, got.value.fault) == ("patch-form", Fault.US)


def test_requests_create_replace_and_delete() -> None:
    """POST and PUT state the whole resource, DELETE takes it; deletes come first."""
    bob, eve = ResourceRef("Patient", "bob"), ResourceRef("Patient", "eve")
    message = _bundle(
        _request("POST", "Patient", _patient(gender="female")),
        _request("PUT", "Patient/bob", {"resourceType": "Patient", "id": "bob"}),
        _request("DELETE", "Patient/eve"),
    )
    current: dict[ResourceRef, JsonObject | None] = {
        ANN: None,
        bob: {"resourceType": "Patient", "id": "bob", "gender": "male"},
        eve: {"resourceType": "Patient", "id": "eve"},
    }

    assert apply_bundle(message, Apply.REQUESTS, current) == (
        Change(ref=eve, body=None),
        Change(ref=ANN, body=_patient(gender="female")),
        Change(ref=bob, body={"resourceType": "Patient", "id": "bob"}),
    )


def test_entry_without_request_replaces() -> None:
    """A collection says what each resource is."""
    message = _bundle({"resource": _patient()})

    changes = apply_bundle(message, Apply.REQUESTS, {ANN: _patient(gender="female")})

    assert changes == (Change(ref=ANN, body=_patient()),)


def test_put_of_an_older_version_is_refused() -> None:
    """The ifMatch protects a change that somebody else made in between."""
    message = _bundle(_request("PUT", "Patient/ann", _patient(), ifMatch='W/"2"'))
    current = {ANN: _patient(meta={"versionId": "3"})}

    with pytest.raises(BridgeError, match="another than ifMatch names") as got:
        apply_bundle(message, Apply.REQUESTS, current)

    assert got.value.code == "version-conflict"


@pytest.mark.parametrize("tags", ['W/"3"', '"3"', "*", 'W/"1", W/"3"'])
def test_put_of_the_present_version_is_applied(tags: str) -> None:
    """The ifMatch names the stored version, or says that any will do."""
    message = _bundle(_request("PUT", "Patient/ann", _patient(), ifMatch=tags))
    current = {ANN: _patient(gender="female", meta={"versionId": "3"})}

    assert apply_bundle(message, Apply.REQUESTS, current) == (Change(ref=ANN, body=_patient()),)


def test_if_match_of_any_version_needs_one() -> None:
    """`ifMatch: *` is for what is there, RFC 9110 s13.1.1."""
    message = _bundle(_request("PUT", "Patient/ann", _patient(), ifMatch="*"))

    with pytest.raises(BridgeError, match="another than ifMatch names"):
        apply_bundle(message, Apply.REQUESTS, {})


def test_create_that_was_sent_twice_leaves_what_became_of_the_first() -> None:
    """Its id is a function of its bytes; a change in between is not undone by a resend."""
    message = _bundle(_request("POST", "Patient", _patient(gender="other")))
    changed = _patient(gender="female", meta={"versionId": "2"})

    assert apply_bundle(message, Apply.REQUESTS, {ANN: changed}) == ()
    assert apply_bundle(message, Apply.REQUESTS, {ANN: None}) == (
        Change(ref=ANN, body=_patient(gender="other")),
    )


def test_put_with_if_none_match_never_overwrites() -> None:
    """`ifNoneMatch: *` creates or fails."""
    message = _bundle(_request("PUT", "Patient/ann", _patient(), ifNoneMatch="*"))

    with pytest.raises(BridgeError, match=r"ifNoneMatch is \* and the resource exists"):
        apply_bundle(message, Apply.REQUESTS, {ANN: _patient()})


def test_unresolved_condition_is_refused() -> None:
    """A condition that nobody looked up must not be taken for a plain create."""
    message = _bundle(_request("POST", "Patient", _patient(), ifNoneExist="identifier=1"))

    with pytest.raises(BridgeError, match=r"conditional request .* \(Bundle.entry\[0\].request\)"):
        apply_bundle(message, Apply.REQUESTS, {})


def test_resource_without_id_is_refused() -> None:
    """Identity is given by the dialect, never here."""
    message = _bundle({"resource": {"resourceType": "Patient"}})

    with pytest.raises(BridgeError, match=r"no resource type and id \(Bundle.entry\[0\]\)"):
        references_touched(message, Apply.MERGE)


def test_references_are_sorted_and_named_once() -> None:
    """The store is asked for each resource once, in one order, so that locks cannot cross."""
    message = _bundle(
        {"resource": {"resourceType": "Patient", "id": "b"}},
        {"resource": {"resourceType": "Encounter", "id": "z"}},
        {"resource": {"resourceType": "Patient", "id": "b"}},
        _deletes("Patient.gender", target="Patient/a"),
    )

    touched = references_touched(message, Apply.MERGE)

    assert [str(ref) for ref in touched] == ["Encounter/z", "Patient/a", "Patient/b"]
