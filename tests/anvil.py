"""A real anvil for one test, and its controls over blocks and pool."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import require_program

__all__ = ["Anvil", "anvil"]

FUNDED_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The first account of the mnemonic that anvil publishes for tests."""


class Anvil:
    """One node. Blocks come when `mine` is called."""

    def __init__(self, url: str) -> None:
        """A client of it."""
        self.url = url
        self._session = requests.Session()

    def call(self, method: str, *params: object) -> Any:
        """One request; an error fails the test."""
        body: Any = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._session.post(self.url, json=body, timeout=10).json()
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Blocks with what the pool has."""
        for _ in range(blocks):
            self.call("evm_mine")

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()


def _program() -> str:
    folder = os.environ.get("FHIR_ANCHOR_ANVIL", "")
    beside = Path(folder) / "node_modules" / ".bin" / "anvil"
    return str(beside) if folder and beside.exists() else require_program("anvil")


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """A fresh node that mines on request alone."""
    program = _program()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--no-mining", "--silent", "--order", "fifo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    node = Anvil(f"http://127.0.0.1:{port}")
    for _ in range(200):
        try:
            node.call("eth_chainId")
            break
        except requests.ConnectionError:
            time.sleep(0.05)
    yield node
    node.close()
    os.killpg(process.pid, 9)
    process.wait()
