"""Real stamping services on loopback: OpenTimestamps calendars and a time-stamp authority.

The calendar is built on the reference library, the authority on `openssl ts`: what the product
reads was therefore never made by the product, and what it writes they read.
"""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

from tests.conftest import require_program

__all__ = ["Calendar", "Tsa", "bitcoin_header", "library_bytes"]

BLOCK_TIME_S = 1_790_000_000
BLOCK_TIME = "2026-09-21T14:13:20Z"
HEIGHT = 900_001


def library_bytes(timestamp: Any) -> bytes:
    """As the reference library writes a timestamp."""
    context = BytesSerializationContext()
    timestamp.serialize(context)
    written: bytes = context.getbytes()
    return written


def bitcoin_header(merkle_root: bytes, *, time_s: int = BLOCK_TIME_S) -> bytes:
    """A header with the least work that there is, as on a regtest chain."""
    head = (4).to_bytes(4, "little") + bytes(32) + merkle_root + time_s.to_bytes(4, "little")
    for nonce in range(1 << 20):
        header = head + bytes.fromhex("ffff7f20") + nonce.to_bytes(4, "little")
        work = hashlib.sha256(hashlib.sha256(header).digest()).digest()
        if work[31] < 0x7F:
            return header
    raise AssertionError


@dataclass(kw_only=True)
class Calendar:
    """A calendar server: promises at once, and keeps its promises when a block is mined."""

    url: str = ""
    kept: dict[bytes, Any] = field(default_factory=dict)
    headers: dict[int, bytes] = field(default_factory=dict)
    failing: bool = False
    asked: list[str] = field(default_factory=list)

    def submit(self, digest: bytes) -> bytes:
        """POST /digest."""
        stamp = Timestamp(digest)
        commitment = stamp.ops.add(OpAppend(self.url[-5:].encode())).ops.add(OpSHA256())
        commitment.attestations.add(PendingAttestation(self.url))
        self.kept.setdefault(commitment.msg, None)
        return library_bytes(stamp)

    def mine(self, height: int = HEIGHT) -> bytes:
        """Put all that was promised under the Merkle root of one block; its header."""
        header = b""
        for commitment in self.kept:
            stamp = Timestamp(commitment)
            inner = stamp.ops.add(OpPrepend(b"transaction")).ops.add(OpSHA256())
            root = inner.ops.add(OpSHA256())
            root.attestations.add(BitcoinBlockHeaderAttestation(height))
            self.kept[commitment] = library_bytes(stamp)
            header = self.headers[height] = bitcoin_header(root.msg)
        return header

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """One HTTP request."""
        self.asked.append(f"{method} {path}")
        if self.failing:
            return 503, b""
        if (method, path) == ("POST", "/digest"):
            return 200, self.submit(body)
        found = self.kept.get(bytes.fromhex(path.removeprefix("/timestamp/")))
        return (200, found) if found else (404, b"Pending confirmation in Bitcoin blockchain")


@dataclass(frozen=True, kw_only=True)
class Tsa:
    """`openssl ts` with a root and a signing certificate of its own."""

    folder: Path
    url: str = ""

    @property
    def root_pem(self) -> str:
        """The certificate to trust."""
        return (self.folder / "root.pem").read_text("ascii")

    def answer(self, query: bytes) -> bytes:
        """A TimeStampResp."""
        (self.folder / "query.tsq").write_bytes(query)
        _openssl(
            self.folder,
            *("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq"),
            *("-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply.tsr"),
        )
        return (self.folder / "reply.tsr").read_bytes()

    def accepts(self, response: bytes, data: bytes) -> bool:
        """`openssl ts -verify`."""
        (self.folder / "given.tsr").write_bytes(response)
        (self.folder / "data").write_bytes(data)
        done = subprocess.run(
            [
                *("openssl", "ts", "-verify", "-in", "given.tsr", "-data", "data"),
                *("-CAfile", "root.pem"),
            ],
            cwd=self.folder,
            check=False,
            capture_output=True,
        )
        return done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr


_CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[leaf]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[server]
basicConstraints = CA:false
extendedKeyUsage = critical, serverAuth
[tsa]
default_tsa = it
[it]
dir = .
serial = ./serial
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
signer_digest = sha256
"""


def make_tsa(folder: Path, *, subject: str = "Test TSA", use: str = "leaf") -> Tsa:
    """Keys and certificates of a new authority."""
    (folder / "tsa.cnf").write_text(_CONFIG, "ascii")
    (folder / "serial").write_text("01\n", "ascii")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        folder,
        *("req", "-x509", *curve, "-keyout", "root.key", "-out", "root.pem", "-days", "3650"),
        *("-subj", f"/CN={subject} root", "-config", "tsa.cnf", "-extensions", "ca"),
    )
    _openssl(
        folder,
        *("req", *curve, "-keyout", "tsa.key", "-out", "tsa.csr", "-config", "tsa.cnf"),
        *("-subj", f"/CN={subject}"),
    )
    _openssl(
        folder,
        *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
        *("-CAcreateserial", "-out", "tsa.pem", "-days", "3650", "-extfile", "tsa.cnf"),
        *("-extensions", use),
    )
    return Tsa(folder=folder)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


Answer = Callable[[str, str, bytes], tuple[int, bytes]]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """An HTTP server on loopback while the block runs; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            status, body = answer(self.command, self.path, self.rfile.read(size))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _do  # noqa: N815  the names that the base class calls

        def log_message(self, *_: object) -> None:
            """Tests read the product's output alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def calendars() -> Iterator[tuple[Calendar, Calendar]]:
    """Two calendars that know nothing of each other."""
    first, second = Calendar(), Calendar()
    with serving(first.answer) as one, serving(second.answer) as two:
        first.url, second.url = one, two
        yield first, second


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tsa]:
    """A time-stamp authority with a door on loopback."""
    require_program("openssl")
    made = make_tsa(tmp_path_factory.mktemp("tsa"))
    with serving(lambda _method, _path, body: (200, made.answer(body))) as url:
        yield Tsa(folder=made.folder, url=url)
