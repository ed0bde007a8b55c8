"""One transaction of an operator's command: priced, tried, and sent until its effect is seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bridge.chain.account import AnchorAccount
from bridge.chain.endpoint import RpcRefusal
from bridge.chain.rows import ChainRow
from bridge.chain.rpc import Endpoints
from bridge.core.errors import BridgeError, Fault

__all__ = ["Teller", "price_of", "send_until"]

POLLS: Final = 600
_GAS_MARGIN: Final = 4 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who pays for calls of one contract, and how."""

    endpoints: Endpoints
    row: ChainRow
    account: AnchorAccount
    contract: str
    """Address, lower-case hexadecimal with 0x."""

    def try_call(self, data: bytes) -> int:
        """The gas that the call would need; this is the dry run.

        Raises:
            BridgeError: `contract-refused` with fault OPERATOR and the contract's own reason.
        """
        call = {"from": self.account.address, "to": self.contract, "data": _hex(data)}
        asked = ("eth_estimateGas", call, "latest")
        if self.endpoints.ask(*asked, read=lambda answer: isinstance(answer, RpcRefusal)):
            refusals = self.endpoints.tell(*asked)
            words = next((one.message for one in refusals if isinstance(one, RpcRefusal)), "")
            raise BridgeError(
                "contract-refused",
                Fault.OPERATOR,
                what=f"the contract would refuse this: {words[:200]}",
                where=f"{self.contract} from {self.account.address}",
                do="see `contract show`: the log's owner sends this, from an account with funds",
            )
        return int(
            self.endpoints.highest(*asked, read=lambda answer: int(answer, 16)) * _GAS_MARGIN
        )

    def call_until(self, data: bytes, there: Callable[[], bool], wait: Callable[[], None]) -> None:
        """Send the call unless its effect is there, and see it mined. Repeating it is harmless.

        The nonce is the next one behind what waits in the pool, so that an anchor in flight is not
        replaced by it.
        """
        if there():
            return
        gas = self.try_call(data)
        nonce = self.endpoints.highest(
            "eth_getTransactionCount",
            self.account.address,
            "pending",
            read=lambda answer: int(answer, 16),
        )
        _, raw = self.account.sign(
            {
                **price_of(self.endpoints, self.row),
                "chainId": self.row.chain_id,
                "nonce": nonce,
                "gas": gas,
                "to": bytes.fromhex(self.contract[2:]),
                "value": 0,
                "data": data,
            }
        )
        send_until(self.endpoints, _hex(raw), there, wait)


def price_of(endpoints: Endpoints, row: ChainRow) -> dict[str, Any]:
    """A fee at which a few transactions are mined soon, within the row's cap."""
    price = endpoints.highest("eth_gasPrice", read=lambda answer: int(answer, 16))
    if row.legacy_fees:
        return {"gasPrice": min(2 * price, row.fee_cap_wei)}
    tip = endpoints.highest("eth_maxPriorityFeePerGas", read=lambda answer: int(answer, 16))
    most = min(2 * price + tip, row.fee_cap_wei)
    return {"type": 2, "maxFeePerGas": most, "maxPriorityFeePerGas": min(tip, most)}


def send_until(
    endpoints: Endpoints, raw: str, there: Callable[[], bool], wait: Callable[[], None]
) -> None:
    """Send the bytes until their effect is seen; sending twice has one effect.

    Raises:
        BridgeError: `transaction-slow` when the chain does not move for 600 waits.
    """
    refusal = ""
    for _ in range(POLLS):
        if there():
            return
        answers = endpoints.tell("eth_sendRawTransaction", raw)
        refusal = next((each.message for each in answers if isinstance(each, RpcRefusal)), "")
        if "insufficient funds" in refusal.lower():
            break
        if not there():
            wait()
    raise BridgeError(
        "transaction-slow",
        Fault.OPERATOR,
        what=f"the transaction is not mined; the last answer was {refusal[:200]!r}",
        where="eth_sendRawTransaction",
        do="fund the account or wait for lower fees, then run the command again",
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
