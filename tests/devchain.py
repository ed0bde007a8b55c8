"""A real dev chain process for the session, and contracts on it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["devchain_dir", "devchain_url", "kill", "start_devchain"]

_PROGRAM = """
import pathlib, sys
from bridge.embedded.devchain import run
from workers.sources import SystemClock, SystemEntropy
run(pathlib.Path(sys.argv[1]), "127.0.0.1", 0, clock=SystemClock(), entropy=SystemEntropy())
"""


def start_devchain(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """The process and its URL, once it says that it serves."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("devchain http://"), line
    return process, line.split()[1]


def kill(process: subprocess.Popen[str]) -> None:
    """Kill -9, and give the pipe back."""
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def devchain_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its data folder, with the funded key."""
    return tmp_path_factory.mktemp("devchain")


@pytest.fixture(scope="session")
def devchain_url(devchain_dir: Path) -> Iterator[str]:
    """JSON-RPC of a dev chain that ends with the session."""
    process, url = start_devchain(devchain_dir)
    yield url
    kill(process)
