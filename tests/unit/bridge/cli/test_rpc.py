"""The JSON-RPC reader over a real socket: right answers, lies, garbage, silence."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bridge.cli.rpc import MAX_ANSWER, JsonRpcReader, readers_of
from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.keccak import keccak256

pytestmark = pytest.mark.enable_socket

HASH = "0x" + "ab" * 32
HEAD = bytes.fromhex("11" * 32) + b"".join(n.to_bytes(32) for n in (41, 3, 7, 9))
ANSWERS: dict[str, Any] = {
    "eth_chainId": "0x7a69",
    "eth_blockNumber": "0x64",
    "eth_getBlockByNumber": {"hash": HASH, "number": "0x5a"},
    "eth_getCode": "0x6001",
    "eth_call": "0x" + HEAD.hex(),
}


@contextmanager
def _serving(reply: Any) -> Iterator[str]:
    """A server that answers each call by `reply(method) -> (status, body bytes)`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = reply(json.loads(body)["method"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/secret-api-key"
        finally:
            server.shutdown()
            thread.join()


def _result(value: Any) -> Any:
    return lambda _: (200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode())


def test_five_reads() -> None:
    """Chain, block, heights, code and head are read from one endpoint."""
    with _serving(lambda method: _result(ANSWERS[method])(method)) as url:
        reader = JsonRpcReader(url)
        block, code = reader.block_hash(42), reader.code_hash(b"\1" * 20)
        live = reader.head(b"\1" * 20, b"\2" * 32)

        assert (reader.chain(), reader.height(), reader.finalized()) == ("eip155:31337", 100, 90)

    assert (block, code) == (bytes.fromhex(HASH[2:]), keccak256(b"\x60\x01"))
    assert (live.size, live.root.hex()) == (41, "11" * 32)


def test_absent_block_is_an_answer() -> None:
    """A node that lacks the block says null, which is not an error."""
    with _serving(_result(None)) as url:
        assert JsonRpcReader(url).block_hash(1) is None


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(lambda _: (429, b"slow down"), "HTTP 429", id="rate-limit"),
        pytest.param(lambda _: (200, b"<html>"), "not JSON", id="html"),
        pytest.param(lambda _: (200, b"[" * 100_000), "not JSON", id="deep"),
        pytest.param(lambda _: (200, b"[]"), "not an object", id="list"),
        pytest.param(lambda _: (200, b"x" * (MAX_ANSWER + 1)), "exceeds", id="endless"),
        pytest.param(
            lambda _: (200, b'{"id":1,"error":{"code":-32000,"message":"x"}}'),
            "error -32000",
            id="error",
        ),
        pytest.param(lambda _: (200, b'{"id":2,"result":"0x1"}'), "without a result", id="id"),
        pytest.param(_result("1"), "a quantity is not", id="decimal"),
        pytest.param(_result({}), "a quantity is not", id="object"),
        pytest.param(_result("0x" + "f" * 17), "a quantity is not", id="over-64-bits"),
    ],
)
def test_bad_answer_is_a_peer_fault(reply: Any, words: str) -> None:
    """Whatever an endpoint answers, the reader gives a value or one clean refusal."""
    with _serving(reply) as url, pytest.raises(BridgeError, match=words) as refusal:
        JsonRpcReader(url).chain()

    assert refusal.value.fault is Fault.PEER
    assert "secret-api-key" not in str(refusal.value)


@pytest.mark.parametrize("value", ["0x12", "0xzz", 7, ["0x"]])
def test_head_of_another_form_is_refused(value: Any) -> None:
    """A head is five words."""
    with _serving(_result(value)) as url, pytest.raises(BridgeError):
        JsonRpcReader(url).head(b"\1" * 20, b"\2" * 32)


def test_closed_port_is_a_peer_fault() -> None:
    """An endpoint that is down is said to be down."""
    with pytest.raises(BridgeError, match="it cannot be reached"):
        JsonRpcReader("http://127.0.0.1:9").chain()


def test_address_that_is_spelt_in_two_ways_is_one_voice() -> None:
    """Else one endpoint would be the two that must agree."""
    same = ("https://Node-A.example/v3/", "https://node-a.example:443/v3")
    others = ("https://node-a.example/v4", "http://node-a.example/v3", "https://node-b.example/v3")

    assert len(readers_of(same)) == 1
    assert [one.name for one in readers_of((*same, *others))] == [
        *("node-a.example", "node-a.example", "node-a.example", "node-b.example")
    ]
