"""What each type of bundle asks of its entries."""

from typing import cast

import pytest

from adapters.fhir.bundle import check_bundle, check_requests, entries_of
from adapters.fhir.problems import Problems
from bridge.core.record.bundle import Json, JsonObject

PATIENT: JsonObject = {"resourceType": "Patient", "id": "a"}
PUT: JsonObject = {"method": "PUT", "url": "Patient/a"}


def _bundle(kind: str, *entries: JsonObject, **more: Json) -> JsonObject:
    return {"resourceType": "Bundle", "type": kind, "entry": cast("list[Json]", entries), **more}


def _keys(bundle: JsonObject) -> list[str]:
    bundle["entry"] = list(cast("list[Json]", bundle["entry"]))
    problems = Problems()
    check_bundle(bundle, (None, "Bundle"), problems)
    return [problem.code for problem in problems.found]


@pytest.mark.parametrize(
    ("bundle", "keys"),
    [
        (_bundle("collection", {"resource": PATIENT}, total=1), ["bdl-1"]),
        (
            _bundle("collection", {"resource": PATIENT, "search": {"mode": "match"}}),
            ["bdl-2"],
        ),
        (_bundle("transaction", {"resource": PATIENT}), ["bdl-3"]),
        (_bundle("collection", {"resource": PATIENT, "request": PUT}), ["bdl-3"]),
        (_bundle("transaction-response", {"resource": PATIENT}), ["bdl-4"]),
        (_bundle("collection", {"fullUrl": "urn:oid:1.2"}), ["bdl-5"]),
        (
            _bundle(
                "collection",
                {"resource": PATIENT, "fullUrl": "urn:oid:1.2"},
                {"resource": PATIENT, "fullUrl": "urn:oid:1.2"},
            ),
            ["bdl-7"],
        ),
        (
            _bundle(
                "collection",
                {"resource": PATIENT, "fullUrl": "http://x.example/Patient/a/_history/1"},
            ),
            ["bdl-8"],
        ),
        (
            _bundle("collection", {"resource": PATIENT, "fullUrl": "http://x.example/Patient/b"}),
            ["full-url-identity"],
        ),
        (_bundle("collection", {"resource": PATIENT, "fullUrl": "Patient/a"}), ["full-url-form"]),
        (_bundle("document", {"resource": PATIENT}), ["bdl-11", "bdl-9", "bdl-10"]),
        (_bundle("message", {"resource": PATIENT}), ["bdl-12"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_broken_rule_of_a_bundle_is_named_by_its_key(bundle: JsonObject, keys: list[str]) -> None:
    """Every rule of the Bundle page has its key."""
    assert _keys(bundle) == keys


def test_two_versions_may_share_a_full_url() -> None:
    """A bundle may hold two versions of one resource."""
    first: JsonObject = PATIENT | {"meta": {"versionId": "1"}}
    second: JsonObject = PATIENT | {"meta": {"versionId": "2"}}
    url = "http://x.example/Patient/a"

    bundle = _bundle(
        "collection", {"resource": first, "fullUrl": url}, {"resource": second, "fullUrl": url}
    )

    assert _keys(bundle) == []


def test_create_may_bring_the_id_it_had_elsewhere() -> None:
    """The id of a create is replaced, so its fullUrl need not agree."""
    entry: JsonObject = {
        "resource": PATIENT,
        "fullUrl": "http://x.example/Patient/b",
        "request": {"method": "POST", "url": "Patient"},
    }

    assert _keys(_bundle("transaction", entry)) == []


@pytest.mark.parametrize(
    ("request_line", "step"),
    [
        ({"method": "GET", "url": "Patient/a"}, "method"),
        ({"method": "PUT", "url": "http://x.example/Patient/a"}, "url"),
        ({"method": "PUT", "url": "Patiant/a"}, "url"),
        ({"method": "PUT", "url": "Patient"}, "url"),
        ({"method": "POST", "url": "Patient/a"}, "url"),
        ({"method": "PUT", "url": "Patient/b"}, "url"),
        ({"method": "PUT", "url": "Group/a"}, "url"),
    ],
)
def test_request_that_says_two_things_is_refused(request_line: JsonObject, step: str) -> None:
    """Method, url and resource must agree."""
    problems = Problems()
    entry: JsonObject = {"resource": PATIENT, "request": request_line}
    bundle: JsonObject = {"entry": [entry]}

    check_requests(bundle, (None, "Bundle"), problems)

    assert [p.where for p in problems.found] == [f"Bundle.entry[0].request.{step}"]


def test_entries_of_a_bundle_without_entries_are_none() -> None:
    """An empty bundle is a bundle."""
    assert entries_of({"resourceType": "Bundle"}) == []
