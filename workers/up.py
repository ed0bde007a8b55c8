"""`fhir-anchor up`: a whole node on one machine, embedded parts where no URL is set."""

import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.core.errors import BridgeError, Fault
from bridge.embedded import postgres
from bridge.settings import Settings
from bridge.telemetry import configure_logs
from workers.alone import alone
from workers.children import Child, Children
from workers.wiring import Services

__all__ = ["Running", "run", "running"]

START_WITHIN_S = 90.0
"""Python, PostgreSQL recovery and a chain replay on a slow, busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where the node serves."""

    http: str
    mllp: str
    chain: str
    store: str


def run(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM; says one line `ready http=... mllp=... chain=...`."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running(settings) as node:
        sys.stdout.write(f"ready http={node.http} mllp={node.mllp} chain={node.chain}\n")
        sys.stdout.flush()
        stop.wait()


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """A node that serves inside the block, and is gone after it.

    Raises:
        BridgeError: `node-running`, `port-busy`, `child-not-ready`, or what an embedded part says.
    """
    log = configure_logs("up")
    (settings.data / "logs").mkdir(parents=True, exist_ok=True)
    with alone(settings.data) as lock:
        children = Children(
            on_restart=lambda name: log.warning("restarted", process=name), inherited=(lock,)
        )
        try:
            yield _start(_placed(settings), children)
        finally:
            children.stop()
            if not settings.store.url:
                postgres.stop(settings.data)


def _placed(settings: Settings) -> Settings:
    """The settings with every address decided: a free port where there was 0."""
    http, mllp = settings.http, settings.mllp
    return settings.model_copy(
        update={
            "data": settings.data.resolve(),
            "http": http.model_copy(update={"port": _port(http.host, http.port, "http")}),
            "mllp": mllp.model_copy(update={"port": _port(mllp.host, mllp.port, "mllp")}),
        }
    )


def _start(settings: Settings, children: Children) -> Running:
    """Start everything side by side; only the tables must be there before who reads them."""
    if not settings.chain.rpc:
        settings = _with_devchain(settings, children)
    if not settings.store.url:
        settings = _with_postgres(settings, children)
    Services(settings).prepare()
    http = f"http://{_bracketed(settings.http.host)}:{settings.http.port}"
    mllp = settings.mllp
    children.start(_child(settings, "api", ready=lambda: _answers(f"{http}/healthz")))
    children.start(_child(settings, "mllp", ready=lambda: _accepts(mllp.host, mllp.port)))
    children.start(_child(settings, "worker"))
    children.start(_child(settings, "beat"))
    children.wait(within_s=START_WITHIN_S)
    children.watch()
    return Running(
        http=http,
        mllp=f"{mllp.host}:{mllp.port}",
        chain=settings.chain.rpc[0],
        store=settings.store.url,
    )


def _with_devchain(settings: Settings, children: Children) -> Settings:
    host, port = "127.0.0.1", _port("127.0.0.1", 0, "devchain")
    command = ("devchain", "--host", host, "--port", str(port))
    children.start(_child(settings, *command, ready=lambda: _accepts(host, port)))
    chain = settings.chain.model_copy(update={"rpc": (f"http://{host}:{port}",)})
    return settings.model_copy(update={"chain": chain})


def _with_postgres(settings: Settings, children: Children) -> Settings:
    store = settings.store.model_copy(update={"url": postgres.start(settings.data)})
    children.keep(EmbeddedPostgres(settings.data))
    return settings.model_copy(update={"store": store})


class EmbeddedPostgres:
    """The embedded server, which keeps its socket over a restart: the URL stays."""

    name = "postgres"

    def __init__(self, data: Path) -> None:
        """Of this folder."""
        self._data = data

    def ended(self) -> bool:
        """True when no postmaster of this folder lives."""
        return not postgres.is_running(self._data)

    def start(self) -> None:
        """Start it again; it recovers by itself. Raises BridgeError when it does not."""
        postgres.start(self._data)


def _child(
    settings: Settings, name: str, *arguments: str, ready: Callable[[], bool] = lambda: True
) -> Child:
    return Child(
        name=name,
        arguments=(name, *arguments),
        ready=ready,
        environment=settings.as_environment(),
        log=settings.data / "logs" / f"{name}.log",
    )


def _port(host: str, port: int, section: str) -> int:
    """The port if it is free, or any free one for 0.

    Raises:
        BridgeError: `port-busy`, before anything is started.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BridgeError(
                "port-busy",
                Fault.OPERATOR,
                what=f"{host}:{port} cannot be listened on: {error.strerror or error}",
                where=f"{section}.port",
                do=f"stop what uses it, or choose another with --{section} HOST:PORT",
            ) from error
        bound: int = probe.getsockname()[1]
        return bound


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http URL
            return bool(response.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
