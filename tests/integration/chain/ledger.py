"""Drive CheckpointAnchor on an in-process chain: fast enough for every size of tree."""

from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account
from eth_utils.crypto import keccak

from bridge.chain.contracts.artefact import artefact
from bridge.embedded.evmchain import CHAIN_ID, Call, EvmChain
from tests.fakes.sources import FixedClock

__all__ = ["LOG_ID", "Ledger", "Reverted", "call_data"]

LOG_ID = bytes(range(32))


class Reverted(Exception):  # noqa: N818 - what the EVM calls it
    """With the contract's reason."""


class Ledger:
    """A chain with the contract on it. Accounts are numbers; 0 is funded and deploys."""

    def __init__(self, folder: Path, profile: str = "cancun") -> None:
        """Deploy."""
        self._accounts = [Account.from_key(bytes([n + 1]) * 32) for n in range(3)]
        self.chain = EvmChain(folder / "blocks", funded=self._address(0), clock=FixedClock())
        self.gas: dict[str, int] = {}
        self.contract = b""
        creation = artefact().profile(profile).bytecode
        self._send("deploy", bytes.fromhex(creation[2:]), 0)
        located = self.chain.block_at(1)
        assert located is not None
        self.contract = _created(self._address(0))
        for other in (1, 2):
            self._pay(other)

    def address(self, account: int) -> str:
        """Of an account by number."""
        return str(self._accounts[account].address)

    def send(self, signature: str, *values: object, sender: int = 0, name: str = "") -> None:
        """A transaction; what it cost is kept under `name`."""
        try:
            self._send(name or signature, call_data(signature, values), sender)
        except Reverted:
            self.call(signature, *values, sender=sender)
            raise

    def call(self, signature: str, *values: object, returns: str = "", sender: int = 0) -> Any:
        """A call that changes nothing; reverts raise with their reason."""
        computation = self.chain.call(
            Call(
                sender=self._address(sender),
                to=self.contract,
                data=call_data(signature, values),
                value=0,
                gas=10_000_000,
            ),
            self.chain.head,
        )
        if computation.is_error:
            output = computation.output
            raise Reverted(decode(["string"], output[4:])[0] if output else "without reason")
        decoded = decode([returns], computation.output) if returns else (None,)
        self.gas[signature.partition("(")[0]] = computation.get_gas_used()
        return decoded[0]

    def logs(self) -> list[tuple[bytes, list[bytes], bytes]]:
        """Address, topics and data of the newest block's events."""
        block = self.chain.block_at(self.chain.head.block_number)
        assert block is not None
        return [
            (bytes(log.address), [topic.to_bytes(32) for topic in log.topics], bytes(log.data))
            for receipt in self.chain.receipts_of(block)
            for log in receipt.logs
        ]

    def _send(self, name: str, data: bytes, sender: int) -> None:
        tx_hash = self._sign_and_send(sender, self.contract, data, 0, 3_000_000)
        located = self.chain.find(tx_hash)
        assert located is not None
        if located.receipt.state_root != b"\x01":
            raise Reverted("mined and reverted")
        self.gas[name.partition("(")[0]] = located.receipt.gas_used

    def _pay(self, account: int) -> None:
        self._sign_and_send(0, self._address(account), b"", 10**20, 30_000)

    def _sign_and_send(self, sender: int, to: bytes, data: bytes, value: int, gas: int) -> bytes:
        signed = self._accounts[sender].sign_transaction(
            {
                "type": 2,
                "chainId": CHAIN_ID,
                "nonce": self.chain.nonce(self._address(sender), self.chain.head),
                "gas": gas,
                "maxFeePerGas": 10**10,
                "maxPriorityFeePerGas": 1,
                "to": to,
                "value": value,
                "data": data,
            }
        )
        return self.chain.send(bytes(signed.raw_transaction))

    def _address(self, account: int) -> bytes:
        return bytes.fromhex(self._accounts[account].address[2:])


def _created(sender: bytes) -> bytes:
    """Address of the first contract of an account: keccak(rlp([sender, 0]))."""
    return keccak(b"\xd6\x94" + sender + b"\x80")[12:]


def call_data(signature: str, values: tuple[object, ...]) -> bytes:
    """Selector and arguments."""
    inner = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode(inner.split(","), values)
