"""Heads by the word of enough endpoints: a liar, a stale one, one that lists little."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.cli.anchored_heads import AnchoredHeads, anchored_heads
from bridge.core.errors import BridgeError
from bridge.core.proof.keccak import keccak256
from bridge.core.proof.trust import Contract, Trust
from tests.fakes.node import serve_node

pytestmark = pytest.mark.enable_socket

CODE = b"\x60\x01"
HEIGHT = 1_000
EVENTS = {100: (3, b"\3" * 32), 700: (7, b"\7" * 32), 900: (9, b"\x09" * 32)}
"""Block to the head that was anchored in it."""


class Endpoint:
    """An honest node of the chain, until a part is changed."""

    def __init__(self, **changed: Any) -> None:
        """Change some of its parts."""
        self.events = changed.get("events", EVENTS)
        self.code = changed.get("code", CODE)
        self.most = changed.get("most", HEIGHT + 1)
        self.chain = changed.get("chain", "0x1")

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        """As JSON-RPC nodes do."""
        if method == "eth_getLogs":
            begin, end = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            if end - begin >= self.most:
                return ValueError("query returned more than 10000 results")
            return [self._log(at) for at in sorted(self.events) if begin <= at <= end]
        size, root = self.events[max(self.events)]
        words = [root, *(n.to_bytes(32) for n in (size, 1, 1, 1))]
        return {
            "eth_chainId": self.chain,
            "eth_blockNumber": hex(HEIGHT),
            "eth_getCode": "0x" + self.code.hex(),
            "eth_call": "0x" + b"".join(words).hex(),
        }[method]

    def _log(self, at: int) -> dict[str, str]:
        size, root = self.events[at]
        return {"data": "0x" + (size.to_bytes(32) + root + bytes(32)).hex()}


def ask(*endpoints: Endpoint, needed: int = 1) -> AnchoredHeads:
    """Ask them over real sockets."""
    contract = Contract(
        origin="log",
        chain="eip155:1",
        address=b"\1" * 20,
        code_hash=keccak256(CODE),
        log_id=b"\2" * 32,
        finality="instant",
        independent=True,
        endpoints=needed,
    )
    with ExitStack() as stack:
        urls = [stack.enter_context(serve_node(one.answer)) for one in endpoints]
        return anchored_heads(urls, Trust(contracts=(contract,)), "log")


def sizes(found: AnchoredHeads) -> list[int]:
    """Of the heads that are compared."""
    return [head.size for head in found.heads]


def test_every_head_that_was_ever_anchored_is_compared() -> None:
    """A fork that was anchored once and grown over shows."""
    found = ask(Endpoint())

    assert (sizes(found), found.notes) == ([3, 7, 9], ())


def test_node_that_lists_few_blocks_at_a_time_is_asked_in_parts() -> None:
    """Public nodes bound the range of one question."""
    assert sizes(ask(Endpoint(most=130))) == [3, 7, 9]


def test_node_that_lists_nothing_still_gives_its_newest_head() -> None:
    """And the report says what was not compared."""
    found = ask(Endpoint(most=0))

    assert sizes(found) == [9]
    assert "lists no past anchors" in found.notes[0]


def test_one_lying_endpoint_of_three_accuses_nobody() -> None:
    """Its head is held by one, two are needed."""
    liar = Endpoint(events=EVENTS | {900: (9, b"\xbb" * 32)})

    found = ask(Endpoint(), liar, Endpoint(), needed=2)

    assert sizes(found) == [3, 7, 9]
    assert all(head.root != b"\xbb" * 32 for head in found.heads)
    assert "size 9 with root bbbbbbbbbbbbbbbb... is held by 1 of 3 endpoints" in found.notes[0]


def test_stale_endpoint_confirms_what_it_has() -> None:
    """The newest head waits for another one to see it."""
    stale = Endpoint(events={at: head for at, head in EVENTS.items() if at < 900})

    found = ask(Endpoint(), stale, needed=2)

    assert sizes(found) == [3, 7]
    assert "size 9" in found.notes[0]


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (Endpoint(code=b""), "holds other code than the pinned one"),
        (Endpoint(events={1: (2, b"short")}), "did not answer"),
    ],
    ids=["other code", "no head"],
)
def test_endpoint_of_no_use_is_named(endpoint: Endpoint, words: str) -> None:
    """When none is of use nothing is said of the log."""
    with pytest.raises(BridgeError, match=words):
        ask(endpoint)


def test_endpoint_of_another_chain_is_not_asked() -> None:
    """It has nothing to say of this contract."""
    found = ask(Endpoint(), Endpoint(chain="0x2"))

    assert (sizes(found), found.notes) == ([3, 7, 9], ())


def test_endpoints_of_other_chains_alone_are_no_audit() -> None:
    """Nothing was compared: silence would sound as if all had agreed."""
    with pytest.raises(BridgeError, match="no endpoint is of eip155:1: the contract there was not"):
        ask(Endpoint(chain="0x2"))


def test_log_without_a_pinned_contract_is_said_to_be_compared_with_nothing() -> None:
    """Its heads may stand in calldata, of which there is no list."""
    found = anchored_heads(["http://127.0.0.1:1"], Trust(), "log")

    assert found.heads == ()
    assert "pins no contract of this log" in found.notes[0]
    assert anchored_heads([], Trust(), "log").notes == ()
