"""Every door by every role: who is let in, and that no door was forgotten."""

import re

import pytest
from starlette.routing import Route

from bridge.api.app import PARTS
from tests.served_api import ServedApi

ROLES = ("nobody", "monitor", "sender", "reader", "compliance", "admin")
PUBLIC = frozenset(ROLES)
SENDERS = frozenset({"sender", "admin"})
READERS = frozenset({"reader", "compliance", "admin"})
CLIENTS = SENDERS | READERS
OVERSEERS = frozenset({"compliance", "admin"})
EVERYBODY = CLIENTS | {"monitor"}
DOORS = {
    "GET /fhir/metadata": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /log/checkpoint": PUBLIC,
    "GET /log/tile/{path:path}": PUBLIC,
    "POST /verify": PUBLIC,
    "GET /metrics": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /records": CLIENTS,
    "GET /records/{record}": CLIENTS,
    "POST /fhir": CLIENTS,  # a Bundle of reads alone writes nothing
    "POST /fhir/$validate": CLIENTS,
    "POST /fhir/$verify": CLIENTS,
    "POST /fhir/{kind}/$validate": CLIENTS,
    "POST /hl7v2": SENDERS,
    "POST /fhir/{kind}": SENDERS,
    "PUT /fhir/{kind}": SENDERS,
    "DELETE /fhir/{kind}": SENDERS,
    "PUT /fhir/{kind}/{name}": SENDERS,
    "DELETE /fhir/{kind}/{name}": SENDERS,
    "PATCH /fhir/{kind}/{name}": frozenset({"admin"}),  # a sender that may also read
    "GET /fhir/{kind}": READERS,
    "GET /fhir/{kind}/_search": READERS,
    "POST /fhir/{kind}/_search": READERS,
    "GET /fhir/{kind}/{name}": READERS,
    "GET /fhir/{kind}/{name}/_history": READERS,
    "GET /fhir/{kind}/{name}/_history/{version}": READERS,
    "GET /fhir/{kind}/{name}/_history/{version}/$receipt": READERS,
    "GET /fhir/Patient/{name}/$everything": READERS,
    "POST /fhir/Patient/{name}/$everything": READERS,
    "GET /records/{record}/bundle": READERS,
    "GET /records/{record}/receipt": READERS,
    "GET /records/{record}/source": READERS,
    "POST /records/{record}/dismiss": OVERSEERS,
    "POST /records/{record}/retry": OVERSEERS,
    "GET /work-items": OVERSEERS,
    "POST /work-items/{item}": OVERSEERS,
}
"""A new door is written down here, with who may pass."""
FILLED = {"kind": "Patient", "version": "1"}


def test_every_door_is_written_down() -> None:
    """A route without a row below is a door that nobody thought about."""
    found = {
        f"{method} {route.path}"
        for part in PARTS
        for route in part.router.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert found == DOORS.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("door", DOORS)
def test_door_lets_in_its_roles_and_no_others(api: ServedApi, door: str, role: str) -> None:
    """Without a token 401, with another's 403, whatever else is wrong with the request."""
    method, path = door.split()
    path = re.sub(r"\{(\w+)[^}]*\}", lambda part: FILLED.get(part[1], "none"), path)

    status = api[role].request(method, path).status_code

    if role in DOORS[door]:
        assert status not in {401, 403, 500}
    else:
        assert status == (401 if role == "nobody" else 403)
