"""Put the contract on a chain and register the log: planned first, and safe to run again.

Every signed transaction is written to the state file before it is sent. After a crash the same
bytes go out again, so a run that was cut anywhere ends in one contract and one log.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import rlp
from eth_utils.crypto import keccak

from bridge.chain.account import AnchorAccount
from bridge.chain.contract import (
    register_call,
    registration_answer,
    registration_call,
)
from bridge.chain.contracts.artefact import artefact
from bridge.chain.endpoint import RpcRefusal
from bridge.chain.rows import ChainRow
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.ports.sources import Entropy

__all__ = ["Deployment", "LogIdentity", "deploy", "plan_deployment", "read_deployment"]

# Measured 1.0 M and 0.1 M gas; the rest is for chains that count deployment bytes dearer.
_DEPLOY_GAS: Final = 2_500_000
_REGISTER_GAS: Final = 300_000
_POLLS: Final = 600


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


def plan_deployment(
    endpoints: Endpoints,
    row: ChainRow,
    account: AnchorAccount,
    identity: LogIdentity,
    entropy: Entropy,
) -> Deployment:
    """Decide and sign everything; send nothing. This is the dry run.

    The account's next two nonces are taken, so nothing else may send from it until `deploy` is
    done.
    """
    profile = artefact().profile(row.evm_profile)
    nonce = endpoints.ask("eth_getTransactionCount", account.address, "latest", read=_number)
    sender = bytes.fromhex(account.address[2:])
    address = keccak(rlp.encode([sender, nonce]))[12:]
    log_id = entropy.take(32)
    price = _price(endpoints, row)
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
        log_id, origin=identity.origin_hash, key=identity.key_hash, anchorer=account.address
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
) -> Deployment:
    """Carry out a plan, or what a run before this one left of it, and verify all of it.

    Args:
        endpoints: the chain.
        state: written before anything is sent; an existing one wins over `planned`.
        planned: from `plan_deployment`.
        identity: what the registration must say.
        wait: called between two looks at the chain, at most 600 times.

    Raises:
        BridgeError: `deployment-elsewhere` when the state file is of another chain,
            `deployment-code` when other code stands at the address, `deployment-log` when the
            log is registered otherwise, `deployment-slow` when the chain does not move.
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
        _write(state, deployment)
    if not deployment.complete:
        _send_until(endpoints, deployment.deploy_raw, lambda: _code(endpoints, deployment), wait)
    _verify_code(endpoints, deployment)
    if not deployment.complete:
        _send_until(endpoints, deployment.register_raw, lambda: _owner(endpoints, deployment), wait)
    _verify_log(endpoints, deployment, identity)
    done = msgspec.structs.replace(deployment, complete=True)
    if done != deployment:
        _write(state, done)
    return done


def _send_until(
    endpoints: Endpoints, raw: str, there: Callable[[], bool], wait: Callable[[], None]
) -> None:
    """Send the stored bytes until their effect is seen; sending twice has one effect."""
    refusal = ""
    for _ in range(_POLLS):
        if there():
            return
        answers = endpoints.tell("eth_sendRawTransaction", raw)
        refusal = next((each.message for each in answers if isinstance(each, RpcRefusal)), "")
        if "insufficient funds" in refusal:
            break
        if not there():
            wait()
    raise _refuse(
        "deployment-slow",
        f"the deployment is not mined; the last answer was {refusal[:200]!r}",
        "eth_sendRawTransaction",
        "fund the account, then run it again: the same transaction goes out",
    )


def _verify_code(endpoints: Endpoints, deployment: Deployment) -> None:
    code = endpoints.ask("eth_getCode", deployment.address, "latest", read=_bytes)
    if _hex(keccak(code)) != deployment.code_hash:
        raise _refuse(
            "deployment-code",
            f"the code at {deployment.address} is not the committed contract",
            deployment.chain,
            "see that chain.rpc is the chain of the deployment; anchor nothing there",
        )


def _verify_log(endpoints: Endpoints, deployment: Deployment, identity: LogIdentity) -> None:
    owner, origin, key, anchorer = _registration(endpoints, deployment)
    expected = (deployment.owner, identity.origin_hash, deployment.owner)
    keys = (identity.key_hash, *identity.former_key_hashes)
    if (owner, origin, anchorer) != expected or key not in keys:
        raise _refuse(
            "deployment-log",
            "the log's registration has another owner, origin, key or anchorer than this node",
            f"{deployment.address} log {deployment.log_id}",
            "see `contract show`; register a new log or set the node's keys right",
        )


def _code(endpoints: Endpoints, deployment: Deployment) -> bool:
    return bool(endpoints.ask("eth_getCode", deployment.address, "latest", read=_bytes))


def _owner(endpoints: Endpoints, deployment: Deployment) -> bool:
    return _registration(endpoints, deployment)[0] != "0x" + "00" * 20


def _registration(endpoints: Endpoints, deployment: Deployment) -> tuple[str, Digest, Digest, str]:
    call = {
        "to": deployment.address,
        "data": _hex(registration_call(bytes.fromhex(deployment.log_id[2:]))),
    }
    answer = endpoints.ask("eth_call", call, "latest", read=_bytes)
    owner, origin, key, anchorer = registration_answer(answer)
    return owner, Digest(origin), Digest(key), anchorer


def _price(endpoints: Endpoints, row: ChainRow) -> dict[str, Any]:
    """A fee at which two transactions are mined soon, within the row's cap."""
    price = endpoints.highest("eth_gasPrice", read=_number)
    if row.legacy_fees:
        return {"gasPrice": min(2 * price, row.fee_cap_wei)}
    tip = endpoints.highest("eth_maxPriorityFeePerGas", read=_number)
    most = min(2 * price + tip, row.fee_cap_wei)
    return {"type": 2, "maxFeePerGas": most, "maxPriorityFeePerGas": min(tip, most)}


def _write(state: Path, deployment: Deployment) -> None:
    """Whole or not at all, and on disk when this returns."""
    partial = state.with_suffix(".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, msgspec.json.format(msgspec.json.encode(deployment), indent=1) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(state)
    folder = os.open(state.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
