"""References that follow the resources of a bundle, and the lanes of a record."""

import pytest

from adapters.fhir.identity import lanes_of, resolve_links, resolve_references
from adapters.fhir.names import Names
from adapters.fhir.problems import Path, Problems, Reference
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import lane

AT: Path = (((((None, "Bundle"), "entry"), 0), "resource"), "subject")
NAMES = Names(urls={"urn:oid:1.2": "Patient/a"})


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
    problems.references.append(Reference(at=AT, value=value, targets=frozenset(targets)))

    resolve_references({"entry": [{"resource": {"subject": value}}]}, NAMES, problems)

    assert value == {"reference": after}
    assert [p.code for p in problems.found] == codes


@pytest.mark.parametrize("text", ["Patient/1", "urn:oid:1.9"])
def test_bundle_inside_is_not_rewritten(text: str) -> None:
    """What a stored document refers to is of that document."""
    value: JsonObject = {"reference": text}
    document: JsonObject = {"resourceType": "Bundle", "entry": [{"resource": value}]}
    at: Path = (((((((None, "Bundle"), "entry"), 0), "resource"), "entry"), 0), "resource")
    problems = Problems(references=[Reference(at=at, value=value, targets=frozenset())])

    resolve_references({"entry": [{"resource": document}]}, Names(namespace="lab"), problems)

    assert (value, problems.found) == ({"reference": text}, [])


def test_url_of_an_attachment_follows_the_binary() -> None:
    """A document that points at its content by a relative URL finds it."""
    attachment: JsonObject = {"url": "Binary/1"}
    entry: JsonObject = {"resource": {"resourceType": "Media", "content": attachment}}
    at: Path = (((((None, "Bundle"), "entry"), 0), "resource"), "content")
    names = Names(namespace="lab")

    resolve_links({"entry": [entry]}, names, [(at, "url")])

    assert attachment == {"url": f"Binary/{names.stated('', 'Binary', '1')}"}


def test_uris_and_narrative_follow_the_entry() -> None:
    """What a reference says, a URI and a link in the text may say too."""
    div = "<div><a href=\"urn:oid:1.2\">urn:oid:1.2</a><img src='urn:oid:1.3'/></div>"
    body: JsonObject = {"uris": ["urn:oid:1.2", "urn:oid:1.3"], "text": {"div": div}}
    bundle: JsonObject = {"entry": [{"fullUrl": "urn:oid:1.2", "resource": body}]}
    entry: Path = (((None, "Bundle"), "entry"), 0)
    resource: Path = (entry, "resource")
    links: list[Path] = [(entry, "fullUrl"), ((resource, "text"), "div")]
    links += [((resource, "uris"), index) for index in (0, 1)]

    resolve_links(bundle, NAMES, links)

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
