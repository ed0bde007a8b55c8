"""A log that changes key, anchorer, owner and contract: what was proved before stays proved."""

from pathlib import Path

import pytest

from bridge.chain.contract import NOBODY
from bridge.cli.rpc import JsonRpcReader
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize, sha256
from bridge.core.proof.report import Verdict
from bridge.core.proof.trust_file import parse_trust
from bridge.core.proof.verify import verify
from bridge.flows.anchor import anchor
from bridge.ports.chain import Fees, Payload
from tests.integration.chained import Log, Network, network, on_anvil, on_devchain
from workers.anchoring import known_contract
from workers.commands import contracts
from workers.places import TRUST_FILE

__all__ = ["network", "on_anvil", "on_devchain"]


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

    log.replace_anchorer(monkeypatch)
    assert "nothing was sent" in log.contract("succeed", "--dry-run")
    log.contract("succeed")
    log.sealed()

    trust = parse_trust((tmp_path / TRUST_FILE).read_bytes())
    report = verify(receipt, raw, trust=trust, chain=[JsonRpcReader(on_devchain.url)])
    assert report.verdict is Verdict.UNCHANGED, report


def _cut(_: object) -> None:
    raise ConnectionAbortedError
