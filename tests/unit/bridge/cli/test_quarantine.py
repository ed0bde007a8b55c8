"""Refusals from the command line: all pages, oldest first, each closed once."""

import json
from collections import Counter
from typing import Any

import httpx
import pytest
import typer

from bridge.cli.node import Node
from bridge.cli.quarantine import Which, dismiss_refused, retry_refused, say_refused
from bridge.core.errors import BridgeError, Fault


class Refusing(Node):
    """A node that lists its refusals in pages of two, newest first."""

    def __init__(self, *codes: str) -> None:
        """One refusal a code, the oldest first."""
        self.refusals = {
            f"r{number}": {
                "record": f"r{number}",
                "sender": f"S{number}",
                "status": "quarantined",
                "state": "open",
                "reasons": [{"code": code}],
            }
            for number, code in enumerate(codes)
        }
        self.retried: list[str] = []
        self.bodies: list[bytes] = []
        self.stays_refused = ""

    def get(self, path: str, **query: str) -> httpx.Response:
        """A page of those that are open."""
        assert path == "/records"
        newest = [one for one in reversed(self.refusals.values()) if one["state"] == "open"]
        start = int(query.get("page", "0"))
        rest = str(start + 2) if len(newest) > start + 2 else None
        return _answer({"records": newest[start : start + 2], "next": rest})

    def post(self, path: str, body: bytes, content_type: str) -> httpx.Response:
        """Retry or dismiss one."""
        assert content_type == "application/json"
        _, _, record, verb = path.split("/")
        one = self.refusals[record]
        if one["state"] != "open":
            raise BridgeError("retry-closed", Fault.SENDER, what="closed", where="r", do="look")
        self.bodies.append(body)
        if verb == "retry":
            self.retried.append(record)
        if record != self.stays_refused:
            one["state"] = "retried" if verb == "retry" else "dismissed"
        return _answer(one)


def _answer(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(body).encode())


def test_list_has_every_page_and_begins_with_the_oldest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What came first is what a person looks at first."""
    say_refused(Refusing("a", "b", "a", "a", "a"), Which(code="a"))

    printed = [json.loads(line)["record"] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["r0", "r2", "r3", "r4"]


def test_retry_keeps_the_order_in_which_they_came() -> None:
    """Two updates of one patient must not change places."""
    node = Refusing("a", "a", "a")

    retry_refused(node, Which())

    assert node.retried == ["r0", "r1", "r2"]


def test_retry_of_one_sender_leaves_the_others() -> None:
    """Its overlay was mended, theirs was not."""
    node = Refusing("a", "a", "a")

    retry_refused(node, Which(sender="S1"))

    assert Counter(str(one["state"]) for one in node.refusals.values()) == {"open": 2, "retried": 1}


def test_refusal_that_stays_is_said_by_the_exit_code() -> None:
    """The rest is retried all the same."""
    node = Refusing("a", "b")
    node.stays_refused = "r0"

    with pytest.raises(typer.Exit) as ended:
        retry_refused(node, Which())

    assert ended.value.exit_code == 1
    assert node.refusals["r1"]["state"] == "retried"


def test_record_that_is_closed_is_refused_when_it_is_named() -> None:
    """Somebody who names it should know."""
    node = Refusing("a")
    retry_refused(node, Which(records=("r0",)))

    with pytest.raises(BridgeError, match="closed"):
        retry_refused(node, Which(records=("r0",)))

    assert node.retried == ["r0"]


def test_dismissal_carries_its_reason() -> None:
    """Whoever asks later reads why."""
    node = Refusing("a", "b")

    dismiss_refused(node, ["r0", "r1"], "a test feed")

    assert node.bodies == [b'{"reason": "a test feed"}'] * 2
