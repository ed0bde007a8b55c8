"""The chain of a node: endpoints, account, contract, and a high-water mark beside the database."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.chain.account import KeyFileAccount
from bridge.chain.deploy import Deployment, LogIdentity, deploy, plan_deployment, read_deployment
from bridge.chain.endpoint import Endpoint
from bridge.chain.evm import EvmChain
from bridge.chain.rows import ChainRow, load_chains
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize, sha256
from bridge.core.log.note import VerifierKey
from bridge.core.proof.trust import Contract, Trust, trust_text
from bridge.embedded import KEY_FILE
from bridge.keys.file import FileSigner
from bridge.ports.logbook import AnchoredHead
from bridge.ports.sources import Entropy
from bridge.settings import Settings, shipped
from workers.places import DEVCHAIN_FOLDER, TRUST_FILE

__all__ = ["anchoring_chain", "endpoints_of", "high_water", "row_of"]

STATE_FILE = "contract.json"
MARK_FILE = "high-water.json"
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
    named = settings.chain.key_file
    return KeyFileAccount(Path(named) if named else settings.data / DEVCHAIN_FOLDER / KEY_FILE)


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


def planned_contract(settings: Settings, signer: FileSigner, entropy: Entropy) -> Deployment:
    """A deployment that is known or would be made now; sends nothing."""
    return known_contract(settings) or plan_deployment(
        endpoints_of(settings),
        row_of(settings),
        account_of(settings),
        _identity(settings, signer),
        entropy,
    )


def deployed_contract(settings: Settings, signer: FileSigner, entropy: Entropy) -> Deployment:
    """Deploy, or finish and verify what was deployed before; twice has one effect.

    Raises:
        BridgeError: what `bridge.chain.deploy.deploy` says.
    """
    with _alone(settings.data / "contract.lock"):
        return deploy(
            endpoints_of(settings),
            settings.data / STATE_FILE,
            planned_contract(settings, signer, entropy),
            _identity(settings, signer),
            wait=lambda: time.sleep(1),
        )


def _identity(settings: Settings, signer: FileSigner) -> LogIdentity:
    return LogIdentity(
        origin_hash=sha256(settings.log.origin.encode()),
        key_hash=sha256(signer.verifier_key.encode()),
        former_key_hashes=tuple(sha256(key.encode()) for key in signer.verifier_keys[1:]),
    )


def anchoring_chain(settings: Settings, signer: FileSigner, entropy: Entropy) -> EvmChain:
    """The Chain port of this node; on a chain of one's own the contract is deployed when absent.

    Raises:
        BridgeError: `contract-missing` on any other chain.
    """
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
    return EvmChain(
        endpoints_of(settings),
        row_of(settings),
        account_of(settings),
        contract=contract.address,
        code_hash=contract.code_hash,
        log_id=bytes.fromhex(contract.log_id[2:]),
    )


def _write_trust(settings: Settings, signer: FileSigner, contract: Deployment) -> None:
    """What a verifier of this node's receipts has to believe; hand it out with the receipts."""
    pinned = Contract(
        origin=settings.log.origin,
        chain=contract.chain,
        address=bytes.fromhex(contract.address[2:]),
        code_hash=bytes.fromhex(contract.code_hash[2:]),
        log_id=bytes.fromhex(contract.log_id[2:]),
        finality=row_of(settings).finality.text,
        independent=settings.chain.name not in OPEN_CHAINS,
        endpoints=1,
    )
    keys = [VerifierKey.parse(text) for text in signer.verifier_keys]
    logs = tuple((settings.log.origin, key) for key in keys)
    trust = Trust(logs=logs, contracts=(pinned,))
    _replace(settings.data / TRUST_FILE, trust_text(trust))


def high_water(settings: Settings, chain: Callable[[], EvmChain]) -> AnchoredHead | None:
    """The newest head that is known outside the database.

    The chain is asked; what it said last is kept in a file of the data folder. So a chain that is
    down, or not set up yet, never stops the log, and a database that was restored from a backup is
    still caught.
    """
    file = settings.data / MARK_FILE
    try:
        head = chain().view().head
    except BridgeError:
        return _read_mark(file)
    if head.size == 0:
        return None
    mark = AnchoredHead(size=head.size, root=head.root)
    _write_mark(file, mark)
    return mark


def _read_mark(file: Path) -> AnchoredHead | None:
    if not file.exists():
        return None
    mark = json.loads(file.read_text("ascii"))
    return AnchoredHead(size=TreeSize(mark["size"]), root=Digest(bytes.fromhex(mark["root"])))


def _write_mark(file: Path, head: AnchoredHead) -> None:
    _replace(file, json.dumps({"size": head.size, "root": head.root.hex()}))


def _replace(file: Path, text: str) -> None:
    """Whole or not at all: a reader, or a start after a crash, never sees half of it.

    Each process has a draft of its own, for several workers write the same file.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(file)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time deploys; the lock ends with the process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
