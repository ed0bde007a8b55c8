"""What the resources of a bundle are called here, and what their references then name."""

from typing import cast

import pytest

from adapters.fhir.names import Names, give_ids
from bridge.core.ids import sha256
from bridge.core.record.bundle import Json, JsonObject

SOURCE = sha256(b"source")
ANN = "urn:uuid:11111111-1111-4111-8111-111111111111"


def _post(url: str, **more: str) -> JsonObject:
    return {
        "fullUrl": url,
        "resource": {"resourceType": "Patient", **more},
        "request": {"method": "POST", "url": "Patient"},
    }


def _stated(
    *urls: str, sender: str = "lab", theirs: str = "1", source: bytes = b"source"
) -> tuple[list[str], Names]:
    """The ids that patients of these fullUrls get, and the names."""
    named: JsonObject = {"id": theirs} if theirs else {}
    bodies: list[JsonObject] = [{"resourceType": "Patient", **named} for _ in urls]
    entries: list[Json] = [
        {"resource": body, **({"fullUrl": url} if url else {})}
        for url, body in zip(urls, bodies, strict=True)
    ]
    bundle: JsonObject = {"type": "collection", "entry": entries}
    names = give_ids(bundle, namespace=sender, source=sha256(source))
    return [cast("str", body["id"]) for body in bodies], names


def test_create_loses_the_id_that_it_brought() -> None:
    """A server gives the id of a create."""
    bundle: JsonObject = {"entry": [_post("http://x.example/Patient/theirs", id="theirs")]}

    names = give_ids(bundle, namespace="lab", source=SOURCE)

    given = names.named("http://x.example/Patient/theirs", "")
    assert given not in {None, "Patient/theirs"}
    assert names.named("Patient/theirs", "http://x.example/Observation/1") == given


def test_update_keeps_the_id_that_its_client_gave() -> None:
    """Who writes under an id owns it."""
    body: JsonObject = {"resourceType": "Patient", "id": "a"}
    request: JsonObject = {"method": "PUT", "url": "Patient/a"}
    bundle: JsonObject = {"type": "transaction", "entry": [{"resource": body, "request": request}]}

    give_ids(bundle, namespace="lab", source=SOURCE)

    assert body == {"resourceType": "Patient", "id": "a"}


def test_one_number_of_two_senders_is_two_resources() -> None:
    """Patient/1 of one hospital is not Patient/1 of the other, at whatever address."""
    ours, _ = _stated("http://a.example/Patient/1", sender="a")
    theirs, _ = _stated("http://a.example/Patient/1", sender="b")

    assert ours != theirs


def test_one_number_of_two_servers_of_one_sender_is_two_resources() -> None:
    """An engine that brings the messages of many servers mixes none of them."""
    ids, _ = _stated("http://a.example/Patient/1", "http://b.example/Patient/1", "")

    assert len(set(ids)) == 3


def test_a_later_bundle_of_the_same_server_states_the_same_resource() -> None:
    """What a feed sends again, changed, is a new version of what it sent."""
    first, _ = _stated("http://a.example/Patient/1", source=b"monday")
    second, _ = _stated("http://a.example/Patient/1", theirs="", source=b"tuesday")

    assert first == second


def test_id_beside_a_uuid_is_the_name_of_the_resource() -> None:
    """A fullUrl that is made anew for each bundle makes nothing new of its resource."""
    first, _ = _stated(ANN, source=b"monday")
    second, _ = _stated(ANN.replace("1111-4", "2222-4"), source=b"tuesday")

    assert first == second


def test_what_has_no_name_is_of_its_bundle() -> None:
    """Without an id, and under a uuid, nothing says that it was sent before."""
    first, _ = _stated(ANN, theirs="", source=b"monday")
    again, _ = _stated(ANN, theirs="", source=b"monday")
    second, _ = _stated(ANN, theirs="", source=b"tuesday")

    assert first == again != second


def test_message_is_of_the_server_that_it_names() -> None:
    """MessageHeader.source.endpoint tells the servers behind one engine apart."""
    made = []
    for endpoint in ("http://a.example/out", "http://b.example/out"):
        header: JsonObject = {"resourceType": "MessageHeader", "source": {"endpoint": endpoint}}
        patient: JsonObject = {"resourceType": "Patient", "id": "1"}
        bundle: JsonObject = {
            "type": "message",
            "entry": [{"resource": header}, {"resource": patient}],
        }
        give_ids(bundle, namespace="engine", source=SOURCE)
        made.append((patient["id"], patient["meta"]))

    assert made[0][0] != made[1][0]
    assert made[0][1] == {"source": "http://a.example/out#Patient/1"}


@pytest.mark.parametrize(
    ("url", "meta", "kept"),
    [
        ("http://a.example/Patient/1", {}, "http://a.example/Patient/1"),
        (ANN, {}, "Patient/1"),
        (ANN, {"source": "urn:told"}, "urn:told"),
    ],
    ids=["server", "no-server", "told"],
)
def test_what_its_source_calls_a_resource_is_kept(url: str, meta: JsonObject, kept: str) -> None:
    """Search by _source finds what a feed knows under its own id."""
    body: JsonObject = {"resourceType": "Patient", "id": "1", "meta": {"profile": ["p"], **meta}}
    entry: JsonObject = {"resource": body, "fullUrl": url}

    give_ids({"type": "document", "entry": [entry]}, namespace="lab", source=SOURCE)

    assert body["meta"] == {"profile": ["p"], "source": kept}
    assert entry["fullUrl"] == url.replace("Patient/1", f"Patient/{cast('str', body['id'])}")


A, B = "http://a.example/fhir", "http://b.example/fhir"


@pytest.mark.parametrize(
    ("text", "url", "means"),
    [
        (f"{A}/Patient/1", ANN, 0),
        ("Patient/1", f"{A}/Observation/2", 0),
        ("Patient/1", f"{B}/Observation/2", 1),
        (f"{B}/Patient/1", f"{A}/Observation/2", 1),
        (f"{B}/Patient/1/_history/3", f"{A}/Observation/2", 1),
        ("Patient/1/_history/3", f"{B}/Observation/2", 1),
        ("Patient/1", ANN, None),
        ("http://c.example/fhir/Patient/1", f"{A}/Observation/2", None),
        ("http://a.example/fhir/Unheard/1", f"{A}/Observation/2", None),
    ],
)
def test_reference_of_two_servers_leads_to_its_own(text: str, url: str, means: int | None) -> None:
    """A relative reference is of the server of its entry, https://hl7.org/fhir/R4/bundle.html."""
    ids, names = _stated(f"{A}/Patient/1", f"{B}/Patient/1")

    named = names.named(text, url)

    if means is not None:
        assert named == f"Patient/{ids[means]}"
    else:
        assert named is None or named.partition("/")[2] not in ids


def test_reference_meets_what_another_bundle_of_the_feed_states() -> None:
    """An observation today leads to the patient of yesterday, whom it does not bring along."""
    (patient,), _ = _stated(f"{A}/Patient/1", source=b"yesterday")
    _, names = _stated(f"{A}/Patient/other", theirs="other", source=b"today")

    assert names.named("Patient/1", f"{A}/Observation/2") == f"Patient/{patient}"
    assert names.named(f"{A}/Patient/1", f"{A}/Observation/2") == f"Patient/{patient}"


def test_sloppy_relative_reference_meets_the_one_entry_that_it_can_mean() -> None:
    """From under a uuid there is no server to look at."""
    (patient,), names = _stated(f"{A}/Patient/1")

    assert names.named("Patient/1", ANN) == f"Patient/{patient}"
