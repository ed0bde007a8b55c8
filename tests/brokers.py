"""Real brokers for tests: Redis and RabbitMQ, on ports of their own, killed and started again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import redis
from amqp import Connection
from amqp.exceptions import AMQPError

from tests.conftest import require_program
from tests.scenarios.node import free_port, until

__all__ = ["Broker", "Rabbit", "Redis", "broker_named"]

RABBIT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""Debian's wrapper on the PATH changes to the user `rabbitmq` and forgets the environment."""


class Broker(Protocol):
    """A broker of its own."""

    @property
    def url(self) -> str:
        """For `queue.url`."""

    def start(self) -> None:
        """Start, and wait until it answers."""

    def kill(self) -> None:
        """Kill -9."""

    def close(self) -> None:
        """Kill, and leave nothing."""


def broker_named(kind: str) -> Broker:
    """`redis` or `rabbitmq`, not started."""
    return Redis() if kind == "redis" else Rabbit()


class Redis:
    """A server without a disk: what it held is gone when it dies."""

    def __init__(self, password: str = "") -> None:
        """On a port of its own; not started. Skips the test where there is no Redis."""
        self.port, self.password = free_port(), password
        self._program = require_program("redis-server")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """With the password, if it has one."""
        return f"redis://{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        if self.password:
            options += ["--requirepass", self.password]
        self._process = subprocess.Popen(
            [self._program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, within_s=20, otherwise="redis-server does not answer")

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Nothing is on disk."""
        self.kill()

    def waiting(self, queue: str) -> int:
        """Messages in a queue."""
        with redis.Redis(port=self.port, password=self.password or None) as client:
            count = client.llen(queue)
        assert isinstance(count, int)
        return count

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, password=self.password or None) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


class Rabbit:
    """A server with a folder of its own, which keeps durable queues over a kill."""

    def __init__(self) -> None:
        """Not started. Skips the test where there is no RabbitMQ."""
        require_program("rabbitmq-server")
        self.port, self._names_port = free_port(), free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="fhir-anchor-rabbit-"))
        self._environment = self._settings(self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._names: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """RabbitMQ's own guest, who may connect from this machine."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._names = self._names or subprocess.Popen(  # else the server leaves one behind
            [require_program("epmd"), "-port", str(self._names_port)], stderr=subprocess.DEVNULL
        )
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [RABBIT], env=self._environment, stdout=said, stderr=said, start_new_session=True
            )
        until(self._answers, within_s=90, otherwise="rabbitmq-server does not answer")

    def kill(self) -> None:
        """Kill -9: the script execs the virtual machine, so its process is the server."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        if self._names is not None:
            self._names.kill()
            self._names.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _settings(self, folder: Path) -> Mapping[str, str]:
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (folder / "plugins").write_text("[].\n")
        names = {
            "NODENAME": f"storm{self.port}@localhost",
            "NODE_PORT": str(self.port),
            "DIST_PORT": str(free_port()),
            "MNESIA_BASE": str(folder / "mnesia"),
            "LOG_BASE": str(folder / "log"),
            "CONFIG_FILE": str(folder / "rabbitmq"),
            "ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "PID_FILE": str(folder / "pid"),
            "SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        return {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._names_port),
            **{f"RABBITMQ_{name}": value for name, value in names.items()},
        }

    def _answers(self) -> bool:
        try:
            with Connection(f"127.0.0.1:{self.port}", connect_timeout=2):
                return True
        except (OSError, AMQPError):
            return False
