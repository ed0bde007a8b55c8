"""The embedded dev chain as a process: JSON-RPC over HTTP on loopback, its blocks kept on disk.

It has the interface and block form of a real network and none of its worth: whoever runs it can
rewrite it, and it says so in its client version, in `fhir_anchor_notice` and in its output.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec
from eth_keys.datatypes import PrivateKey

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.members import MAX_DEPTH, nesting
from bridge.durable import replace_file
from bridge.embedded import KEY_FILE
from bridge.embedded.ethrpc import NOTICE, Answerer, RpcError
from bridge.embedded.evmchain import CHAIN_ID, EvmChain
from bridge.ports.sources import Clock, Entropy

__all__ = ["CHAIN_ID", "KEY_FILE", "open_devchain", "run"]

_BLOCKS_FILE: Final = "devchain.blocks"

# A deployment is 12 KB of JSON and an anchor under 1 KB: 1 MiB leaves room for any batch we send.
_MAX_REQUEST: Final = 1024 * 1024
# web3's own batches are far below; keeps one client from holding the chain for long.
_MAX_BATCH: Final = 100
_IDLE_TIMEOUT_S: Final = 60


def run(
    data_dir: Path,
    host: str,
    port: int,
    *,
    clock: Clock,
    entropy: Entropy,
    out: TextIO = sys.stdout,
) -> None:
    """Serve until interrupted. Port 0 takes a free one.

    Says one line `devchain http://HOST:PORT chain_id=13371 head=N ...` on `out` when it serves.
    The same folder gives the same chain: hashes, receipts, state. Killing it at any moment loses
    no block whose transaction was answered.
    """
    with open_devchain(data_dir, host, port, clock=clock, entropy=entropy) as server:
        out.write(f"devchain {server.url} chain_id={CHAIN_ID} head={server.head} - {NOTICE}\n")
        out.flush()
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            return


@contextmanager
def open_devchain(
    data_dir: Path, host: str, port: int, *, clock: Clock, entropy: Entropy
) -> Iterator["DevServer"]:
    """A bound server that does not serve yet; closes chain and socket at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    blocks = data_dir / _BLOCKS_FILE
    key = _funded_key(data_dir / KEY_FILE, entropy, fresh=not blocks.exists())
    chain = EvmChain(blocks, funded=key.public_key.to_canonical_address(), clock=clock)
    try:
        with DevServer((host, port), chain) as server:
            yield server
    finally:
        chain.close()


class DevServer(ThreadingHTTPServer):
    """Threads read requests; one lock lets one of them at the chain."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], chain: EvmChain) -> None:
        """Bind."""
        super().__init__(address, _Handler)
        self._chain = chain
        self._answerer = Answerer(chain)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def head(self) -> int:
        """Height of the newest block."""
        return self._chain.head.block_number

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is not news; anything else is ours and is printed."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on

    def answer(self, body: bytes) -> bytes:
        """The response to a request body: one object, or one a request of a batch."""
        try:
            request = _parsed(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return msgspec.json.encode(_failure(None, RpcError(-32700, "parse error")))
        if not isinstance(request, list):
            return _told([self._one(request)])[1:-1]
        if not 1 <= len(request) <= _MAX_BATCH:
            return msgspec.json.encode(
                _failure(None, RpcError(-32600, f"a batch has 1 to {_MAX_BATCH} requests"))
            )
        return _told([self._one(each) for each in request])

    def _one(self, request: object) -> dict[str, Any] | None:
        """One request's answer; None for a notification, which is carried out and not answered."""
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failure(None, RpcError(-32600, "invalid request"))
        number = request.get("id")
        if not isinstance(number, str | int | float | None) or isinstance(number, bool):
            return _failure(None, RpcError(-32600, "an id is a string, a number or null"))
        answer = self._answered(number, request)
        return answer if "id" in request else None

    def _answered(self, number: object, request: dict[str, Any]) -> dict[str, Any]:
        params = request.get("params")
        params = [] if params is None else params
        if not isinstance(params, list):
            return _failure(number, RpcError(-32602, "params must be an array"))
        try:
            with self._lock:
                result = self._answerer.answer(request["method"], params)
        except RpcError as error:
            return _failure(number, error)
        return {"jsonrpc": "2.0", "id": number, "result": result}


class _Handler(BaseHTTPRequestHandler):
    server: DevServer
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_TIMEOUT_S

    def do_POST(self) -> None:
        """JSON-RPC over HTTP."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > _MAX_REQUEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._send(self.server.answer(self.rfile.read(int(length))))

    def log_message(self, *_: object) -> None:
        """Requests are not logged: the chain is quiet and so is its process."""

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_error(status)

    def _send(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parsed(body: bytes) -> object:
    """Depth first: in this process the parser would end in a stack overflow, see `nesting`."""
    if nesting(body) > MAX_DEPTH:
        raise msgspec.DecodeError
    return msgspec.json.decode(body)


def _told(answers: list[dict[str, Any] | None]) -> bytes:
    """The body; empty when there were notifications alone (JSON-RPC 2.0 s4.1 and s6)."""
    said = [answer for answer in answers if answer is not None]
    return msgspec.json.encode(said) if said else b""


def _failure(number: object, error: RpcError) -> dict[str, Any]:
    what: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        what["data"] = error.data
    return {"jsonrpc": "2.0", "id": number, "error": what}


def _funded_key(path: Path, entropy: Entropy, *, fresh: bool) -> PrivateKey:
    """The account that genesis funds; made before the first block and never again."""
    if path.exists():
        return PrivateKey(bytes.fromhex(path.read_text("ascii").strip()))
    if not fresh:
        raise BridgeError(
            "devchain-key-missing",
            Fault.OPERATOR,
            what="the dev chain has blocks and its funded account has no key",
            where=path.name,
            do="restore the key file, or start a new dev chain in an empty folder",
        )
    key = PrivateKey(entropy.take(32))
    replace_file(path, f"{key.to_bytes().hex()}\n".encode())
    return key
