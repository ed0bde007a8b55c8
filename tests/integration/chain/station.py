"""A node's anchoring side over a real chain: contract deployed, log registered, flows at hand."""

import time
from dataclasses import replace
from pathlib import Path

from bridge.chain.account import KeyFileAccount
from bridge.chain.deploy import Deployment, LogIdentity, deploy, plan_deployment
from bridge.chain.endpoint import Endpoint
from bridge.chain.evm import EvmChain
from bridge.chain.rows import ChainRow, Finality, load_chains
from bridge.chain.rpc import Endpoints
from bridge.flows.anchor import Step, anchor
from bridge.flows.watch import Watched, watch
from bridge.ports.anchors import AnchorBook, State
from tests.fakes.anchors import MemoryAnchors, MemoryHeads
from tests.fakes.sources import CountedEntropy, FixedClock

__all__ = ["IDENTITY", "Station", "endpoints_of", "row_of"]

IDENTITY = LogIdentity(origin_hash=b"\x01" * 32, key_hash=b"\x02" * 32)
CHAINS = Path(__file__).parents[3] / "config" / "chains.toml"


def row_of(name: str, *, finality: Finality | None = None) -> ChainRow:
    """A row of the table that ships."""
    row = load_chains(CHAINS.read_text("utf-8"))[name]
    return row if finality is None else replace(row, finality=finality)


def endpoints_of(url: str, row: ChainRow) -> Endpoints:
    """The one endpoint."""
    return Endpoints([Endpoint(url, chain_id=row.chain_id)], agree=1)


class Station:
    """Contract, book, log and clock; the chain is real."""

    def __init__(
        self, url: str, row: ChainRow, key: Path, folder: Path, anchors: AnchorBook | None = None
    ) -> None:
        """Plan a deployment; `settle` carries it out."""
        self.endpoints, self.row = endpoints_of(url, row), row
        self.account = KeyFileAccount(key)
        self.anchors = anchors or MemoryAnchors()
        self.book, self.clock = MemoryHeads(), FixedClock()
        self._state = folder / "contract.json"
        self.entropy = CountedEntropy()
        self.chain: EvmChain

    def settle(self, pause: float = 0.02) -> Deployment:
        """Deploy, register, and open the chain."""
        planned = plan_deployment(self.endpoints, self.row, self.account, IDENTITY, self.entropy)
        deployment = deploy(
            self.endpoints, self._state, planned, IDENTITY, wait=lambda: time.sleep(pause)
        )
        self.chain = EvmChain(
            self.endpoints,
            self.row,
            self.account,
            contract=deployment.address,
            code_hash=deployment.code_hash,
            log_id=bytes.fromhex(deployment.log_id[2:]),
        )
        return deployment

    def send(self, size: int) -> Step:
        """The log grows and its head goes out."""
        self.book.size = size
        return anchor(book=self.book, anchors=self.anchors, chain=self.chain, clock=self.clock)

    def watch(self) -> Watched:
        """One look."""
        return watch(anchors=self.anchors, chain=self.chain, clock=self.clock)

    def states(self) -> list[State]:
        """Of all rows in order; for a book in memory."""
        assert isinstance(self.anchors, MemoryAnchors)
        return [row.state for row in self.anchors.rows.values()]

    def close(self) -> None:
        """Give the sockets back."""
        self.endpoints.close()
