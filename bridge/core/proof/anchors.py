"""Anchors in a receipt: what other systems say of a checkpoint. See docs/spec/anchor.md."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof import ots, rfc3161
from bridge.core.proof.members import Members, Value, dump, load
from bridge.core.proof.rlp import MAX_SIZE
from bridge.core.proof.trie import MAX_NODES

__all__ = [
    "Anchor",
    "CalldataAnchor",
    "EvmAnchor",
    "OtherAnchor",
    "OtsAnchor",
    "TokenAnchor",
    "anchor_text",
    "anchor_value",
    "moment_text",
    "parse_anchor",
    "seconds_text",
    "stamp_anchor",
]

_CHAIN = re.compile(r"eip155:[1-9][0-9]{0,14}", re.ASCII)
_FINALITY = re.compile(r"instant|finalized|depth-[1-9][0-9]{0,5}", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_EVM_NAMES = (
    *("type", "chain", "address", "code_hash", "log_id", "tx", "block_number", "block_hash"),
    *("time", "finality", "header", "receipt_index", "receipt", "receipt_proof", "log_position"),
)


_CALLDATA_NAMES = (
    *("type", "chain", "tx", "block_number", "block_hash", "time", "finality", "header"),
    *("transaction_index", "transaction", "transaction_proof"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmAnchor:
    """One `Anchored` event with what proves it: block header and receipt-trie proof."""

    chain: str
    """CAIP-2, such as `eip155:1`: https://chainagnostic.org/CAIPs/caip-2."""
    address: bytes
    code_hash: bytes
    """Keccak-256 of the contract's code."""
    log_id: bytes
    tx: bytes
    """For people and explorers; the proof does not rest on it."""
    block_number: int
    block_hash: bytes
    time: str
    """The header's timestamp, RFC 3339 in UTC with whole seconds."""
    finality: str
    """By which rule the issuer held the block final; a verifier goes by its own trust file."""
    header: bytes
    receipt_index: int
    receipt: bytes
    receipt_proof: tuple[bytes, ...]
    log_position: int
    """Place of the event among the events of its transaction."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Members of later versions, name and JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalldataAnchor:
    """A head in the data of a transaction, with block header and transaction-trie proof."""

    chain: str
    tx: bytes
    """Keccak-256 of the transaction."""
    block_number: int
    block_hash: bytes
    time: str
    """As of `EvmAnchor`."""
    finality: str
    header: bytes
    transaction_index: int
    transaction: bytes
    """In consensus encoding, with its EIP-2718 type byte."""
    transaction_proof: tuple[bytes, ...]
    unknown: tuple[tuple[str, str], ...] = ()
    """Members of later versions, name and JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtsAnchor:
    """An OpenTimestamps proof of SHA-256 of a checkpoint that the receipt carries."""

    proof: bytes
    """The detached timestamp file (.ots), verbatim."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Members of later versions, name and JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnchor:
    """An RFC 3161 time-stamp token over a checkpoint that the receipt carries."""

    token: bytes
    """The ContentInfo, DER; a .tsr file is this behind a status."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Members of later versions, name and JSON text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherAnchor:
    """An anchor of a type that this version cannot check: kept whole, counted for nothing."""

    type: str
    members: tuple[tuple[str, str], ...]


Anchor = EvmAnchor | CalldataAnchor | OtsAnchor | TokenAnchor | OtherAnchor


def parse_anchor(value: Value, where: str) -> Anchor:
    """Read one element of `anchors`.

    Raises:
        BridgeError: `receipt-form`.
    """
    members = Members.of(value, where)
    kind = members.text("type", max_size=40)
    if kind == "ots":
        proof = members.base64("proof", max_size=ots.MAX_SIZE)
        return OtsAnchor(proof=proof, unknown=members.beyond("type", "proof"))
    if kind == "rfc3161":
        token = members.base64("token", max_size=rfc3161.MAX_SIZE)
        return TokenAnchor(token=token, unknown=members.beyond("type", "token"))
    if kind == "calldata":
        return _calldata_anchor(members)
    if kind != "evm":
        return OtherAnchor(type=kind, members=members.beyond("type"))
    return EvmAnchor(
        chain=_matching(members, "chain", _CHAIN),
        address=members.prefixed("address", size=20),
        code_hash=members.prefixed("code_hash", size=32),
        log_id=members.prefixed("log_id", size=32),
        tx=members.prefixed("tx", size=32),
        block_number=members.number("block_number"),
        block_hash=members.prefixed("block_hash", size=32),
        time=_matching(members, "time", _TIME),
        finality=_matching(members, "finality", _FINALITY),
        header=members.prefixed("header", max_size=MAX_SIZE),
        receipt_index=members.number("receipt_index"),
        receipt=members.prefixed("receipt", max_size=MAX_SIZE),
        receipt_proof=members.prefixed_list("receipt_proof", at_most=MAX_NODES, max_size=1024),
        log_position=members.number("log_position"),
        unknown=members.beyond(*_EVM_NAMES),
    )


def _calldata_anchor(members: Members) -> CalldataAnchor:
    return CalldataAnchor(
        chain=_matching(members, "chain", _CHAIN),
        tx=members.prefixed("tx", size=32),
        block_number=members.number("block_number"),
        block_hash=members.prefixed("block_hash", size=32),
        time=_matching(members, "time", _TIME),
        finality=_matching(members, "finality", _FINALITY),
        header=members.prefixed("header", max_size=MAX_SIZE),
        transaction_index=members.number("transaction_index"),
        transaction=members.prefixed("transaction", max_size=1024),
        transaction_proof=members.prefixed_list(
            "transaction_proof", at_most=MAX_NODES, max_size=1024
        ),
        unknown=members.beyond(*_CALLDATA_NAMES),
    )


def anchor_value(anchor: Anchor) -> Value:
    """The JSON value that `parse_anchor` reads back."""
    match anchor:
        case OtsAnchor():
            proof = base64.b64encode(anchor.proof).decode("ascii")
            return {"type": "ots", "proof": proof, **_kept(anchor.unknown)}
        case TokenAnchor():
            token = base64.b64encode(anchor.token).decode("ascii")
            return {"type": "rfc3161", "token": token, **_kept(anchor.unknown)}
        case OtherAnchor():
            return {"type": anchor.type, **_kept(anchor.members)}
        case EvmAnchor():
            return _evm_value(anchor)
        case CalldataAnchor():
            return _calldata_value(anchor)
        case _:
            assert_never(anchor)


def stamp_anchor(kind: str, token: bytes) -> OtsAnchor | TokenAnchor:
    """The anchor of a stamp of this kind, `ots` or `rfc3161`."""
    return OtsAnchor(proof=token) if kind == "ots" else TokenAnchor(token=token)


def anchor_text(anchor: Anchor) -> bytes:
    """The element of `anchors` as JSON text."""
    return dump(anchor_value(anchor))


def _evm_value(anchor: EvmAnchor) -> Value:
    return {
        "type": "evm",
        "chain": anchor.chain,
        "address": _hex(anchor.address),
        "code_hash": _hex(anchor.code_hash),
        "log_id": _hex(anchor.log_id),
        "tx": _hex(anchor.tx),
        "block_number": anchor.block_number,
        "block_hash": _hex(anchor.block_hash),
        "time": anchor.time,
        "finality": anchor.finality,
        "header": _hex(anchor.header),
        "receipt_index": anchor.receipt_index,
        "receipt": _hex(anchor.receipt),
        "receipt_proof": [_hex(node) for node in anchor.receipt_proof],
        "log_position": anchor.log_position,
        **_kept(anchor.unknown),
    }


def _calldata_value(anchor: CalldataAnchor) -> Value:
    return {
        "type": "calldata",
        "chain": anchor.chain,
        "tx": _hex(anchor.tx),
        "block_number": anchor.block_number,
        "block_hash": _hex(anchor.block_hash),
        "time": anchor.time,
        "finality": anchor.finality,
        "header": _hex(anchor.header),
        "transaction_index": anchor.transaction_index,
        "transaction": _hex(anchor.transaction),
        "transaction_proof": [_hex(node) for node in anchor.transaction_proof],
        **_kept(anchor.unknown),
    }


def seconds_text(timestamp_s: int) -> str:
    """A block's timestamp as RFC 3339 in UTC with whole seconds.

    Raises:
        BridgeError: `block-time` beyond the year 9999, which no honest block states.
    """
    if timestamp_s > 253_402_300_799:
        raise BridgeError(
            "block-time",
            Fault.SENDER,
            what="the block's timestamp lies beyond the year 9999",
            where="header timestamp",
            do="take the chain evidence from an unaltered receipt",
        )
    return moment_text(datetime.fromtimestamp(timestamp_s, UTC))


def moment_text(moment: datetime) -> str:
    """A moment in UTC as RFC 3339 with whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _matching(members: Members, name: str, pattern: re.Pattern[str]) -> str:
    text = members.text(name, max_size=40)
    if not pattern.fullmatch(text):
        raise BridgeError(
            "receipt-form",
            Fault.SENDER,
            what=f"the text does not match {pattern.pattern}",
            where=f"{members.where}.{name}",
            do="fetch the receipt again from the node that issued it",
        )
    return text


def _kept(members: tuple[tuple[str, str], ...]) -> dict[str, Value]:
    return {
        name: load(text.encode(), max_size=1 << 20, where=f"anchors.{name}")
        for name, text in members
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
