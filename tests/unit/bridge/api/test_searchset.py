"""Bundles around stored bytes."""

import json

from fhir.resources.R4B.bundle import Bundle

from bridge.api.searchset import history_bundle, searchset
from bridge.core.ids import parse_instant
from bridge.core.record.merge import ResourceRef
from bridge.ports.reading import Page, Served

AT = parse_instant("2026-11-22T14:00:00.000000Z")
BODY = b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"valueQuantity":{"value":0.40}}'  # noqa: E501 - bytes as stored


def served(name: str, version: int = 1, body: bytes = BODY) -> Served:
    """One stored version."""
    return Served(ref=ResourceRef("Observation", name), version=version, at=AT, body=body)


def test_bytes_stand_in_the_searchset_as_they_are_stored() -> None:
    """Nothing of them is printed anew."""
    page = Page(matches=(served("a"),), included=(served("b"),), total=1, next="t o&k")

    data = searchset(page, "http://n/fhir/Observation", [("code", "a|b&c")], "http://n/fhir")

    found = json.loads(data)
    Bundle.model_validate(found)
    assert data.count(BODY) == 2
    assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "include"]
    assert found["entry"][1]["fullUrl"] == "http://n/fhir/Observation/b"
    assert [link["url"] for link in found["link"]] == [
        "http://n/fhir/Observation?code=a%7Cb%26c",
        "http://n/fhir/Observation?code=a%7Cb%26c&_page=t+o%26k",
    ]


def test_page_without_matches_has_no_entry() -> None:
    """FHIR knows no empty list."""
    found = json.loads(searchset(Page(matches=(), total=0), "http://n/x", [], "http://n"))

    assert "entry" not in found
    assert found["total"] == 0
    assert found["link"] == [{"relation": "self", "url": "http://n/x"}]


def test_history_tells_deletions_and_how_to_go_on() -> None:
    """An entry a version; the next page begins below the last one."""
    page = Page(matches=(served("a", 3, b""), served("a", 2)), total=3, next="2")

    found = json.loads(history_bundle(page, "http://n/h", [("_count", "2")], "http://n"))

    Bundle.model_validate(found)
    assert [entry["request"]["method"] for entry in found["entry"]] == ["DELETE", "PUT"]
    assert [entry["response"]["etag"] for entry in found["entry"]] == ['W/"3"', 'W/"2"']
    assert "resource" not in found["entry"][0]
    assert found["link"][1]["url"] == "http://n/h?_count=2&before=2"
