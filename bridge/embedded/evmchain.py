"""A one-node Ethereum chain on py-evm: one transaction a block, mined at once, kept on disk.

Trusted with nothing: whoever holds the folder can make another chain with any times in it. It
stands in for a real network in demos and tests; its blocks have the real form (Prague).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth.abc import (
    BlockAPI,
    BlockHeaderAPI,
    ComputationAPI,
    ReceiptAPI,
    SignedTransactionAPI,
)
from eth.chains.base import MiningChain
from eth.constants import BLANK_ROOT_HASH, POST_MERGE_MIX_HASH, POST_MERGE_NONCE
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth.typing import AccountDetails, HeaderParams
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from bridge.embedded.blockfile import BlockFile
from bridge.ports.sources import Clock

__all__ = ["CHAIN_ID", "Call", "EvmChain", "Located", "Refusal"]

CHAIN_ID: Final = 13371
"""No public network uses it (31337 is anvil's and Hardhat's), so a mix-up is seen at once."""

_GAS_LIMIT: Final = 30_000_000
_EXTRA: Final = b"fhir-anchor dev: no evidence"
_FUNDS_WEI: Final = 10**24


class Refusal(Exception):  # noqa: N818 - it carries the words of the Ethereum clients, not an error of ours
    """A transaction that the chain does not take; the text is the one geth uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A mined transaction and its place."""

    block: BlockAPI
    index: int
    transaction: SignedTransactionAPI
    receipt: ReceiptAPI


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A message call that changes nothing."""

    sender: bytes
    to: bytes
    data: bytes
    value: int
    gas: int


class _Chain(MiningChain):
    chain_id = CHAIN_ID
    vm_configuration = ((BlockNumber(0), PragueVM),)

    def create_header_from_parent(
        self,
        parent_header: BlockHeaderAPI,
        **header_params: Any,  # noqa: ANN401 - the signature of py-evm
    ) -> BlockHeaderAPI:
        return super().create_header_from_parent(
            parent_header, **{**header_params, "gas_limit": parent_header.gas_limit}
        )


class _Journal(MemoryDB):
    """Remembers what was written since the last block, so that a block is one batch."""

    def __init__(self, kept: dict[bytes, bytes]) -> None:
        super().__init__(kept)
        self.fresh: dict[bytes, bytes] = {}

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.fresh[key] = value
        super().__setitem__(key, value)


class EvmChain:
    """Not safe for several threads: the server holds one lock around it."""

    def __init__(self, path: Path, *, funded: bytes, clock: Clock) -> None:
        """Open the chain in the file, or begin one that funds one address (20 bytes)."""
        self._file = BlockFile(path)
        self._clock = clock
        kept = {key: value for batch in self._file.batches for key, value in batch}
        self._db = _Journal(kept)
        if kept:
            self._chain = _Chain(AtomicDB(self._db))
        else:
            self._chain = self._begin(funded)
            self._keep()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    @property
    def head(self) -> BlockHeaderAPI:
        """Header of the newest block."""
        return self._chain.get_canonical_head()

    @property
    def next_base_fee(self) -> int:
        """Base fee of the block that comes next, in wei a gas (EIP-1559)."""
        fee = self._chain.create_header_from_parent(self.head).base_fee_per_gas
        return int(fee or 0)

    def block_at(self, number: int) -> BlockAPI | None:
        """The block at a height."""
        if not 0 <= number <= self.head.block_number:
            return None
        return self._chain.get_canonical_block_by_number(BlockNumber(number))

    def block_of(self, block_hash: bytes) -> BlockAPI | None:
        """The block with a hash."""
        try:
            return self._chain.get_block_by_hash(Hash32(block_hash))
        except HeaderNotFound:
            return None

    def receipts_of(self, block: BlockAPI) -> tuple[ReceiptAPI, ...]:
        """Receipts in the order of the block's transactions."""
        return tuple(block.get_receipts(self._chain.chaindb))

    def find(self, tx_hash: bytes) -> Located | None:
        """A mined transaction."""
        try:
            number, index = self._chain.get_canonical_transaction_index(Hash32(tx_hash))
        except TransactionNotFound:
            return None
        block = self._chain.get_canonical_block_by_number(number)
        return Located(
            block=block,
            index=index,
            transaction=block.transactions[index],
            receipt=self.receipts_of(block)[index],
        )

    def nonce(self, address: bytes, at: BlockHeaderAPI) -> int:
        """Transactions that the address has sent."""
        return self._chain.get_vm(at).state.get_nonce(Address(address))

    def balance(self, address: bytes, at: BlockHeaderAPI) -> int:
        """Balance in wei."""
        return self._chain.get_vm(at).state.get_balance(Address(address))

    def code(self, address: bytes, at: BlockHeaderAPI) -> bytes:
        """Runtime code; empty for an account without."""
        return self._chain.get_vm(at).state.get_code(Address(address))

    def storage(self, address: bytes, slot: int, at: BlockHeaderAPI) -> int:
        """One storage word."""
        return self._chain.get_vm(at).state.get_storage(Address(address), slot)

    def call(self, call: Call, at: BlockHeaderAPI) -> ComputationAPI:
        """Run a call on the state after a block and forget what it did."""
        with self._chain.get_vm(at).in_costless_state() as state:
            return state.apply_transaction(self._spoof(call, state.get_nonce))

    def estimate(self, call: Call) -> int:
        """The gas limit that a call needs as a transaction, found by bisection."""
        nonce = self._chain.get_vm(self.head).state.get_nonce
        return self._chain.estimate_gas(self._spoof(call, nonce), self.head)

    def send(self, raw: bytes) -> bytes:
        """Mine one signed transaction as a block; durable when this returns its hash.

        Raises:
            Refusal: with the words of geth; nothing was mined.
        """
        transaction = self._decode(raw)
        if self.find(transaction.hash) is not None:
            raise Refusal("already known")
        self._admit(transaction)
        parent = self.head
        seconds = int(self._clock.now().timestamp())
        self._chain.header = self._chain.create_header_from_parent(parent)
        self._chain.set_header_timestamp(max(seconds, parent.timestamp + 1))
        try:
            self._chain.mine_all([transaction])
        except ValidationError as error:
            raise Refusal(str(error)) from error
        self._keep()
        return transaction.hash

    def _begin(self, funded: bytes) -> _Chain:
        genesis: dict[str, HeaderParams] = {
            "coinbase": Address(bytes(20)),
            "difficulty": 0,
            "extra_data": _EXTRA,
            "gas_limit": _GAS_LIMIT,
            "mix_hash": POST_MERGE_MIX_HASH,
            "nonce": POST_MERGE_NONCE,
            "receipt_root": BLANK_ROOT_HASH,
            "timestamp": int(self._clock.now().timestamp()),
            "transaction_root": BLANK_ROOT_HASH,
        }
        account: AccountDetails = {
            "balance": _FUNDS_WEI,
            "nonce": 0,
            "code": b"",
            "storage": {},
        }
        chain = _Chain.from_genesis(AtomicDB(self._db), genesis, {Address(funded): account})
        if not isinstance(chain, _Chain):  # pragma: no cover - py-evm types it as the base class
            raise TypeError(chain)
        return chain

    def _keep(self) -> None:
        self._file.append(tuple(self._db.fresh.items()))
        self._db.fresh.clear()

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
        except (ValidationError, RLPException, ValueError, TypeError, IndexError) as error:
            raise Refusal(f"invalid transaction: {type(error).__name__}") from error
        if transaction.chain_id not in (None, CHAIN_ID):
            raise Refusal("invalid chain id for signer")
        return transaction

    def _admit(self, transaction: SignedTransactionAPI) -> None:
        """The checks of a transaction pool, in the order and words of geth."""
        state = self._chain.get_vm(self.head).state
        expected = state.get_nonce(transaction.sender)
        if transaction.nonce < expected:
            raise Refusal(f"nonce too low: next nonce {expected}, tx nonce {transaction.nonce}")
        if transaction.nonce > expected:
            raise Refusal(f"nonce too high: next nonce {expected}, tx nonce {transaction.nonce}")
        if transaction.gas > _GAS_LIMIT:
            raise Refusal("exceeds block gas limit")
        if transaction.gas < transaction.intrinsic_gas:
            raise Refusal("intrinsic gas too low")
        if transaction.max_fee_per_gas < self.next_base_fee:
            raise Refusal("max fee per gas less than block base fee")
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if state.get_balance(transaction.sender) < cost:
            raise Refusal("insufficient funds for gas * price + value")

    def _spoof(self, call: Call, nonce: Any) -> Any:  # noqa: ANN401 - SpoofTransaction is untyped
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=CHAIN_ID,
            nonce=nonce(Address(call.sender)),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=0,
            gas=call.gas,
            to=Address(call.to),
            value=call.value,
            data=call.data,
            access_list=(),
        )
        return SpoofTransaction(unsigned, from_=Address(call.sender), gas_price=0)
