"""The chain of a node: what is refused before anything is sent, and the mark beside the store."""

from pathlib import Path

import msgspec
import pytest

from bridge.chain.deploy import Deployment
from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, TreeSize
from bridge.core.proof.trust import Network, Trust
from bridge.core.proof.trust_file import parse_trust, trust_text
from bridge.keys.file import open_signer, retire_keys, rotate_key
from bridge.settings import Settings, load
from tests.fakes.anchors import MemoryAnchors
from workers import anchoring
from workers.places import STATE_FILE
from workers.sources import SystemEntropy

ROOT = Digest(bytes(range(32)))
DEPLOYED = Deployment(
    chain="eip155:13371",
    address="0x" + "11" * 20,
    code_hash="0x" + "22" * 32,
    log_id="0x" + "33" * 32,
    owner="0x" + "44" * 20,
    deploy_raw="0x",
    register_raw="0x",
    complete=True,
)


def _settings(folder: Path, **overrides: object) -> Settings:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(environment={}, overrides={"data": folder, **dotted})


def test_an_unknown_chain_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    """A typing error in chain.name is named."""
    with pytest.raises(BridgeError, match=r"no chain 'sepolja'.*sepolia"):
        anchoring.row_of(_settings(tmp_path, chain__name="sepolja"))


def test_a_contract_on_another_chain_is_never_mixed_up(tmp_path: Path) -> None:
    """A node moved to Ethereum does not anchor to its old dev chain's address."""
    (tmp_path / STATE_FILE).write_bytes(msgspec.json.encode(DEPLOYED))

    with pytest.raises(BridgeError, match=r"contract is on eip155:13371.*set to eip155:1 "):
        anchoring.known_contract(_settings(tmp_path, chain__name="ethereum"))


def test_a_real_chain_never_gets_a_contract_unasked(tmp_path: Path) -> None:
    """Deploying costs money: it is a command, not a side effect."""
    settings = _settings(tmp_path, chain__name="sepolia", chain__rpc=["http://127.0.0.1:1"])
    entropy = SystemEntropy()
    signer = open_signer(tmp_path / "log.key", origin=settings.log.origin, entropy=entropy)

    with pytest.raises(BridgeError, match=r"no contract on its chain.*contract deploy"):
        anchoring.anchoring_chain(settings, signer, entropy, MemoryAnchors())


def test_trust_file_follows_the_keys_and_keeps_the_rest(tmp_path: Path) -> None:
    """A command that changed the keys need not know the chain; without a file none is made."""
    settings, entropy = _settings(tmp_path), SystemEntropy()
    signer = open_signer(tmp_path / "log.key", origin=settings.log.origin, entropy=entropy)
    anchoring.renew_trust(settings, signer)
    assert not (tmp_path / "trust.toml").exists()
    chain = Network(chain="eip155:1", finality="finalized", independent=True, endpoints=2)
    (tmp_path / "trust.toml").write_text(trust_text(Trust(networks=(chain,))))

    rotate_key(tmp_path / "log.key", entropy=entropy)
    retire_keys(tmp_path / "log.key", until=TreeSize(7))
    anchoring.renew_trust(settings, signer)

    trust = parse_trust((tmp_path / "trust.toml").read_bytes())
    assert (trust.logs, trust.networks) == (signer.log_keys, (chain,))
    assert [one.until for one in trust.logs] == [None, 7]
