"""Headers around stored bytes."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from fastapi import Request

from bridge.api.answers import base_of, etag, http_date, resource
from bridge.core.errors import BridgeError
from bridge.core.ids import Instant, parse_instant
from bridge.core.record.merge import ResourceRef
from bridge.ports.reading import Served

AT = parse_instant("2026-11-22T14:00:00.999999Z")


def served(body: bytes = b"{}") -> Served:
    """Version 7."""
    return Served(ref=ResourceRef("Patient", "a"), version=7, at=AT, body=body)


def asked(**headers: str) -> Request:
    """A request with these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def test_version_and_time_stand_in_headers() -> None:
    """A weak tag, a date in GMT of whole seconds, and no cache."""
    answer = resource(served())

    assert etag(7) == 'W/"7"'
    assert answer.headers["etag"] == 'W/"7"'
    assert answer.headers["last-modified"] == "Sun, 22 Nov 2026 14:00:00 GMT"
    assert answer.headers["cache-control"] == "no-store"


def test_date_is_gmt_whatever_zone_the_instant_came_in() -> None:
    """A database may answer in its own."""
    berlin = timezone(timedelta(hours=1))

    assert http_date(Instant(datetime(2026, 11, 22, 15, tzinfo=berlin))).endswith("14:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if_none_match": 'W/"7"'}, 304),
        ({"if_none_match": '"7"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": 'W/"6"'}, 200),
        ({"if_modified_since": "Sun, 22 Nov 2026 14:00:00 GMT"}, 304),
        ({"if_modified_since": "Sun, 22 Nov 2026 13:59:59 GMT"}, 200),
        ({"if_modified_since": "Sun, 22 Nov 2026 14:00:00"}, 304),
        ({"if_modified_since": "soon"}, 200),
    ],
)
def test_conditional_read(headers: dict[str, str], status: int) -> None:
    """A version that is known is not sent again."""
    assert resource(served(), asked(**headers).headers).status_code == status


def test_deletion_is_said_to_be_one() -> None:
    """It has no bytes to show."""
    with pytest.raises(BridgeError, match=r"this version is a deletion \(Patient, version 7\)"):
        resource(served(b""))


@pytest.mark.parametrize(
    ("public", "base"),
    [
        ("", "http://inside:80/fhir"),
        ("https://fhir.example/node/", "https://fhir.example/node/fhir"),
    ],
    ids=["as-reached", "as-the-operator-says"],
)
def test_links_begin_where_the_clients_are(public: str, base: str) -> None:
    """Behind a proxy with TLS the node itself is reached by http."""
    node = SimpleNamespace(public_url=public)
    app = SimpleNamespace(state=SimpleNamespace(node=node))
    headers = [(b"host", b"inside:80")]

    request = Request(
        {"type": "http", "headers": headers, "scheme": "http", "path": "/", "app": app}
    )

    assert base_of(request) == base
