"""A node on a real database and chain, whose every step is a fresh process's."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bridge.chain.account import KeyFileAccount
from bridge.chain.contract import Registration
from bridge.core.ids import RecordId
from bridge.embedded.devchain import KEY_FILE
from bridge.flows.anchor import Move, anchor
from bridge.flows.issue import issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import Sequenced, sequence
from bridge.flows.watch import watch
from bridge.settings import load
from bridge.store.schema import metadata
from tests.anvil import FUNDED_KEY, Anvil
from tests.fakes.bundles import bundle, patient
from tests.fakes.dialect import LineDialect, line
from tests.integration.chain.station import endpoints_of, row_of
from workers.anchoring import governor_of, known_contract
from workers.commands import contracts, keys
from workers.highwater import ChainAndFile
from workers.wiring import Services

__all__ = ["ORIGIN", "Log", "Network", "network", "on_anvil", "on_devchain"]

ORIGIN = "log.example/succeeding"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A chain and the key of an account with coins."""

    name: str
    url: str
    funded: Path


@pytest.fixture
def on_devchain(devchain_url: str, devchain_dir: Path) -> Network:
    """The embedded one."""
    return Network(name="embedded", url=devchain_url, funded=devchain_dir / KEY_FILE)


@pytest.fixture
def on_anvil(anvil: Anvil, tmp_path: Path) -> Network:
    """A block every second, final two blocks later."""
    anvil.call("evm_setIntervalMining", 1)
    return Network(name="anvil", url=anvil.url, funded=_secret(tmp_path / "funded", FUNDED_KEY))


@pytest.fixture(params=["on_devchain", "on_anvil"])
def network(request: pytest.FixtureRequest) -> Network:
    """Both."""
    found: Network = request.getfixturevalue(request.param)
    return found


class Log:
    """A node whose every step is a fresh process's; the owner's key is not on it."""

    def __init__(
        self,
        network: Network,
        folder: Path,
        url: str,
        patch: pytest.MonkeyPatch,
        *,
        form: str = "contract",
    ) -> None:
        """Nothing is deployed yet; the anchoring account has coins."""
        self.network, self.folder = network, folder
        anchorer = _secret(folder / "anchor.key", os.urandom(32).hex())
        self.environment = {
            "FHIR_ANCHOR__DATA": str(folder),
            "FHIR_ANCHOR__STORE__URL": url,
            "FHIR_ANCHOR__LOG__ORIGIN": ORIGIN,
            "FHIR_ANCHOR__CHAIN__NAME": network.name,
            "FHIR_ANCHOR__ANCHOR__FORM": form,
            "FHIR_ANCHOR__CHAIN__RPC": f'["{network.url}"]',
            "FHIR_ANCHOR__CHAIN__KEY_FILE": str(anchorer),
        }
        for name, value in self.environment.items():
            patch.setenv(name, value)
        self.anchorer = KeyFileAccount(anchorer).address
        _give(network, self.anchorer)
        node = self.services()
        node.prepare()
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with node.database.unit():
            node.database.connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        node.database.close()
        self._number = 0

    def replace_anchorer(self, patch: pytest.MonkeyPatch) -> None:
        """Another key for the node, with coins."""
        key = _secret(self.folder / "new.key", os.urandom(32).hex())
        patch.setenv("FHIR_ANCHOR__CHAIN__KEY_FILE", str(key))
        self.environment["FHIR_ANCHOR__CHAIN__KEY_FILE"] = str(key)
        self.anchorer = KeyFileAccount(key).address
        _give(self.network, self.anchorer)

    def services(self) -> Services:
        """As a process finds them at its start."""
        return Services(load(environment=self.environment))

    def contract(self, *words: str, owner: Path | None = None) -> str:
        """`fhir-anchor contract ...` by the owner of the log, or another."""
        key = ("--owner-key", str(owner or self.network.funded)) if words != ("show",) else ()
        done = CliRunner().invoke(contracts.commands, [*words, *key], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def rotate(self, verb: str) -> str:
        """`fhir-anchor keys ...`; what it says."""
        done = CliRunner().invoke(keys.commands, [verb], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def registration(self) -> Registration:
        """What the contract in use says of the log."""
        settings = self.services().settings
        contract = known_contract(settings)
        assert contract is not None
        return governor_of(settings, contract).registration()

    def beat(self) -> Sequenced | None:
        """What the sequencer does every few seconds."""
        node = self.services()
        try:
            return _sequence(node)
        finally:
            node.database.close()

    def sealed(self) -> tuple[RecordId, bytes]:
        """A record under a checkpoint that is final on the chain, and its document."""
        self._number += 1
        raw = line(str(self._number), bundle=bundle(patient(f"p{self._number}")))
        node = self.services()
        try:
            (got,) = receive(
                [Inbound(raw=raw, feed="f", number=self._number)],
                dialect=LineDialect(),
                intake=node.intake,
                clock=node.clock,
                entropy=node.entropy,
            )
            _sequence(node)
            sent = anchor(book=node.book, anchors=node.anchors, chain=node.chain, clock=node.clock)
            assert sent.move is Move.SENT
            while watch(anchors=node.anchors, chain=node.chain, clock=node.clock).waiting:
                time.sleep(0.2)
        finally:
            node.database.close()
        assert got.record is not None
        return got.record, raw

    def receipt(self, record: RecordId) -> bytes:
        """As the node hands it out now."""
        node = self.services()
        try:
            return issue(record, evidence=node.evidence, book=node.book)
        finally:
            node.database.close()


def _sequence(node: Services) -> Sequenced | None:
    return sequence(
        book=node.book,
        signer=node.signer,
        clock=node.clock,
        origin=ORIGIN,
        max_leaves=100,
        high_water=ChainAndFile(node.settings, lambda: node.chain),
    )


def _secret(path: Path, key: str) -> Path:
    path.touch(0o600)
    path.write_text(key)
    return path


def _give(network: Network, to: str) -> None:
    """Half a coin for gas."""
    rich = KeyFileAccount(network.funded)
    row = row_of(network.name)
    endpoints = endpoints_of(network.url, row)
    nonce = endpoints.ask(
        "eth_getTransactionCount", rich.address, "pending", read=lambda it: int(it, 16)
    )
    _, raw = rich.sign(
        {
            "chainId": row.chain_id,
            "nonce": nonce,
            "gas": 21_000,
            "gasPrice": 10**10,
            "to": bytes.fromhex(to[2:]),
            "value": 5 * 10**17,
            "data": b"",
        }
    )
    endpoints.tell("eth_sendRawTransaction", "0x" + raw.hex())
    while not endpoints.ask("eth_getBalance", to, "latest", read=lambda it: int(it, 16)):
        time.sleep(0.1)
    endpoints.close()
