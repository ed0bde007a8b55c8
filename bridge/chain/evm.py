"""The Chain port on any EVM network: plan, sign, send, find, and capture evidence."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from bridge.chain.account import AnchorAccount
from bridge.chain.contract import (
    anchor_call,
    anchored_event,
    head_answer,
    head_call,
    log_name,
)
from bridge.chain.endpoint import RpcRefusal
from bridge.chain.evidence import Place, capture
from bridge.chain.rows import ChainRow, Depth, Finalized, Instant
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant as At
from bridge.core.ids import instant
from bridge.ports.chain import (
    AnchoredHead,
    ChainView,
    Delivery,
    Fees,
    Inclusion,
    Market,
    Payload,
    SignedAnchor,
    Spent,
)

__all__ = ["EvmChain"]

# A third more than the dry run needed: the fork that makes storage dearer may come in between.
_Mined: TypeAlias = tuple[int, bytes, Payload | None, Spent | None]
_GAS_MARGIN: Final = 4 / 3
_STATES_KEPT: Final = 100
# What geth, Besu, Nethermind, Erigon, Reth, anvil and the dev chain say, in the order it is tested.
_DELIVERIES: Final = (
    ("already known", Delivery.KNOWN),
    ("alreadyknown", Delivery.KNOWN),
    ("already imported", Delivery.KNOWN),
    ("known transaction", Delivery.KNOWN),
    ("nonce too low", Delivery.NONCE_USED),
    ("nonce is too low", Delivery.NONCE_USED),
    ("oldnonce", Delivery.NONCE_USED),
    ("underpriced", Delivery.UNDERPRICED),
    ("feetoolow", Delivery.UNDERPRICED),
    ("fee too low", Delivery.UNDERPRICED),
    ("less than block base fee", Delivery.UNDERPRICED),
    ("gas price below", Delivery.UNDERPRICED),
)


class EvmChain:
    """One contract, one log, one account, several endpoints."""

    def __init__(
        self,
        endpoints: Endpoints,
        row: ChainRow,
        account: AnchorAccount,
        *,
        contract: str,
        code_hash: str,
        log_id: bytes,
    ) -> None:
        """Touches no network. Contract and code hash as `deploy` verified them."""
        self.name = f"eip155:{row.chain_id}"
        self.contract = contract.lower()
        self.account = account.address
        self.fee_cap_wei = row.fee_cap_wei
        self.stuck_after_s = row.stuck_after_s
        self._endpoints, self._row, self._signer = endpoints, row, account
        self._log_id = log_id
        self._place = Place(
            chain=self.name,
            address=self.contract,
            code_hash=code_hash,
            log_id=log_id,
            finality=row.finality.text,
        )

    @property
    def log_name(self) -> str:
        """Chain, contract and log id: where heads of this log stand."""
        return log_name(self.name, self.contract, _hex(self._log_id))

    def view(self) -> ChainView:
        """The chain at the newest block that k endpoints have."""
        block = self._endpoints.highest("eth_blockNumber", read=_number)
        return ChainView(
            block_number=block,
            final_block=self._final_block(block),
            nonce=self._nonce(block),
            head=self._head(hex(block)),
        )

    def final_nonce(self) -> int:
        """Our transactions up to the newest final block."""
        newest = self._endpoints.highest("eth_blockNumber", read=_number)
        final = self._final_block(newest)
        try:
            return self._nonce(final)
        except BridgeError:
            # Full nodes keep the state of 128 blocks; a rollup's final block is older. What is this
            # deep stays: and if not, the head is anchored again by the next transaction.
            if final >= newest - _STATES_KEPT:
                raise
            return self._nonce(newest - _STATES_KEPT)

    def market(self) -> Market:
        """Base fee of the newest block and the tip that a node proposes."""
        if self._row.legacy_fees:
            price = self._endpoints.highest("eth_gasPrice", read=_number)
            return Market(base_wei=0, tip_wei=price)
        base = self._endpoints.highest(
            "eth_getBlockByNumber",
            "latest",
            False,
            read=lambda block: _number(block["baseFeePerGas"]),
        )
        tip = self._endpoints.highest("eth_maxPriorityFeePerGas", read=_number)
        return Market(base_wei=base, tip_wei=tip)

    def gas(self, payload: Payload) -> int:
        """Dry run on the newest state, and a third on top."""
        call = {
            "from": self.account,
            "to": self.contract,
            "data": _hex(self._call_data(payload)),
        }
        # Without the tag some nodes run it after what their pool holds: after the stuck transaction
        # that this one replaces.
        asked = ("eth_estimateGas", call, "latest")
        if self._endpoints.ask(*asked, read=_is_refused):
            refusals = self._endpoints.tell(*asked)
            words = next((one.message for one in refusals if isinstance(one, RpcRefusal)), "")
            raise BridgeError(
                "anchor-refused",
                Fault.OPERATOR,
                what=f"the anchor would fail: {words[:200]}",
                where=f"{self.name} {self.contract}",
                do="see that this account is the log's anchorer and has funds",
            )
        # Clients search for the limit in different ways and differ by some gas.
        return int(self._endpoints.highest(*asked, read=_number) * _GAS_MARGIN)

    def sign(self, payload: Payload, *, nonce: int, gas: int, fees: Fees) -> SignedAnchor:
        """EIP-1559, or one gas price where the row says so."""
        price: dict[str, Any] = {
            "type": 2,
            "maxFeePerGas": fees.max_fee_wei,
            "maxPriorityFeePerGas": fees.tip_wei,
        }
        if self._row.legacy_fees:
            price = {"gasPrice": fees.max_fee_wei}
        tx_hash, raw = self._signer.sign(
            {
                **price,
                "chainId": self._row.chain_id,
                "nonce": nonce,
                "gas": gas,
                "to": bytes.fromhex(self.contract[2:]),
                "value": 0,
                "data": self._call_data(payload),
            }
        )
        return SignedAnchor(tx_hash=tx_hash, raw=raw)

    def send(self, raw: bytes) -> Delivery:
        """To every endpoint; one that takes it is enough."""
        answers = self._endpoints.tell("eth_sendRawTransaction", _hex(raw))
        refusals = [answer for answer in answers if isinstance(answer, RpcRefusal)]
        if len(refusals) < len(answers):
            return Delivery.ACCEPTED
        deliveries = [_delivery(refusal) for refusal in refusals]
        known = [delivery for delivery in deliveries if delivery is not None]
        if not known:
            raise self._refused(refusals[0])
        order = [Delivery.KNOWN, Delivery.NONCE_USED, Delivery.UNDERPRICED]
        return min(known, key=order.index)

    def find(self, tx_hash: bytes) -> Inclusion | None:
        """The receipt, if its block is the canonical one at its height."""
        mined = self._endpoints.ask(
            "eth_getTransactionReceipt", _hex(tx_hash), read=self._receipt_parts
        )
        if mined is None:
            return None
        number, block_hash, anchored, spent = mined
        block = self._endpoints.ask("eth_getBlockByNumber", hex(number), False, read=_block_parts)
        if block is None or block[0] != block_hash:
            return None
        return Inclusion(
            block_number=number,
            block_hash=block_hash,
            time=block[1],
            anchored=anchored,
            spent=spent,
        )

    def evidence(self, tx_hash: bytes) -> bytes:
        """Header and receipt proof, checked to hash to each other."""
        return capture(self._endpoints, self._place, tx_hash)

    def _head(self, tag: str) -> AnchoredHead:
        call = {"to": self.contract, "data": _hex(head_call(self._log_id))}
        return self._endpoints.ask("eth_call", call, tag, read=lambda it: head_answer(_bytes(it)))

    def _call_data(self, payload: Payload) -> bytes:
        return anchor_call(self._log_id, payload)

    def _nonce(self, block: int) -> int:
        asked = ("eth_getTransactionCount", self.account, hex(block))
        return self._endpoints.ask(*asked, read=_number)

    def _receipt_parts(self, answer: Any) -> _Mined | None:  # noqa: ANN401 - any JSON
        """What endpoints must agree on; nodes differ in what they add."""
        if answer is None:
            return None
        event = None
        if answer["status"] == "0x1":
            event = anchored_event(answer["logs"], contract=self.contract, log_id=self._log_id)
        block_hash = _bytes(answer["blockHash"])
        return _number(answer["blockNumber"]), block_hash, event and event[1], _spent(answer)

    def _final_block(self, newest: int) -> int:
        match self._row.finality:
            case Instant():
                return newest
            case Depth(blocks=blocks):
                return max(0, newest - blocks)
            case Finalized():
                return self._endpoints.highest(
                    "eth_getBlockByNumber",
                    "finalized",
                    False,
                    read=lambda block: 0 if block is None else _number(block["number"]),
                )

    def _refused(self, refusal: RpcRefusal) -> BridgeError:
        if "insufficient funds" in refusal.message.lower():
            return BridgeError(
                "anchor-unfunded",
                Fault.OPERATOR,
                what=f"the anchoring account {self.account} cannot pay for its transaction",
                where=self.name,
                do="send it funds; the stored transaction goes out again by itself",
            )
        return BridgeError(
            "chain-refused",
            Fault.PEER,
            what=f"every endpoint refused the transaction: {refusal.message[:200]}",
            where=f"{self.name} eth_sendRawTransaction",
            do="see what the endpoints say; the stored transaction is tried again",
        )


def _delivery(refusal: RpcRefusal) -> Delivery | None:
    text = refusal.message.lower()
    return next((delivery for words, delivery in _DELIVERIES if words in text), None)


def _number(answer: object) -> int:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ValueError(answer)
    return int(answer, 16)


def _spent(receipt: dict[str, Any]) -> Spent | None:
    """None where a node does not say the price; OP-stack rollups add the parent chain's fee.

    https://docs.optimism.io/app-developers/transactions/fees
    """
    price = receipt.get("effectiveGasPrice")
    if price is None:
        return None
    gas = _number(receipt["gasUsed"])
    parent = receipt.get("l1Fee")
    cost = gas * _number(price) + (0 if parent is None else _number(parent))
    return Spent(gas=gas, cost_wei=cost)


def _is_refused(answer: object) -> bool:
    if not isinstance(answer, RpcRefusal):
        _number(answer)
    return isinstance(answer, RpcRefusal)


def _bytes(answer: object) -> bytes:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ValueError(answer)
    return bytes.fromhex(answer[2:])


def _block_parts(answer: Any) -> tuple[bytes, At] | None:  # noqa: ANN401 - any JSON
    if answer is None:
        return None
    time = datetime.fromtimestamp(_number(answer["timestamp"]), UTC)
    return _bytes(answer["hash"]), instant(time)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
