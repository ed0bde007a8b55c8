"""The chain of a node: endpoints, account and contract, and what a verifier has to pin of it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bridge.chain.account import AnchorAccount, KeyFileAccount
from bridge.chain.calldata import CalldataChain
from bridge.chain.deploy import (
    Deployment,
    Former,
    LogIdentity,
    deploy,
    plan_deployment,
    read_deployment,
)
from bridge.chain.endpoint import Endpoint
from bridge.chain.evm import EvmChain
from bridge.chain.govern import Governor
from bridge.chain.rows import ChainRow, load_chains
from bridge.chain.rpc import Endpoints
from bridge.chain.transact import Teller
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize, sha256
from bridge.core.proof.trust import Contract, Network, Trust
from bridge.core.proof.trust_file import parse_trust, trust_text
from bridge.durable import replace_file
from bridge.embedded import KEY_FILE
from bridge.keys.file import FileSigner
from bridge.ports.anchors import AnchorBook
from bridge.ports.chain import AnchoredHead as AnchoredOnChain
from bridge.ports.sources import Entropy
from bridge.settings import Settings, shipped
from workers.places import DEVCHAIN_FOLDER, STATE_FILE, TRUST_FILE

__all__ = [
    "FOLLOWING_FILE",
    "account_of",
    "anchoring_chain",
    "chain_of",
    "deployed_contract",
    "endpoints_of",
    "follow_key",
    "following_contract",
    "governor_of",
    "identity_of",
    "known_contract",
    "planned_contract",
    "renew_trust",
    "row_of",
]

FOLLOWING_FILE = "contract.following.json"
"""Of a succession that is under way."""
OPEN_CHAINS = frozenset({"embedded", "anvil"})
"""Chains of one's own machine: a contract is deployed there without being asked for."""


def row_of(settings: Settings) -> ChainRow:
    """The row of config/chains.toml that the node is set to.

    Raises:
        BridgeError: `chain-unknown`.
    """
    rows = load_chains(shipped("chains.toml").read_text("utf-8"))
    if settings.chain.name not in rows:
        raise BridgeError(
            "chain-unknown",
            Fault.OPERATOR,
            what=f"there is no chain {settings.chain.name!r}",
            where="chain.name",
            do=f"use one of {', '.join(rows)}, or add a row to config/chains.toml",
        )
    return rows[settings.chain.name]


def endpoints_of(settings: Settings) -> Endpoints:
    """The configured JSON-RPC endpoints; a majority must agree unless the settings say more.

    Raises:
        BridgeError: `chain-endpoints` when none is configured.
    """
    urls, row = settings.chain.rpc, row_of(settings)
    if not urls:
        raise BridgeError(
            "chain-endpoints",
            Fault.OPERATOR,
            what="no JSON-RPC endpoint is configured",
            where="chain.rpc",
            do="set chain.rpc, or start the node with `fhir-anchor up`, which brings a dev chain",
        )
    # An address that stands there twice is still one witness.
    nodes = [Endpoint(url, chain_id=row.chain_id) for url in dict.fromkeys(urls)]
    return Endpoints(nodes, agree=settings.chain.agree)


def account_of(settings: Settings) -> KeyFileAccount:
    """The anchoring account: its key file, or the dev chain's funded key."""
    named, password = settings.chain.key_file, settings.chain.key_password_file
    return KeyFileAccount(
        Path(named) if named else settings.data / DEVCHAIN_FOLDER / KEY_FILE,
        password_file=Path(password) if password else None,
    )


def known_contract(settings: Settings) -> Deployment | None:
    """What the node's state file says of its contract.

    Raises:
        BridgeError: `contract-elsewhere` when it is on another chain than the node is set to.
    """
    kept = read_deployment(settings.data / STATE_FILE)
    chain = f"eip155:{row_of(settings).chain_id}"
    if kept is not None and kept.chain != chain:
        raise BridgeError(
            "contract-elsewhere",
            Fault.OPERATOR,
            what=f"the contract is on {kept.chain}, the node is set to {chain}",
            where=STATE_FILE,
            do="set chain.name back, or move this file away to deploy on the other chain",
        )
    return kept


def planned_contract(
    settings: Settings,
    signer: FileSigner,
    entropy: Entropy,
    owner: AnchorAccount | None = None,
) -> Deployment:
    """A deployment that is known or would be made now; sends nothing."""
    return known_contract(settings) or _fresh(settings, signer, entropy, owner)


def deployed_contract(
    settings: Settings,
    signer: FileSigner,
    entropy: Entropy,
    owner: AnchorAccount | None = None,
) -> Deployment:
    """Deploy, or finish and verify what was deployed before; twice has one effect.

    Args:
        settings: of the node.
        signer: the log's keys.
        entropy: for the log's id.
        owner: pays and owns the log; None is the anchoring account.

    Raises:
        BridgeError: what `bridge.chain.deploy.deploy` says.
    """
    with _alone(settings.data / "contract.lock"):
        return _deployed(
            settings,
            signer,
            settings.data / STATE_FILE,
            planned_contract(settings, signer, entropy, owner),
        )


def following_contract(
    settings: Settings, signer: FileSigner, entropy: Entropy, owner: AnchorAccount | None = None
) -> Deployment:
    """The contract and log that will take over, deployed and registered; twice has one effect."""
    with _alone(settings.data / "contract.lock"):
        planned = _fresh(settings, signer, entropy, owner)
        return _deployed(settings, signer, settings.data / FOLLOWING_FILE, planned)


def identity_of(settings: Settings, signer: FileSigner) -> LogIdentity:
    """What the registration says of this node's log."""
    return LogIdentity(
        origin_hash=sha256(settings.log.origin.encode()),
        key_hash=sha256(signer.verifier_key.encode()),
        former_key_hashes=tuple(sha256(key.encode()) for key in signer.verifier_keys[1:]),
    )


def governor_of(
    settings: Settings, contract: Deployment, owner: AnchorAccount | None = None
) -> Governor:
    """Who speaks for the log's owner; None is the anchoring account."""
    teller = Teller(
        endpoints=endpoints_of(settings),
        row=row_of(settings),
        account=owner or account_of(settings),
        contract=contract.address,
    )
    return Governor(
        teller=teller, log_id=bytes.fromhex(contract.log_id[2:]), wait=lambda: time.sleep(1)
    )


def follow_key(settings: Settings, signer: FileSigner, contract: Deployment) -> bool:
    """Let the contract name the log's newest key; False when this node's account is not the owner.

    A log whose registration names a former key is whole: the trust file says whose signatures
    count. The registration tells strangers who have no trust file.

    Raises:
        BridgeError: `contract-refused` or `transaction-slow`.
    """
    governor, key_hash = governor_of(settings, contract), identity_of(settings, signer).key_hash
    found = governor.registration()
    if found.key_hash == key_hash:
        return True
    if found.owner != governor.teller.account.address:
        return False
    governor.change_key(key_hash).make()
    return True


def _fresh(
    settings: Settings, signer: FileSigner, entropy: Entropy, owner: AnchorAccount | None
) -> Deployment:
    account = account_of(settings)
    return plan_deployment(
        endpoints_of(settings),
        row_of(settings),
        owner or account,
        identity_of(settings, signer),
        entropy,
        anchorer=account.address,
    )


def _deployed(
    settings: Settings, signer: FileSigner, state: Path, planned: Deployment
) -> Deployment:
    return deploy(
        endpoints_of(settings),
        state,
        planned,
        identity_of(settings, signer),
        wait=lambda: time.sleep(1),
        anchorer=account_of(settings).address,
    )


def anchoring_chain(
    settings: Settings, signer: FileSigner, entropy: Entropy, anchors: AnchorBook
) -> EvmChain:
    """The Chain port of this node; on a chain of one's own the contract is deployed when absent.

    Raises:
        BridgeError: `contract-missing` on any other chain.
    """
    if settings.anchor.form == "calldata":
        _write_trust(settings, signer, None)
        return _posting_chain(settings, anchors)
    if settings.chain.name not in OPEN_CHAINS and known_contract(settings) is None:
        raise BridgeError(
            "contract-missing",
            Fault.OPERATOR,
            what="this node has no contract on its chain yet",
            where=settings.chain.name,
            do="run `fhir-anchor contract deploy` once",
        )
    contract = deployed_contract(settings, signer, entropy)
    _write_trust(settings, signer, contract)
    with suppress(BridgeError):  # anchoring does not wait for it; the next start tries again
        follow_key(settings, signer, contract)
    return chain_of(settings, contract)


def _posting_chain(settings: Settings, anchors: AnchorBook) -> CalldataChain:
    row, account = row_of(settings), account_of(settings)

    def newest() -> AnchoredOnChain:
        with anchors.unit():
            found = anchors.standing(f"eip155:{row.chain_id}", account.address)
        if found is None:
            return AnchoredOnChain(size=TreeSize(0), root=Digest(bytes(32)), sequence=0)
        return AnchoredOnChain(size=found.payload.size, root=found.payload.root, sequence=1)

    return CalldataChain(
        endpoints_of(settings), row, account, origin=settings.log.origin, newest=newest
    )


def chain_of(settings: Settings, contract: Deployment) -> EvmChain:
    """The Chain port over a contract that is known to be there."""
    return EvmChain(
        endpoints_of(settings),
        row_of(settings),
        account_of(settings),
        contract=contract.address,
        code_hash=contract.code_hash,
        log_id=bytes.fromhex(contract.log_id[2:]),
    )


def _write_trust(settings: Settings, signer: FileSigner, contract: Deployment | None) -> None:
    """What a verifier of this node's receipts has to believe; hand it out with the receipts.

    The chain itself is pinned too where heads stand in the data of transactions.
    """
    known: list[Deployment | Former] = [] if contract is None else [contract, *contract.former]
    row = row_of(settings)
    network = Network(
        chain=f"eip155:{row.chain_id}",
        finality=row.finality.text,
        independent=settings.chain.name not in OPEN_CHAINS,
        endpoints=1,
    )
    networks = (network,) if contract is None else ()
    pinned = tuple(_pin(settings, each) for each in known)
    trust = Trust(logs=signer.log_keys, contracts=pinned, networks=networks)
    replace_file(settings.data / TRUST_FILE, trust_text(trust).encode(), mode=0o644)


def renew_trust(settings: Settings, signer: FileSigner) -> None:
    """Bring the keys of the trust file up to date, where the node has written one."""
    file = settings.data / TRUST_FILE
    if file.exists():
        trust = replace(parse_trust(file.read_bytes()), logs=signer.log_keys)
        replace_file(file, trust_text(trust).encode(), mode=0o644)


def _pin(settings: Settings, contract: Deployment | Former) -> Contract:
    return Contract(
        origin=settings.log.origin,
        chain=contract.chain,
        address=bytes.fromhex(contract.address[2:]),
        code_hash=bytes.fromhex(contract.code_hash[2:]),
        log_id=bytes.fromhex(contract.log_id[2:]),
        finality=row_of(settings).finality.text,
        independent=settings.chain.name not in OPEN_CHAINS,
        endpoints=1,
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time deploys; the lock ends with the process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
