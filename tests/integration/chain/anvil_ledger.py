"""CheckpointAnchor on an anvil, driven as `Ledger` drives it in-process."""

from typing import Any

import requests
from eth_abi.abi import decode

from bridge.chain.contracts.artefact import artefact
from tests.anvil import Anvil
from tests.integration.chain.ledger import Reverted, call_data

__all__ = ["AnvilLedger"]


class AnvilLedger:
    """Accounts are numbers; anvil holds their keys."""

    def __init__(self, anvil: Anvil) -> None:
        """Deploy."""
        self._anvil, self._accounts = anvil, anvil.call("eth_accounts")
        creation = artefact().profile("cancun").bytecode
        self._contract = self._mined({"from": self.address(0), "data": creation})["contractAddress"]

    def address(self, account: int) -> str:
        """Of an account by number."""
        return str(self._accounts[account])

    def send(self, signature: str, *values: object, sender: int = 0) -> None:
        """A transaction, mined alone."""
        data = "0x" + call_data(signature, values).hex()
        call = {"from": self.address(sender), "to": self._contract, "data": data, "gas": "0x2dc6c0"}
        if self._mined(call)["status"] != "0x1":
            self.call(signature, *values, sender=sender)
            raise Reverted("mined and reverted")

    def call(self, signature: str, *values: object, returns: str = "", sender: int = 0) -> Any:
        """A call that changes nothing; reverts raise with their reason."""
        data = "0x" + call_data(signature, values).hex()
        call = {"from": self.address(sender), "to": self._contract, "data": data}
        body: Any = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
        answer = requests.post(self._anvil.url, json=body, timeout=10).json()
        if "error" in answer:
            output = bytes.fromhex(str(answer["error"].get("data", "0x"))[2:])
            raise Reverted(decode(["string"], output[4:])[0] if output else "without reason")
        found = bytes.fromhex(answer["result"][2:])
        return decode([returns], found)[0] if returns else None

    def _mined(self, transaction: dict[str, str]) -> Any:
        tx_hash = self._anvil.call("eth_sendTransaction", transaction)
        self._anvil.mine()
        return self._anvil.call("eth_getTransactionReceipt", tx_hash)
