"""PATCH through the real application: the version that it makes, and whom it refuses."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.integration.api.outcomes import refused
from tests.served_api import ServedApi

KIND = "application/json-patch+json"
ACTIVE: list[Any] = [{"op": "add", "path": "/active", "value": True}]


def _patch(
    api: ServedApi, url: str, operations: object, role: str = "clinic", **headers: str
) -> httpx.Response:
    return api[role].patch(
        f"/fhir/{url}", json=operations, headers={"Content-Type": KIND, **headers}
    )


@pytest.fixture
def ann(api: ServedApi) -> str:
    """A patient whom nobody has changed yet."""
    body = {"resourceType": "Patient", "name": [{"family": "Ann"}], "active": False}
    answer = api["clinic"].post("/fhir/Patient", json=body, headers={"Prefer": "return=minimal"})
    place: str = answer.headers["Location"].partition("/fhir/")[2].partition("/_history")[0]
    return place


def test_patch_makes_a_version(api: ServedApi) -> None:
    """The answer is the whole resource, as of an update; history has both."""
    api["clinic"].put("/fhir/Patient/pa", json={"resourceType": "Patient", "id": "pa"})

    answer = _patch(api, "Patient/pa", ACTIVE)

    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert answer.json()["active"] is True
    assert answer.content == api["reader"].get("/fhir/Patient/pa").content
    assert api["reader"].get("/fhir/Patient/pa/_history").json()["total"] == 2


def test_patches_side_by_side_lose_nothing(api: ServedApi) -> None:
    """Each adds a name; all are there, whatever came between."""
    body = {"resourceType": "Patient", "id": "pb", "name": [{"family": "zero"}]}
    api["clinic"].put("/fhir/Patient/pb", json=body)

    def add(family: str) -> int:
        value = {"family": family}
        return _patch(
            api, "Patient/pb", [{"op": "add", "path": "/name/-", "value": value}]
        ).status_code

    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(add, ["one", "two", "three"]))

    names = api["reader"].get("/fhir/Patient/pb").json()["name"]
    assert statuses == [200, 200, 200]
    assert {one["family"] for one in names} == {"zero", "one", "two", "three"}


@pytest.mark.parametrize(
    ("operations", "status", "code"),
    [
        ([{"op": "remove", "path": "/gender"}], 422, "patch-path"),
        ([{"op": "test", "path": "/active", "value": True}], 422, "patch-test"),
        ([{"op": "add", "path": "/gender", "value": "wrong"}], 400, "code-unknown"),
        ([{"op": "replace", "path": "/id", "value": "other"}], 400, "url-differs"),
        ({"active": True}, 400, "patch-form"),
    ],
)
def test_patch_that_cannot_be_changes_nothing(
    api: ServedApi, ann: str, operations: object, status: int, code: str
) -> None:
    """All of a patch, or none of it."""
    refused(_patch(api, ann, operations), status, code)

    assert api["reader"].get(f"/fhir/{ann}").json()["active"] is False


def test_patch_of_an_old_version_is_a_conflict(api: ServedApi, ann: str) -> None:
    """If-Match names the version that the client has seen."""
    url = f"Patient/{ann.rpartition('/')[2]}"

    refused(_patch(api, url, ACTIVE, **{"If-Match": 'W/"9"'}), 412, "version-conflict")


def test_patch_needs_something_to_patch_and_a_reader(api: ServedApi) -> None:
    """Absent is 404, deleted 410; who may only send is told nothing by a `test`."""
    api["clinic"].put("/fhir/Patient/gone", json={"resourceType": "Patient", "id": "gone"})
    api["clinic"].delete("/fhir/Patient/gone")

    refused(_patch(api, "Patient/absent", ACTIVE), 404, "not-found")
    refused(_patch(api, "Patient/gone", ACTIVE), 410, "deleted")
    refused(_patch(api, "Patient/gone", ACTIVE, role="sender"), 403, "access-refused")
    refused(
        _patch(api, "Patient/gone", ACTIVE, **{"Content-Type": "application/merge-patch+json"}),
        415,
        "media-type",
    )
