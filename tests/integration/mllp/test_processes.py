"""The `mllp` command as it is run: several processes, a real database, one killed under load."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from bridge.store.database import Database
from tests.fakes.feed import adt
from tests.served_mllp import Client, code_of, eventually

Door = Callable[..., "Running"]


class Running:
    """The command on a free port."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        own = {
            "FHIR_ANCHOR__DATA": str(folder),
            "FHIR_ANCHOR__STORE__URL": url,
            "FHIR_ANCHOR__MLLP__PORT": str(self.port),
            **{f"FHIR_ANCHOR__MLLP__{key.upper()}": value for key, value in settings.items()},
        }
        self.log = folder / "door.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers.main", "mllp"],
                env={**os.environ, **own},
                stderr=log,
                cwd=Path(__file__).resolve().parents[3],
            )
        eventually(self._listens, within_s=90)

    @property
    def children(self) -> list[psutil.Process]:
        """The processes that accept."""
        return list(psutil.Process(self.process.pid).children())

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def _listens(self) -> bool:
        return self.log.read_text().count('"listening"') >= 2


@pytest.fixture
def door(tmp_path: Path, database: Database, database_url: str) -> Iterator[Door]:
    """Start the command; it is gone after the test."""
    del database
    running: list[Running] = []

    def start(**settings: str) -> Running:
        running.append(Running(tmp_path, database_url, **settings))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def ask_until_answered(port: int, client: Client | None, raw: bytes) -> tuple[Client, bytes]:
    """As an engine does: connect again and send the same bytes again until there is an answer."""
    for _ in range(100):
        try:
            client = client or Client(port)
            return client, client.ask(raw)
        except (OSError, AssertionError):
            if client is not None:
                client.socket.close()
            client = None
            time.sleep(0.05)
    pytest.fail("nobody answered")


def test_killed_process_loses_nothing_and_is_replaced(door: Door, clean: Database) -> None:
    """Kill -9 of one of two under load: every message is acknowledged and stored once."""
    node = door(processes="2")
    clients: list[Client | None] = [Client(node.port) for _ in range(6)]
    victim = node.children[0]

    answers = []
    for number in range(120):
        if number == 40:
            victim.kill()
        place = number % len(clients)
        clients[place], answer = ask_until_answered(node.port, clients[place], adt(f"K{number}"))
        answers.append(code_of(answer))
    eventually(lambda: len([c for c in node.children if c.is_running()]) == 2, within_s=60)
    for client in clients:
        assert client is not None
        client.socket.close()

    assert answers == [f"AA K{number}" for number in range(120)]
    assert victim.pid not in {child.pid for child in node.children}
    assert stored(clean) == 120
    assert node.stop() == 0


def test_connections_are_shared_and_a_stop_answers_them_all(door: Door, clean: Database) -> None:
    """Both processes take part; SIGTERM ends both after they answered."""
    node = door(processes="2")
    clients = [Client(node.port) for _ in range(12)]

    codes = {code_of(client.ask(adt(f"S{n}")))[:2] for n, client in enumerate(clients)}
    children = node.children
    holders = {
        child.pid
        for child in children
        if [one for one in child.net_connections() if one.status == "ESTABLISHED"]
    }
    code = node.stop()

    assert (codes, code) == ({"AA"}, 0)
    assert holders == {child.pid for child in children}
    assert all(client.is_closed() for client in clients)
    assert stored(clean) == 12
    for client in clients:
        client.socket.close()


def stored(database: Database) -> int:
    """Records."""
    with database.unit():
        return int(database.connection.execute(text("SELECT count(*) FROM record")).scalar_one())
