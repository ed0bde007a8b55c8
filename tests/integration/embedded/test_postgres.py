"""The embedded server through the crashes that a laptop and a container give it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from bridge.core.errors import BridgeError
from bridge.embedded import postgres


@pytest.fixture(scope="module")
def folder(server_folder: Callable[[], Path]) -> Path:
    """A data folder that the tests of this file share."""
    return server_folder()


def _keep(url: str, value: int) -> list[int]:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n serial, value int)")
        connection.execute("INSERT INTO kept (value) VALUES (%s)", [value])
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY n")]


def _postmaster(folder: Path) -> int:
    return int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def _start_in_a_killed_process(folder: Path) -> int:
    program = (
        "import os, pathlib, sys; from bridge.embedded import postgres;"
        "postgres.start(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    return subprocess.run([sys.executable, "-c", program, str(folder)], check=False).returncode


def test_rows_survive_a_clean_stop(folder: Path) -> None:
    """Starting again finds what was committed before."""
    first = _keep(postgres.start(folder), 1)
    postgres.stop(folder)

    second = _keep(postgres.start(folder), 2)

    assert second == [*first, 2]


def test_server_outlives_a_killed_parent_and_is_found_again(folder: Path) -> None:
    """A kill -9 of the process that started it neither stops it nor starts a second."""
    postgres.stop(folder)
    killed = _start_in_a_killed_process(folder)
    pid = _postmaster(folder)

    postgres.start(folder)

    assert killed == -signal.SIGKILL
    assert _postmaster(folder) == pid


def test_killed_server_recovers_what_it_committed(folder: Path) -> None:
    """A kill -9 of the server itself loses nothing, although its pid file stays."""
    before = _keep(postgres.start(folder), 7)
    server = psutil.Process(_postmaster(folder))
    server.kill()
    server.wait(timeout=10)

    after = _keep(postgres.start(folder), 8)

    assert after == [*before, 8]


def test_pid_of_another_program_does_not_block_the_start(folder: Path) -> None:
    """After a reboot the old number belongs to somebody else: here, to this test."""
    url = postgres.start(folder)
    pid_file = folder / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    postgres.stop(folder)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    again = postgres.start(folder)

    assert again == url
    assert _postmaster(folder) != os.getpid()


def test_stop_without_a_server_is_quiet(tmp_path: Path) -> None:
    """A folder that never had a server is left as it was."""
    postgres.stop(tmp_path / "never")

    assert list(tmp_path.iterdir()) == []


def test_long_folder_gets_a_short_socket(server_folder: Callable[[], Path]) -> None:
    """A path beyond sun_path still serves, through a private folder of its own."""
    deep = server_folder() / ("d" * 100)

    kept = _keep(postgres.start(deep), 1)
    postgres.stop(deep)

    assert kept == [1]


def test_server_that_cannot_start_says_where_to_look(folder: Path) -> None:
    """A broken cluster gives one sentence, not a traceback of a subprocess."""
    postgres.start(folder)
    postgres.stop(folder)
    control = folder / "cluster" / "global" / "pg_control"
    kept = control.rename(control.with_name("pg_control.kept"))

    with pytest.raises(BridgeError, match=r"pg_ctl failed: .* - read .*server\.log, or set store"):
        postgres.start(folder)

    kept.rename(control)
