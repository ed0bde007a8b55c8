"""A node in its production shape: several of each process over one PostgreSQL and one broker.

Each process is `fhir-anchor NAME` of its own, started again when it dies, as compose or systemd do.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bridge.embedded import postgres
from bridge.settings import load
from tests.brokers import Broker
from tests.scenarios.node import Node, accepts, free_port, node_folder, until
from workers.children import Child, Children
from workers.up import EmbeddedPostgres
from workers.wiring import Services

__all__ = ["Fleet", "start_fleet"]

READY_WITHIN_S = 180.0
HERE = (sys.executable, "-m", "workers.main")
"""`fhir-anchor` of the environment that the tests run in."""
Address = tuple[str, int]


class Fleet(Node):
    """`size` doors of each kind and as many workers; one beat, one dev chain."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        size: int,
        broker: Broker | None,
        program: Sequence[str],
    ) -> None:
        """Nothing runs yet; a broker that is given runs already."""
        super().__init__(folder, environment)
        self._size, self._program = size, program
        self._environment |= {"FHIR_ANCHOR__MLLP__PROCESSES": "1"}
        if broker is not None:
            self._environment |= {"FHIR_ANCHOR__QUEUE__URL": broker.url}
        self._children: Children | None = None
        self._https: tuple[str, ...] = ()
        self._mllps: tuple[Address, ...] = ()

    @property
    def https(self) -> tuple[str, ...]:
        """Where HTTP is served."""
        return self._https

    @property
    def mllps(self) -> tuple[Address, ...]:
        """Where MLLP is served."""
        return self._mllps

    @property
    def _root(self) -> int:
        return os.getpid()

    def start(self) -> None:
        """Run everything and wait until all doors serve."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        said = self.folder / "up.err"
        self._children = children = Children(on_restart=lambda name: _append(said, name))
        chain = free_port()
        self.chain = f"http://127.0.0.1:{chain}"
        self._environment |= {
            "FHIR_ANCHOR__DATA": str(self.folder),
            "FHIR_ANCHOR__STORE__URL": postgres.start(self.folder),
            "FHIR_ANCHOR__CHAIN__RPC": f'["{self.chain}"]',
        }
        children.keep(EmbeddedPostgres(self.folder))
        children.start(self._child("devchain", "--host", "127.0.0.1", "--port", str(chain)))
        services = Services(load(environment=self._environment))
        services.prepare()
        services.database.close()
        self._mllps = tuple(("127.0.0.1", free_port()) for _ in range(self._size))
        apis = [free_port() for _ in range(self._size)]
        self._https = tuple(f"http://127.0.0.1:{port}" for port in apis)
        self.http, self.mllp = self._https[0], self._mllps[0]
        for (_, door), api in zip(self._mllps, apis, strict=True):
            children.start(self._child("mllp", FHIR_ANCHOR__MLLP__PORT=str(door)))
            children.start(self._child("api", FHIR_ANCHOR__HTTP__PORT=str(api)))
            children.start(self._child("worker"))
        children.start(self._child("beat"))
        children.watch()
        until(self._serve, within_s=READY_WITHIN_S, otherwise="the fleet is not ready")

    def stop(self) -> int:
        """SIGTERM to all, and wait."""
        if self._children is not None:
            self._children.stop()
            self._children = None
        return 0

    def _serve(self) -> bool:
        return all(map(accepts, self._mllps)) and all(map(self.is_ready, self._https))

    def _child(self, name: str, *arguments: str, **environment: str) -> Child:
        return Child(
            name=name,
            program=HERE if name == "devchain" else self._program,
            arguments=(name, *arguments),
            environment={**self._environment, **environment},
            log=self.folder / "logs" / f"{name}.log",
        )


def _append(file: Path, name: str) -> None:
    with file.open("a") as out:
        out.write(f"restarted {name}\n")


@contextmanager
def start_fleet(
    *,
    size: int = 2,
    broker: Broker | None = None,
    folder: Path | None = None,
    program: Sequence[str] = HERE,
    **environment: str,
) -> Iterator[Fleet]:
    """A fleet that serves inside the block, in a folder of its own or below a given one.

    `program` is what runs, but for the dev chain.
    """
    with node_folder() as fresh:
        folder = (folder or fresh) / "node"
        made = Fleet(folder, environment, size=size, broker=broker, program=program)
        try:
            made.start()
            yield made
        finally:
            made.close()
