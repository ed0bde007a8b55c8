"""Endpoints that lie, lag or overflow: what k of n say alike is believed, and nothing else."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from bridge.chain.endpoint import Endpoint, RpcRefusal
from bridge.chain.rpc import Endpoints
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
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"result":"0x1', id="truncated-json"),
        pytest.param(b'{"result":' + b"[" * 100_000, id="nesting-bomb"),
        pytest.param(b'{"result":' + b"9" * 9_999 + b"}", id="number-bomb"),
        pytest.param(b'{"error":"no"}', id="error-of-another-form"),
        pytest.param(b'{"error":{"code":[],"message":{}}}', id="error-of-another-type"),
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

    assert re.sub(r"127.0.0.1:[0-9]+", "HOST", str(refused.value)) == (
        "2 of 3 endpoints gave a usable answer and no 2 of them the same: HOST gave answer 1, "
        "HOST gave answer 2, HOST answered HTTP 429 (eth_call) - "
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
    monkeypatch.setattr("bridge.chain.endpoint._MAX_ANSWER_BYTES", 1000)

    with pytest.raises(BridgeError, match="0 of 1 endpoints"):
        farm("0x" + "00" * 1000, agree=1).ask("eth_getCode", read=plain)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something on a port that says what it likes to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        talk(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def hang(_: socket.socket) -> None:
    """Take the question and say nothing for longer than anybody waits."""
    time.sleep(2)


def drip(connection: socket.socket) -> None:
    """A byte now and then: no pause is long enough to be a time-out."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n":
        connection.sendall(bytes([byte]))
        time.sleep(0.08)


def cut(connection: socket.socket) -> None:
    """Promise more than comes."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"result":"0x1"}')


def elsewhere(connection: socket.socket) -> None:
    """Send us to an address that nobody named, with an answer that would count."""
    body = b'{"jsonrpc":"2.0","id":1,"result":"0x343b"}'
    connection.sendall(
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        pytest.param(hang, "did not answer in time", id="hangs"),
        pytest.param(drip, "gave no answer within|did not answer in time", id="drips"),
        pytest.param(cut, "broke off its answer|cannot be reached", id="breaks-off"),
        pytest.param(elsewhere, "answered HTTP 307", id="redirects"),
    ],
)
def test_endpoint_that_wastes_time_is_named_and_let_alone(
    farm: Farm, monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None], words: str
) -> None:
    """The other two decide without it; alone it stops one call, and the next fails at once."""
    monkeypatch.setattr("bridge.chain.rpc.PATIENCE_S", 0.6)
    with raw_server(talk) as url:
        slow = Endpoint(url, chain_id=CHAIN_ID, timeout_s=0.3)
        honest = farm("0x5", "0x5", agree=2)._nodes
        trio = Endpoints([slow, *honest], agree=2)

        assert trio.ask("eth_call", read=plain) == "0x5"
        assert trio.highest("eth_blockNumber", read=number) == 5
        with pytest.raises(BridgeError, match=words):
            Endpoints([Endpoint(url, chain_id=CHAIN_ID, timeout_s=0.3)], agree=1).ask(
                "eth_call", read=plain
            )


def test_endpoint_that_turns_to_another_chain_midway_stops_counting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A load balancer behind one address may lead elsewhere later: the chain is asked for again."""
    monkeypatch.setattr("bridge.chain.endpoint._CHAIN_AGAIN_S", 0.0)
    chain = [hex(CHAIN_ID)]
    with serve_node(lambda method, _: chain[0] if method == "eth_chainId" else "0x7") as url:
        endpoints = Endpoints([Endpoint(url, chain_id=CHAIN_ID)], agree=1)
        assert endpoints.ask("eth_call", read=plain) == "0x7"
        chain[0] = "0x1"

        with pytest.raises(BridgeError, match=r"serves another chain: 0x1, expected 0x343b"):
            endpoints.ask("eth_call", read=plain)
        endpoints.close()


@pytest.mark.parametrize("answer", [None, True, [], {}, {"a": 1}, "0xzz", [[1]], {"logs": 3}])
def test_answer_of_another_form_is_silence_whatever_reads_it(farm: Farm, answer: Any) -> None:
    """No shape of JSON ends in anything but a refusal that names the endpoint."""
    with pytest.raises(BridgeError, match="gave an answer of another form"):
        farm(answer, agree=1).ask(
            "eth_getBlockByNumber", read=lambda it: it["logs"][0]["address"].lower()
        )


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
