"""A log that changes key, anchorer, owner and contract: what was proved before stays proved."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bridge.chain.account import KeyFileAccount
from bridge.chain.contract import NOBODY, Registration
from bridge.cli.rpc import JsonRpcReader
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, RecordId, TreeSize, sha256
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust import parse_trust
from bridge.core.proof.verify import verify
from bridge.embedded.devchain import KEY_FILE
from bridge.flows.anchor import Move, anchor
from bridge.flows.issue import issue
from bridge.flows.receive import Inbound, receive
from bridge.flows.sequence import sequence
from bridge.flows.watch import watch
from bridge.ports.chain import Fees, Payload
from bridge.settings import load
from bridge.store.schema import metadata
from tests.anvil import FUNDED_KEY, Anvil
from tests.fakes.bundles import bundle, patient
from tests.fakes.dialect import LineDialect, line
from tests.integration.chain.station import endpoints_of, row_of
from workers import contracts, keys
from workers.anchoring import MARK_FILE, governor_of, high_water, known_contract
from workers.places import TRUST_FILE
from workers.wiring import Services

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

    def __init__(self, network: Network, folder: Path, url: str, patch: pytest.MonkeyPatch) -> None:
        """Nothing is deployed yet; the anchoring account has coins."""
        self.network, self.folder = network, folder
        anchorer = _secret(folder / "anchor.key", os.urandom(32).hex())
        self.environment = {
            "FHIR_ANCHOR__DATA": str(folder),
            "FHIR_ANCHOR__STORE__URL": url,
            "FHIR_ANCHOR__LOG__ORIGIN": ORIGIN,
            "FHIR_ANCHOR__CHAIN__NAME": network.name,
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
            sequence(
                book=node.book,
                signer=node.signer,
                clock=node.clock,
                origin=ORIGIN,
                max_leaves=100,
                high_water=lambda: high_water(node.settings, lambda: node.chain),
            )
            asked = {"anchors": node.anchors, "chain": node.chain, "clock": node.clock}
            assert anchor(book=node.book, **asked).move is Move.SENT  # type: ignore[arg-type]
            while watch(**asked).waiting:  # type: ignore[arg-type]
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


@pytest.fixture
def log(
    network: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Log:
    """A log whose contract an owner deployed, who is not the account that anchors."""
    made = Log(network, tmp_path, database_url, monkeypatch)
    assert "nothing was sent" in made.contract("deploy", "--dry-run")
    assert "deployed and verified" in made.contract("deploy")
    return made


def test_receipts_of_before_verify_after_rotation_and_succession(log: Log) -> None:
    """Key added, told to the contract, former key retired, contract succeeded: all three prove."""
    first, first_raw = log.sealed()
    early = log.receipt(first)
    said = log.rotate("rotate")
    assert "contract change-key --owner-key FILE" in said
    log.contract("change-key", "--dry-run")
    log.contract("change-key")
    newest = log.services().signer.verifier_keys[0]
    assert log.registration().key_hash == sha256(newest.encode())
    second, second_raw = log.sealed()
    middle = log.receipt(second)
    log.rotate("retire")
    former = known_contract(log.services().settings)

    log.contract("succeed", "--dry-run")
    said = log.contract("succeed")
    third, third_raw = log.sealed()

    now = known_contract(log.services().settings)
    assert former is not None
    assert now is not None
    assert now.address != former.address
    assert [gone.address for gone in now.former] == [former.address]
    assert now.address in said
    trust = parse_trust((log.folder / TRUST_FILE).read_bytes())
    assert len(trust.contracts) == 2
    chain = [JsonRpcReader(log.network.url)]
    papers = (
        (early, first_raw),
        (middle, second_raw),
        (log.receipt(first), first_raw),
        (log.receipt(third), third_raw),
    )
    for receipt, document in papers:
        report = verify(receipt, document, trust=trust, chain=chain)
        assert report.verdict is Verdict.UNCHANGED, report
        assert {(one.id, one.ok) for one in report.checks} >= {(4, True), (8, True), (11, True)}
    shown = log.contract("show")
    assert newest in shown
    assert f"anchorer   {log.anchorer}" in shown
    assert log.contract("succeed", "--dry-run")


def test_succession_that_was_cut_is_finished_by_the_next_run(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed on the chain and not yet taken over: nothing is anchored, and it says what to do."""
    log = Log(on_devchain, tmp_path, database_url, monkeypatch)
    log.contract("deploy")
    log.sealed()
    with monkeypatch.context() as patch:
        patch.setattr(contracts, "_drain", _cut)
        with pytest.raises(ConnectionAbortedError):
            log.contract("succeed")
    following = (tmp_path / "contract.following.json").read_bytes()

    with pytest.raises(BridgeError, match=r"closed there.*run `fhir-anchor contract succeed`"):
        _ = log.services().chain
    log.contract("succeed")
    log.sealed()

    now = known_contract(log.services().settings)
    assert now is not None
    assert now.address.encode() in following
    assert not (tmp_path / "contract.following.json").exists()


def test_owner_names_another_anchorer_and_another_owner(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stolen anchoring key is put out of office; ownership passes only when accepted."""
    log = Log(on_devchain, tmp_path, database_url, monkeypatch)
    log.contract("deploy")
    log.contract("set-anchorer", NOBODY)

    with pytest.raises(BridgeError, match="registered with another anchorer than this node has"):
        _ = log.services().chain
    with pytest.raises(BridgeError, match=r"the contract would refuse this.*not the owner"):
        log.contract("set-anchorer", log.anchorer, owner=tmp_path / "anchor.key")
    log.contract("set-anchorer", log.anchorer)
    log.sealed()
    log.contract("propose-owner", log.anchorer)
    assert log.registration().pending_owner == log.anchorer
    log.contract("accept-owner", owner=tmp_path / "anchor.key")

    assert log.registration().owner == log.anchorer
    log.sealed()
    assert "contract change-key" not in log.rotate("rotate"), "the owner is on the node now"
    newest = log.services().signer.verifier_keys[0]
    assert log.registration().key_hash == sha256(newest.encode())


def test_thief_of_the_anchoring_key_stops_the_log_and_is_left_behind(
    on_devchain: Network, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A junk head carries no signature and is named; the owner revokes, a successor goes on."""
    log = Log(on_devchain, tmp_path, database_url, monkeypatch)
    log.contract("deploy")
    record, raw = log.sealed()
    receipt = log.receipt(record)
    thief = log.services().chain
    prev = thief.view().head.root
    junk = Payload(prev_root=prev, size=TreeSize(10**6), root=Digest(b"\x66" * 32))
    nonce = thief.view().nonce
    fees = Fees(max_fee_wei=10**10, tip_wei=1)
    thief.send(thief.sign(junk, nonce=nonce, gas=90_000, fees=fees).raw)

    with pytest.raises(BridgeError, match="the independent head has 1000000 leaves") as stopped:
        log.sealed()
    assert stopped.value.code == "log-behind"
    node = log.services()
    with pytest.raises(BridgeError) as refused:
        anchor(book=node.book, anchors=node.anchors, chain=node.chain, clock=node.clock)
    node.database.close()
    assert refused.value.code == "anchor-behind"

    log.contract("set-anchorer", NOBODY)
    log.replace_anchorer(monkeypatch)
    log.contract("succeed")
    (tmp_path / MARK_FILE).unlink()
    log.sealed()

    trust = parse_trust((tmp_path / TRUST_FILE).read_bytes())
    report = verify(receipt, raw, trust=trust, chain=[JsonRpcReader(on_devchain.url)])
    assert report.verdict is Verdict.UNCHANGED, report


def _cut(_: object) -> None:
    raise ConnectionAbortedError


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
