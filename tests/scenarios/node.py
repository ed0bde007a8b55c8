"""A real node for scenarios: `fhir-anchor up` with every process of it, never eager."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import pytest

from bridge.core.proof.report import Report
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.embedded import postgres

__all__ = [
    "CHILDREN",
    "NIGHTLY",
    "Node",
    "accepts",
    "command",
    "free_port",
    "node",
    "node_folder",
    "start_node",
    "until",
]

CHILDREN = ("api", "mllp", "worker", "beat", "devchain")
NIGHTLY = os.environ.get("FHIR_ANCHOR_TEST_NIGHTLY") == "1"
"""The long form of the scenarios; the short one is for every commit."""
READY_WITHIN_S = 120.0
LOOKS_WITHIN_S = 3600.0
"""For audit and fsck of a run of any length."""
QUICK = {
    "FHIR_ANCHOR__LOG__ORIGIN": "scenario.fhir-anchor.invalid/log",
    "FHIR_ANCHOR__LOG__MAX_AGE_S": "0.5",
    "FHIR_ANCHOR__ANCHOR__EVERY_S": "0.5",
    "FHIR_ANCHOR__ANCHOR__WATCH_S": "0.5",
}
"""A checkpoint and an anchor twice a second, so that a scenario waits for work, not clocks."""


def until(true: Callable[[], bool], *, within_s: float, otherwise: str) -> None:
    """Wait until it holds; fail with `otherwise` when it does not in time."""
    limit = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < limit, f"{otherwise}, after {within_s:g} s"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def command(
    *arguments: str, within_s: float = 150, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """`fhir-anchor <arguments>` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "workers.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=within_s,
        env={**os.environ, **environment},
    )


def accepts(address: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(address, timeout=2):
            return True
    except OSError:
        return False


class Node:
    """One `up` process on a folder; `start` may be called again after `stop` or `kill_all`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, doors: str = "") -> None:
        """Nothing runs yet. `doors` are further arguments of `up`."""
        self.folder = folder
        self._environment = {**QUICK, **environment}
        self._doors = doors.split() or ["--http", "127.0.0.1:0", "--mllp", "127.0.0.1:0"]
        self._said: IO[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self.http = self.chain = ""
        self.mllp: tuple[str, int] = ("", 0)

    def start(self) -> None:
        """Run `up` and wait for its line `ready http=... mllp=... chain=...`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said = self.folder / "up.out"
        with said.open("w") as out, (self.folder / "up.err").open("a") as err:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "workers.main", "up"),
                    *("--data", str(self.folder), *self._doors),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
                env={**os.environ, **self._environment},
            )
        until(lambda: self._is_up(said), within_s=READY_WITHIN_S, otherwise="the node is not ready")
        places = dict(part.split("=", 1) for part in said.read_text().split()[1:])
        self.http, self.chain = places["http"], places["chain"]
        host, _, port = places["mllp"].rpartition(":")
        self.mllp = (host, int(port))

    def _is_up(self, said: Path) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "up.err").read_text()[-2000:]
        return said.read_text().endswith("\n")

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code of `up`."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=60)
        self._process = None
        return code

    def kill_up(self) -> None:
        """Kill -9 of `up` alone; what it started ends by itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=30)
        self._process = None

    def close(self) -> None:
        """End everything, whatever a test left; the database too."""
        try:
            self.stop()
        finally:
            postgres.stop(self.folder)

    # Doors, of which a fleet has several

    @property
    def https(self) -> tuple[str, ...]:
        """Where HTTP is served."""
        return (self.http,)

    @property
    def mllps(self) -> tuple[tuple[str, int], ...]:
        """Where MLLP is served."""
        return (self.mllp,)

    @property
    def store_url(self) -> str:
        """Of its PostgreSQL, started if it does not run."""
        return postgres.start(self.folder)

    # Processes

    def children(self, name: str) -> list[psutil.Process]:
        """The living processes `fhir-anchor NAME` of this node, Celery's own children included."""
        found = []
        for process in psutil.Process(self._root).children(recursive=True):
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            if words[1:4] == ["-m", "workers.main", name]:
                found.append(process)
        return found

    @property
    def _root(self) -> int:
        """The process whose descendants the node's processes are."""
        assert self._process is not None
        return self._process.pid

    def postmaster(self) -> psutil.Process | None:
        """The embedded PostgreSQL, while it runs."""
        try:
            first = (self.folder / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0]
            return psutil.Process(int(first))
        except (OSError, ValueError, psutil.NoSuchProcess):
            return None

    def backends(self) -> list[psutil.Process]:
        """PostgreSQL's processes that serve a connection of ours."""
        server = self.postmaster()
        try:
            families = server.children() if server else []
            return [one for one in families if "[local]" in " ".join(one.cmdline())]
        except psutil.NoSuchProcess:
            return []

    # HTTP

    def is_ready(self, url: str = "") -> bool:
        """Whether an API serves and says that it is ready."""
        try:
            head = {"Authorization": f"Bearer {self.token}"}
            return httpx.get(f"{url or self.http}/readyz", headers=head, timeout=10).is_success
        except (OSError, httpx.HTTPError):
            return False

    @property
    def origin(self) -> str:
        """Of its log."""
        return self._environment["FHIR_ANCHOR__LOG__ORIGIN"]

    @property
    def token(self) -> str:
        """The admin token."""
        return (self.folder / "admin.token").read_text().strip()

    def client(self, token: str | None = None) -> httpx.Client:
        """HTTP with the admin token, or another."""
        return httpx.Client(
            base_url=self.http,
            timeout=60,
            headers={"Authorization": f"Bearer {token or self.token}"},
        )

    def records(self) -> list[dict[str, Any]]:
        """All records, newest first, page by page."""
        rows: list[dict[str, Any]] = []
        page = ""
        with self.client() as client:
            while True:
                said = client.get("/records", params={"count": 1000, "page": page})
                assert said.status_code == 200, said.text
                found = said.json()
                rows += found["records"]
                page = found["next"] or ""
                if not page:
                    return rows

    def wait_final(self, *, within_s: float = 60.0) -> list[dict[str, Any]]:
        """Wait until every record is projected and under a final anchor; all records."""
        limit = time.monotonic() + within_s
        while self.waiting():
            assert time.monotonic() < limit, f"{self.backlog()} wait, after {within_s:g} s"
            time.sleep(0.2)
        while True:
            rows = self.records()
            late = [row for row in rows if row["status"] != "final" or not row["projected"]]
            if not late:
                return rows
            state = {(row["status"], bool(row["projected"])) for row in late}
            assert time.monotonic() < limit, f"{len(late)} of {len(rows)} are only {state}"
            time.sleep(0.2)

    def wait_quiet(self, *, within_s: float = 30.0) -> None:
        """Wait until no leaf is without a final anchor, so that a stop leaves nothing under way."""
        until(lambda: self.waiting() == 0, within_s=within_s, otherwise="leaves still wait")

    def waiting(self) -> float:
        """Records and leaves that are not projected, sequenced or anchored, by the metrics."""
        return sum(self.backlog().values())

    def backlog(self) -> dict[str, float]:
        """The same, by what they wait for."""
        with self.client() as client:
            lines = client.get("/metrics").text.splitlines()
        gauges = dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
        names = ("unprojected_records", "unsequenced_leaves", "unanchored_leaves")
        return {name: float(gauges[f"fhir_anchor_{name}"]) for name in names}

    def proof(self, record: str) -> tuple[bytes, bytes]:
        """Receipt and bundle of a record."""
        with self.client() as client:
            receipt = client.get(f"/records/{record}/receipt")
            bundle = client.get(f"/records/{record}/bundle")
        assert (receipt.status_code, bundle.status_code) == (200, 200), (receipt.text, bundle.text)
        return receipt.content, bundle.content

    def verify(self, receipt: bytes, document: bytes) -> Report:
        """Offline, by the trust file alone."""
        trust = parse_trust((self.folder / "trust.toml").read_bytes())
        return verify(receipt, document, trust=trust, chain=())

    def audit(self, *, strict: bool = True) -> str:
        """What `fhir-anchor audit` says; `strict`: it must find nothing."""
        where = ("--url", self.http, "--rpc", self.chain, "--data", str(self.folder))
        done = command("audit", *where, within_s=LOOKS_WITHIN_S)
        assert not (strict and done.returncode), done.stdout + done.stderr
        return done.stdout

    def fsck(self, *, strict: bool = True) -> str:
        """What `fhir-anchor fsck` says; `strict`: it must find nothing."""
        where = ("--data", str(self.folder))
        done = command("fsck", *where, within_s=LOOKS_WITHIN_S, **self._environment)
        assert not (strict and done.returncode), done.stdout + done.stderr
        return done.stdout

    def logs(self) -> dict[str, str]:
        """Every log of the node, by name."""
        files = [*(self.folder / "logs").iterdir(), self.folder / "up.err"]
        return {file.name: file.read_text(errors="replace") for file in files}


@contextmanager
def node_folder() -> Iterator[Path]:
    """A fresh folder; pytest's own are closed to the user that serves PostgreSQL for root."""
    folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-node-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def start_node(**environment: str) -> Iterator[Node]:
    """A node that serves inside the block, in a folder of its own."""
    with node_folder() as folder:
        made = Node(folder / "node", environment)
        try:
            made.start()
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """One node for the tests of a module."""
    with start_node() as made:
        yield made
