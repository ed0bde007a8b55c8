"""Put the contract on a chain and register the log: planned first, and safe to run again.

Every signed transaction is written to the state file before it is sent. After a crash the same
bytes go out again, so a run that was cut anywhere ends in one contract and one log.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import rlp
from eth_utils.crypto import keccak

from bridge.chain.account import AnchorAccount
from bridge.chain.contract import (
    NOBODY,
    Registration,
    log_name,
    register_call,
    registration_answer,
    registration_call,
)
from bridge.chain.contracts.artefact import artefact
from bridge.chain.rows import ChainRow
from bridge.chain.rpc import Endpoints
from bridge.chain.transact import price_of, send_until
from bridge.core.errors import BridgeError, Fault
from bridge.durable import replace_file
from bridge.ports.sources import Entropy

__all__ = [
    "Deployment",
    "Former",
    "LogIdentity",
    "deploy",
    "plan_deployment",
    "read_deployment",
    "registration_of",
    "write_deployment",
]

# Measured 1.0 M and 0.1 M gas; the rest is for chains that count deployment bytes dearer.
_DEPLOY_GAS: Final = 2_500_000
_REGISTER_GAS: Final = 300_000


class LogIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What the registration says of the log; both are SHA-256."""

    origin_hash: bytes
    key_hash: bytes
    former_key_hashes: tuple[bytes, ...] = ()
    """Of keys that a rotation replaced: the registration may name one of them."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """The state file: a contract that is there, or on its way."""

    chain: str
    address: str
    code_hash: str
    log_id: str
    owner: str
    deploy_raw: str
    register_raw: str
    complete: bool
    former: tuple["Former", ...] = ()
    """Contracts that kept the log's heads before, the newest first: receipts name them for ever."""

    @property
    def log_name(self) -> str:
        """Where this log's heads stand now."""
        return log_name(self.chain, self.address, self.log_id)


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that a succession closed."""

    chain: str
    address: str
    code_hash: str
    log_id: str


def plan_deployment(
    endpoints: Endpoints,
    row: ChainRow,
    account: AnchorAccount,
    identity: LogIdentity,
    entropy: Entropy,
    *,
    anchorer: str = "",
) -> Deployment:
    """Decide and sign everything; send nothing. This is the dry run.

    `account` pays and will own the log; `anchorer` is the address that anchors, empty for the
    same. The account's next two nonces are taken, so nothing else may send from it until `deploy`
    is done.
    """
    profile = artefact().profile(row.evm_profile)
    nonce = endpoints.ask("eth_getTransactionCount", account.address, "latest", read=_number)
    sender = bytes.fromhex(account.address[2:])
    address = keccak(rlp.encode([sender, nonce]))[12:]
    log_id = entropy.take(32)
    price = price_of(endpoints, row)
    _, deploy_raw = account.sign(
        {
            **price,
            "chainId": row.chain_id,
            "nonce": nonce,
            "gas": _DEPLOY_GAS,
            "value": 0,
            "data": profile.bytecode,
        }
    )
    call = register_call(
        log_id,
        origin=identity.origin_hash,
        key=identity.key_hash,
        anchorer=anchorer or account.address,
    )
    _, register_raw = account.sign(
        {
            **price,
            "chainId": row.chain_id,
            "nonce": nonce + 1,
            "gas": _REGISTER_GAS,
            "to": address,
            "value": 0,
            "data": call,
        }
    )
    return Deployment(
        chain=f"eip155:{row.chain_id}",
        address=_hex(address),
        code_hash=profile.code_hash,
        log_id=_hex(log_id),
        owner=account.address,
        deploy_raw=_hex(deploy_raw),
        register_raw=_hex(register_raw),
        complete=False,
    )


def read_deployment(state: Path) -> Deployment | None:
    """The state file, if there is one.

    Raises:
        BridgeError: `deployment-form` with fault OPERATOR.
    """
    try:
        return msgspec.json.decode(state.read_bytes(), type=Deployment)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise BridgeError(
            "deployment-form",
            Fault.OPERATOR,
            what="the deployment's state file cannot be read",
            where=state.name,
            do="restore it from a backup; without it the log's id and contract are unknown",
        ) from error


def deploy(
    endpoints: Endpoints,
    state: Path,
    planned: Deployment,
    identity: LogIdentity,
    *,
    wait: Callable[[], None],
    anchorer: str = "",
) -> Deployment:
    """Carry out a plan, or what a run before this one left of it, and verify all of it.

    Args:
        endpoints: the chain.
        state: written before anything is sent; an existing one wins over `planned`.
        planned: from `plan_deployment`.
        identity: what the registration must say.
        wait: called between two looks at the chain, at most 600 times.
        anchorer: the address that this node anchors from; empty for the owner's.

    Raises:
        BridgeError: `deployment-elsewhere` when the state file is of another chain,
            `deployment-code` when other code stands at the address, `deployment-log` when the
            log is registered otherwise, `log-retired` when it was closed there,
            `transaction-slow` when the chain does not move.
    """
    found = read_deployment(state)
    deployment = found or planned
    if deployment.chain != planned.chain:
        raise _refuse(
            "deployment-elsewhere",
            f"the contract was deployed on {deployment.chain}, the node is set to {planned.chain}",
            state.name,
            "set chain.name back, or move this state file away to deploy anew",
        )
    if found is None:
        write_deployment(state, deployment)
    if not deployment.complete:
        send_until(endpoints, deployment.deploy_raw, lambda: _code(endpoints, deployment), wait)
    _verify_code(endpoints, deployment)
    if not deployment.complete:
        send_until(endpoints, deployment.register_raw, lambda: _owner(endpoints, deployment), wait)
    _verify_log(endpoints, deployment, identity, anchorer or deployment.owner)
    done = msgspec.structs.replace(deployment, complete=True)
    if done != deployment:
        write_deployment(state, done)
    return done


def _verify_code(endpoints: Endpoints, deployment: Deployment) -> None:
    code = endpoints.ask("eth_getCode", deployment.address, "latest", read=_bytes)
    if _hex(keccak(code)) != deployment.code_hash:
        raise _refuse(
            "deployment-code",
            f"the code at {deployment.address} is not the committed contract",
            deployment.chain,
            "see that chain.rpc is the chain of the deployment; anchor nothing there",
        )


def _verify_log(
    endpoints: Endpoints, deployment: Deployment, identity: LogIdentity, anchorer: str
) -> None:
    """That it is our log. Its owner may change later, and must be ours when it is registered."""
    found = registration_of(endpoints, deployment.address, deployment.log_id)
    where = f"{deployment.address} log {deployment.log_id}"
    if found.successor != NOBODY:
        raise _refuse(
            "log-retired",
            f"the log was closed there and goes on in contract {found.successor}",
            where,
            "run `fhir-anchor contract succeed` to its end, then restart the node",
        )
    keys = (identity.key_hash, *identity.former_key_hashes)
    wrong = [
        name
        for name, good in (
            ("owner", deployment.complete or found.owner == deployment.owner),
            ("origin", found.origin_hash == identity.origin_hash),
            ("key", found.key_hash in keys),
            ("anchorer", found.anchorer == anchorer),
        )
        if not good
    ]
    if wrong:
        raise _refuse(
            "deployment-log",
            f"the log is registered with another {', '.join(wrong)} than this node has",
            where,
            "see `contract show`; its owner sets key and anchorer, or register a new log",
        )


def registration_of(endpoints: Endpoints, address: str, log_id: str) -> Registration:
    """What the contract says of the log now."""
    call = {"to": address, "data": _hex(registration_call(bytes.fromhex(log_id[2:])))}
    return endpoints.ask(
        "eth_call", call, "latest", read=lambda answer: registration_answer(_bytes(answer))
    )


def _code(endpoints: Endpoints, deployment: Deployment) -> bool:
    return bool(endpoints.ask("eth_getCode", deployment.address, "latest", read=_bytes))


def _owner(endpoints: Endpoints, deployment: Deployment) -> bool:
    return registration_of(endpoints, deployment.address, deployment.log_id).owner != NOBODY


def write_deployment(state: Path, deployment: Deployment) -> None:
    """Whole or not at all, and on disk when this returns."""
    text = msgspec.json.format(msgspec.json.encode(deployment), indent=1)
    replace_file(state, text + b"\n")


def _refuse(code: str, what: str, where: str, do: str) -> BridgeError:
    return BridgeError(code, Fault.OPERATOR, what=what, where=where, do=do)


def _number(answer: object) -> int:
    if not isinstance(answer, str):
        raise TypeError(answer)
    return int(answer, 16)


def _bytes(answer: object) -> bytes:
    if not isinstance(answer, str):
        raise TypeError(answer)
    return bytes.fromhex(answer[2:])


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
