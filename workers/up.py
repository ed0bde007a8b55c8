"""`fhir-anchor up`: a whole node on one machine, embedded parts where no URL is set."""

import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.embedded import postgres
from bridge.settings import Settings
from bridge.telemetry import configure_logs
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
        BridgeError: `port-busy`, `child-not-ready`, or what an embedded part says.
    """
    log = configure_logs("up")
    (settings.data / "logs").mkdir(parents=True, exist_ok=True)
    children = Children(on_restart=lambda name: log.warning("restarted", process=name))
    try:
        yield _start(_placed(settings), children)
    finally:
        children.stop()
        if not settings.store.url:
            postgres.stop(settings.data)


def _placed(settings: Settings) -> Settings:
    """The settings with every address decided: free ports for 0, the embedded database's URL."""
    http, mllp, store = settings.http, settings.mllp, settings.store
    return settings.model_copy(
        update={
            "data": settings.data.resolve(),
            "http": http.model_copy(update={"port": _port(http.host, http.port, "http")}),
            "mllp": mllp.model_copy(update={"port": _port(mllp.host, mllp.port, "mllp")}),
            "store": store.model_copy(update={"url": store.url or postgres.start(settings.data)}),
        }
    )


def _start(settings: Settings, children: Children) -> Running:
    """Start the processes in the order in which they need each other."""
    if not settings.chain.rpc:
        url = _start_devchain(settings, children)
        chain = settings.chain.model_copy(update={"rpc": (url,)})
        settings = settings.model_copy(update={"chain": chain})
    Services(settings).prepare()
    http = f"http://{_bracketed(settings.http.host)}:{settings.http.port}"
    waits = {
        "api": lambda: _answers(f"{http}/readyz"),
        "mllp": lambda: _accepts(settings.mllp.host, settings.mllp.port),
        "worker": lambda: True,
        "beat": lambda: True,
    }
    for name, ready in waits.items():
        children.start(_child(settings, name), ready=ready, within_s=START_WITHIN_S)
    children.watch()
    return Running(
        http=http,
        mllp=f"{settings.mllp.host}:{settings.mllp.port}",
        chain=settings.chain.rpc[0],
        store=settings.store.url,
    )


def _start_devchain(settings: Settings, children: Children) -> str:
    port = _port("127.0.0.1", 0, "devchain")
    child = _child(settings, "devchain", "--port", str(port))
    children.start(child, ready=lambda: _accepts("127.0.0.1", port), within_s=START_WITHIN_S)
    return f"http://127.0.0.1:{port}"


def _child(settings: Settings, name: str, *arguments: str) -> Child:
    return Child(
        name=name,
        arguments=(name, *arguments),
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
