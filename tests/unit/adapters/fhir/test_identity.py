"""Ids of what is created, and references that follow them."""

import pytest

from adapters.fhir.identity import (
    give_ids,
    inner_names,
    lanes_of,
    resolve_links,
    resolve_references,
)
from adapters.fhir.problems import Path, Problems, Reference
from bridge.core.ids import sha256
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import lane

SOURCE = sha256(b"source")


def _post(url: str, **more: str) -> JsonObject:
    return {
        "fullUrl": url,
        "resource": {"resourceType": "Patient", **more},
        "request": {"method": "POST", "url": "Patient"},
    }


def test_create_loses_the_id_that_it_brought() -> None:
    """A server gives the id of a create."""
    bundle: JsonObject = {"entry": [_post("http://x.example/Patient/theirs", id="theirs")]}

    names = give_ids(bundle, namespace="lab", source=SOURCE)

    given = names["http://x.example/Patient/theirs"]
    assert given != "Patient/theirs"
    assert names["Patient/theirs"] == given


def test_stated_resource_keeps_its_id() -> None:
    """A collection says what each resource is called."""
    bundle: JsonObject = {"entry": [{"resource": {"resourceType": "Patient", "id": "a"}}]}

    give_ids(bundle, namespace="lab", source=SOURCE)

    assert bundle == {"entry": [{"resource": {"resourceType": "Patient", "id": "a"}}]}


@pytest.mark.parametrize(
    ("text", "targets", "after", "codes"),
    [
        ("urn:oid:1.2", ["Patient"], "Patient/a", []),
        ("urn:oid:1.2", ["Group"], "Patient/a", ["reference-type"]),
        ("urn:oid:1.3", [], "urn:oid:1.3", ["reference-unresolved"]),
        ("Patient/stored", [], "Patient/stored", []),
        ("#p", [], "#p", []),
    ],
    ids=["resolved", "wrong-type", "dangling", "stored", "contained"],
)
def test_reference_to_an_entry_is_turned_into_its_name(
    text: str, targets: list[str], after: str, codes: list[str]
) -> None:
    """What the bundle holds is linked; a urn that nothing answers is a problem."""
    value: JsonObject = {"reference": text}
    problems = Problems()
    problems.references.append(Reference(at=(None, "x"), value=value, targets=frozenset(targets)))

    resolve_references({"urn:oid:1.2": "Patient/a"}, problems)

    assert value == {"reference": after}
    assert [p.code for p in problems.found] == codes


def test_link_of_a_bundle_inside_stays_its_own() -> None:
    """A document that is stored as a resource is not taken apart."""
    document: JsonObject = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:oid:1.9"}]}
    value: JsonObject = {"reference": "urn:oid:1.9"}
    problems = Problems()
    problems.references.append(Reference(at=(None, "x"), value=value, targets=frozenset()))

    resolve_references({}, problems, inner_names({"entry": [{"resource": document}]}))

    assert value == {"reference": "urn:oid:1.9"}
    assert problems.found == []


def test_uris_and_narrative_follow_the_entry() -> None:
    """What a reference says, a URI and a link in the text may say too."""
    div = "<div><a href=\"urn:oid:1.2\">urn:oid:1.2</a><img src='urn:oid:1.3'/></div>"
    body: JsonObject = {"uris": ["urn:oid:1.2", "urn:oid:1.3"], "text": {"div": div}}
    bundle: JsonObject = {"entry": [{"fullUrl": "urn:oid:1.2", "resource": body}]}
    entry: Path = (((None, "Bundle"), "entry"), 0)
    resource: Path = (entry, "resource")
    links: list[Path] = [(entry, "fullUrl"), ((resource, "text"), "div")]
    links += [((resource, "uris"), index) for index in (0, 1)]

    resolve_links(bundle, {"urn:oid:1.2": "Patient/a"}, links)

    after = "<div><a href=\"Patient/a\">urn:oid:1.2</a><img src='urn:oid:1.3'/></div>"
    told: JsonObject = {"uris": ["Patient/a", "urn:oid:1.3"], "text": {"div": after}}
    assert bundle == {"entry": [{"fullUrl": "urn:oid:1.2", "resource": told}]}


def test_bundle_of_no_patient_has_a_lane_for_each_resource() -> None:
    """Two records of one organization apply in order."""
    bundle: JsonObject = {
        "entry": [
            {"resource": {"resourceType": "Organization", "id": "a"}},
            {"request": {"method": "DELETE", "url": "Location/b"}},
        ]
    }

    lanes = lanes_of(bundle, Problems())

    assert lanes == tuple(sorted((lane("", "Organization", "a"), lane("", "Location", "b"))))


def test_empty_bundle_still_has_a_lane() -> None:
    """Every record has a place in some order."""
    assert len(lanes_of({"entry": []}, Problems())) == 1
