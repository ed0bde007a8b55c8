"""What the signed bytes of an anchoring attempt say, against the columns beside them."""

from collections.abc import Sequence
from typing import NamedTuple

from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from bridge.chain.account import sender_of
from bridge.chain.contract import anchor_call
from bridge.core.errors import BridgeError
from bridge.core.proof.anchors import EvmAnchor, parse_anchor
from bridge.core.proof.calldata import parse_posted
from bridge.core.proof.members import load
from bridge.core.proof.rlp import Item, decode, number
from bridge.core.proof.trust import Contract
from bridge.ports.anchors import Attempt, State
from bridge.ports.chain import Payload

__all__ = ["transaction_differs"]

MAX_EVIDENCE = 1 << 20
"""As of a receipt, which carries it."""
_NEED_BYTES = frozenset({State.SIGNED, State.SENT, State.MINED, State.FINAL, State.EVIDENCED})
_DYNAMIC_FEES = b"\x02"
"""EIP-1559: https://eips.ethereum.org/EIPS/eip-1559."""
_LOG_ID = slice(4, 36)
"""Of the calldata: behind the selector. Which log it is, no column repeats."""


class _Sent(NamedTuple):
    """The parts of a transaction that columns repeat."""

    chain: int
    nonce: int
    max_fee: int
    tip: int | None
    gas: int
    to: bytes
    data: bytes


def transaction_differs(attempt: Attempt, pinned: Sequence[Contract] = ()) -> str | None:
    """What the attempt's columns say otherwise than its signed bytes; None when nothing.

    Args:
        attempt: as stored.
        pinned: the contracts that the node knows, for what evidence says of their code and log.
    """
    if attempt.signed is None:
        return "its signed bytes are gone" if attempt.state in _NEED_BYTES else None
    raw = attempt.signed.raw
    if keccak(raw) != attempt.signed.tx_hash:
        return "its transaction hash is not that of its signed bytes"
    try:
        sent, account = _read(raw), sender_of(raw)
    except (BridgeError, ValidationError, ValueError, TypeError) as error:
        return f"its signed bytes are no transaction, {type(error).__name__}"
    said = {
        "chain": f"eip155:{sent.chain}" == attempt.chain,
        "account": account == attempt.account,
        "nonce": sent.nonce == attempt.nonce,
        "gas": sent.gas == attempt.gas,
        "contract": "0x" + sent.to.hex() == attempt.contract,
        "fee": sent.max_fee == attempt.fees.max_fee_wei,
        "tip": sent.tip in {None, attempt.fees.tip_wei},
        "head": _is_head(sent.data, attempt.payload),
    }
    wrong = [name for name, same in said.items() if not same]
    if wrong:
        return f"its {', '.join(wrong)} is not what was signed"
    return _pins(attempt.evidence, pinned) if attempt.evidence else None


def _pins(evidence: bytes, pinned: Sequence[Contract]) -> str | None:
    """A contract has one code, and one log of ours, for ever: no proof says which."""
    try:
        told = parse_anchor(load(evidence, max_size=MAX_EVIDENCE, where="evidence"), "evidence")
    except BridgeError:
        return None  # fsck says what is wrong with it
    if not isinstance(told, EvmAnchor):
        return None
    for pin in pinned:
        if (pin.chain, pin.address) != (told.chain, told.address):
            continue
        if (pin.code_hash, pin.log_id) != (told.code_hash, told.log_id):
            return "the code hash or log id of its evidence is not that of the contract"
    return None


def _is_head(data: bytes, payload: Payload) -> bool:
    """Calldata of the contract, or the head as the data itself; of which log, no column repeats."""
    if data[:4] == anchor_call(bytes(32), payload)[:4]:
        return data == anchor_call(data[_LOG_ID], payload)
    try:
        head = parse_posted(data)
    except BridgeError:
        return False
    return Payload(prev_root=head.previous, size=head.size, root=head.root) == payload


def _read(raw: bytes) -> _Sent:
    """A transaction with dynamic fees, or an EIP-155 one with a gas price."""
    typed = raw[:1] == _DYNAMIC_FEES
    fields = decode(raw[1:] if typed else raw, where="transaction")
    if isinstance(fields, bytes) or len(fields) != (12 if typed else 9):
        raise ValueError(len(fields))
    if typed:
        chain, nonce, tip, fee, gas = (_number(one) for one in fields[:5])
        return _Sent(chain, nonce, fee, tip, gas, _bytes(fields[5]), _bytes(fields[7]))
    nonce, price, gas = (_number(one) for one in fields[:3])
    chain = (_number(fields[6]) - 35) // 2
    return _Sent(chain, nonce, price, None, gas, _bytes(fields[3]), _bytes(fields[5]))


def _number(item: Item) -> int:
    return number(item, where="transaction", max_size=32)


def _bytes(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise TypeError(type(item))
    return item
