"""`fhir-anchor quarantine` against the real application: what the night shift types."""

import json

import httpx
import pytest
import typer

from bridge.cli.node import Node
from bridge.cli.quarantine import Which, dismiss_refused, retry_refused, say_refused
from bridge.core.errors import BridgeError
from tests.fakes.feed import adt
from tests.served_api import ServedApi


class Through(Node):
    """The command line's node over a client of the test."""

    def __init__(self, client: httpx.Client) -> None:
        """With the token that the client has."""
        self._client = client


@pytest.fixture
def refused(api: ServedApi, request: pytest.FixtureRequest) -> list[str]:
    """Three refusals of this test, the oldest first."""
    name = str(request.node.name)
    raws = [adt(f"{name}{n}").replace(b"ADT^A01^ADT_A01", b"") for n in range(3)]
    head = {"Content-Type": "application/hl7-v2"}
    answers = [api["sender"].post("/hl7v2", content=raw, headers=head) for raw in raws]
    return [answer.headers["X-Record-Id"] for answer in answers]


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_refusals_are_listed_retried_and_put_away(
    api: ServedApi, refused: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Oldest first; one that is refused again stays, one that is put away is gone."""
    node = Through(api["compliance"])

    say_refused(node, Which(code="message-type-missing"))
    listed = [one["record"] for one in printed(capsys)]
    say_refused(node, Which(code="another"))
    others = printed(capsys)
    with pytest.raises(typer.Exit):
        retry_refused(node, Which(records=refused[:1]))
    (again,) = printed(capsys)
    dismiss_refused(node, refused, "a feed that was tried out")
    capsys.readouterr()
    say_refused(node, Which())

    assert (listed, others) == (refused, [])
    assert (again["state"], again["times"]) == ("open", 2)
    assert printed(capsys) == []


def test_what_is_closed_is_not_retried(api: ServedApi, refused: list[str]) -> None:
    """Two people at the same list: the second reads what became of it."""
    node = Through(api["compliance"])
    dismiss_refused(node, refused, "sent again by its sender")

    with pytest.raises(BridgeError, match="this input is dismissed already"):
        retry_refused(node, Which(records=refused))


def test_sender_sees_its_own_and_closes_none(api: ServedApi, refused: list[str]) -> None:
    """Its token is for sending."""
    with pytest.raises(BridgeError, match="role"):
        dismiss_refused(Through(api["sender"]), refused, "no")
