"""Calldata, answers and events of CheckpointAnchor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from bridge.core.ids import Digest, TreeSize
from bridge.ports.chain import AnchoredHead, Payload

__all__ = [
    "ANCHORED",
    "NOBODY",
    "ZERO_ROOT",
    "Registration",
    "accept_owner_call",
    "anchor_call",
    "anchored_event",
    "change_key_call",
    "head_answer",
    "head_call",
    "log_name",
    "propose_owner_call",
    "register_call",
    "registration_answer",
    "registration_call",
    "retire_call",
    "set_anchorer_call",
]

NOBODY: Final = "0x" + "00" * 20
ZERO_ROOT: Final = Digest(bytes(32))
ANCHORED: Final = keccak(text="Anchored(bytes32,uint64,uint64,bytes32,bytes32)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the contract says of a log. Addresses are lower-case hexadecimal with 0x."""

    owner: str
    """`NOBODY` before it is registered."""
    pending_owner: str
    origin_hash: bytes
    key_hash: bytes
    successor: str
    """The contract that goes on; `NOBODY` while the log is open here."""
    successor_log_id: bytes
    anchorer: str


def anchor_call(log_id: bytes, payload: Payload) -> bytes:
    """Calldata of `anchor()`."""
    return _call(
        "anchor(bytes32,bytes32,uint64,bytes32)",
        log_id,
        payload.prev_root,
        payload.size,
        payload.root,
    )


def register_call(log_id: bytes, *, origin: bytes, key: bytes, anchorer: str) -> bytes:
    """Calldata of `register()`; `origin` and `key` are SHA-256."""
    return _call("register(bytes32,bytes32,bytes32,address)", log_id, origin, key, anchorer)


def head_call(log_id: bytes) -> bytes:
    """Calldata of `head()`."""
    return _call("head(bytes32)", log_id)


def head_answer(data: bytes) -> AnchoredHead:
    """What `head()` returned; ValueError for anything else."""
    if len(data) != 160:
        raise ValueError(len(data))
    root, size, sequence, _, _ = _decoded(["bytes32", "uint64", "uint64", "uint64", "uint64"], data)
    return AnchoredHead(size=TreeSize(size), root=Digest(root), sequence=sequence)


def registration_call(log_id: bytes) -> bytes:
    """Calldata of `registration()`."""
    return _call("registration(bytes32)", log_id)


def registration_answer(data: bytes) -> Registration:
    """What `registration()` returned; ValueError for anything else."""
    if len(data) != 224:
        raise ValueError(len(data))
    owner, pending, origin, key, successor, successor_log, anchorer = _decoded(
        ["address", "address", "bytes32", "bytes32", "address", "bytes32", "address"], data
    )
    return Registration(
        owner=owner,
        pending_owner=pending,
        origin_hash=origin,
        key_hash=key,
        successor=successor,
        successor_log_id=successor_log,
        anchorer=anchorer,
    )


def change_key_call(log_id: bytes, key_hash: bytes) -> bytes:
    """Calldata of `changeKey()`."""
    return _call("changeKey(bytes32,bytes32)", log_id, key_hash)


def set_anchorer_call(log_id: bytes, anchorer: str) -> bytes:
    """Calldata of `setAnchorer()`."""
    return _call("setAnchorer(bytes32,address)", log_id, anchorer)


def propose_owner_call(log_id: bytes, owner: str) -> bytes:
    """Calldata of `proposeOwner()`."""
    return _call("proposeOwner(bytes32,address)", log_id, owner)


def accept_owner_call(log_id: bytes) -> bytes:
    """Calldata of `acceptOwner()`."""
    return _call("acceptOwner(bytes32)", log_id)


def log_name(chain: str, address: str, log_id: str) -> str:
    """Where the heads of one log stand: CAIP-2 id, contract and log id."""
    return f"{chain}/{address.lower()}/{log_id}"


def retire_call(log_id: bytes, successor: str, successor_log_id: bytes) -> bytes:
    """Calldata of `retire()`."""
    return _call("retire(bytes32,address,bytes32)", log_id, successor, successor_log_id)


def anchored_event(
    logs: Sequence[dict[str, Any]], *, contract: str, log_id: bytes
) -> tuple[int, Payload] | None:
    """Position and content of the one `Anchored` event of our contract and log.

    None when there is none, or more than one: two heads in a transaction leave open which counts.
    ValueError when its data is not what the contract writes.
    """
    ours = [
        (position, log)
        for position, log in enumerate(logs)
        if log["address"].lower() == contract
        and log["topics"][:2] == ["0x" + ANCHORED.hex(), "0x" + log_id.hex()]
    ]
    if len(ours) != 1:
        return None
    position, log = ours[0]
    size, root, prev_root = _decoded(
        ["uint64", "bytes32", "bytes32"], bytes.fromhex(log["data"][2:])
    )
    return position, Payload(prev_root=Digest(prev_root), size=TreeSize(size), root=Digest(root))


def _call(signature: str, *values: object) -> bytes:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return keccak(text=signature)[:4] + encode(types, values)


def _decoded(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Strict; ValueError for bytes of another form, which only an endpoint that lies gives."""
    try:
        return decode(types, data, strict=True)
    except DecodingError as error:
        raise ValueError(len(data)) from error
