"""Endpoints that lie, lag or overflow: what k of n say alike is believed, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.chain.rpc import Endpoint, Endpoints, RpcRefusal
from bridge.core.errors import BridgeError
from tests.fakes.node import serve_node

CHAIN_ID = 13371
Farm = Callable[..., Endpoints]


@pytest.fixture
def farm() -> Iterator[Farm]:
    """Endpoints, each of which gives one fixed answer to everything but its chain id."""
    with ExitStack() as stack:

        def grow(*said: Any, agree: int, chain_id: str = hex(CHAIN_ID)) -> Endpoints:
            def node(one: Any) -> str:
                return stack.enter_context(
                    serve_node(lambda method, _: chain_id if method == "eth_chainId" else one)
                )

            made = Endpoints(
                [Endpoint(node(one), chain_id=CHAIN_ID, timeout_s=2) for one in said], agree=agree
            )
            stack.callback(made.close)
            return made

        yield grow


def plain(answer: Any) -> Any:
    """The answer as it is."""
    return answer


def number(answer: Any) -> int:
    """A quantity."""
    return int(answer, 16)


@pytest.mark.parametrize(
    "liar",
    [
        pytest.param("0xbad", id="other-answer"),
        pytest.param(None, id="null"),
        pytest.param(429, id="too-many-requests"),
        pytest.param(503, id="down"),
        pytest.param(b"<html>", id="no-json"),
        pytest.param(b"[]", id="no-answer"),
        pytest.param(b'{"id":1}', id="neither-result-nor-error"),
        pytest.param(Exception("header not found"), id="refusal"),
    ],
)
def test_one_liar_of_three_is_outvoted(farm: Farm, liar: Any) -> None:
    """Wherever it stands in the list."""
    for place in range(3):
        said: list[Any] = ["0x1", "0x1"]
        said.insert(place, liar)

        assert farm(*said, agree=2).ask("eth_call", read=plain) == "0x1"


def test_one_honest_endpoint_of_three_is_not_enough(farm: Farm) -> None:
    """With two needed alike, two different lies stop everything, and say so."""
    endpoints = farm("0x1", "0xbad", 429, agree=2)

    with pytest.raises(BridgeError) as refused:
        endpoints.ask("eth_call", read=plain)

    assert str(refused.value) == (
        "2 of 3 endpoints gave a usable answer and no 2 of them the same (eth_call) - "
        "see that the endpoints of chain.rpc run, are in step, and serve this chain"
    )


def test_height_is_one_that_k_endpoints_have_reached(farm: Farm) -> None:
    """One endpoint that runs ahead, honestly or not, moves nothing."""
    assert farm("0x5", "0xffff", "0x4", agree=2).highest("eth_blockNumber", read=number) == 5


def test_zero_means_a_majority(farm: Farm) -> None:
    """Two of three."""
    assert farm("0x5", "0x9", "0x4", agree=0).highest("eth_blockNumber", read=number) == 5


def test_endpoint_of_another_chain_does_not_count(farm: Farm) -> None:
    """A mistyped URL is silent rather than believed."""
    with pytest.raises(BridgeError, match="0 of 1 endpoints"):
        farm("0x1", agree=1, chain_id="0x1").ask("eth_call", read=plain)


def test_answer_without_end_is_cut_off(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node cannot fill our memory."""
    monkeypatch.setattr("bridge.chain.rpc._MAX_ANSWER_BYTES", 1000)

    with pytest.raises(BridgeError, match="0 of 1 endpoints"):
        farm("0x" + "00" * 1000, agree=1).ask("eth_getCode", read=plain)


def test_part_that_cannot_be_read_is_no_answer(farm: Farm) -> None:
    """The reader's own refusal counts as silence."""
    assert farm("junk", "0x2", agree=1).ask("eth_blockNumber", read=number) == 2


def test_broadcast_reports_every_answer(farm: Farm) -> None:
    """One that takes it, one that refuses, one that is down."""
    answers = farm("0xaa", Exception("already known"), 503, agree=1).tell("eth_sendRawTransaction")

    assert answers == ("0xaa", RpcRefusal(code=-32000, message="already known"))


def test_more_agreement_than_endpoints_is_refused(farm: Farm) -> None:
    """At start-up, not in the night."""
    with pytest.raises(BridgeError, match=r"3 endpoints must agree and 1 are configured"):
        farm("0x1", agree=3)
