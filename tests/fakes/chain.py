"""A hostile chain in memory: reorganises, loses transactions, mines late, lags, and crashes."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, TreeSize, parse_instant
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

__all__ = ["GAS_USED", "Crash", "HostileChain"]

GAS_USED = 38_000
_GENESIS = parse_instant("2026-11-22T14:00:00.000000Z")
_EMPTY = AnchoredHead(size=TreeSize(0), root=Digest(bytes(32)), sequence=0)


class Crash(BaseException):
    """The process dies here: nothing catches it, as nothing catches a power cut."""


class _Body(msgspec.Struct, frozen=True):
    nonce: int
    max_fee_wei: int
    tip_wei: int
    prev_root: bytes
    size: int
    root: bytes


@dataclass(frozen=True)
class _Block:
    number: int
    hash: bytes
    time: Instant
    raw: bytes | None
    """The one transaction of the block, or none."""
    applied: bool


@dataclass
class HostileChain:
    """The port `Chain` over blocks in a list. Mines only when told, unless `instant`."""

    depth: int = 2
    instant: bool = False
    name: str = "eip155:13371"
    contract: str = "0x" + "c0" * 20
    account: str = "0x" + "ac" * 20
    fee_cap_wei: int = 1000
    stuck_after_s: int = 30
    base_wei: int = 10
    tip_wei: int = 2
    lag: int = 0
    """How many blocks the answering endpoint is behind."""
    refuse_evidence: bool = False
    crash_on: str = ""
    """`send-before`, `send-after`: die around the broadcast, once."""
    blocks: list[_Block] = field(default_factory=list)
    pool: dict[int, bytes] = field(default_factory=dict)
    """By nonce: a pool holds one transaction of an account a nonce."""
    sent: list[bytes] = field(default_factory=list)
    """Every broadcast, in order."""
    sealed: int = 0
    """Blocks ever made: one made after a reorganisation has another hash."""

    def __post_init__(self) -> None:
        """Begin with a genesis block."""
        self._seal(None, applied=False)

    # The port

    def view(self) -> ChainView:
        """The chain as a lagging endpoint sees it."""
        blocks = self._seen()
        return ChainView(
            block_number=len(blocks) - 1,
            final_block=self._final(blocks),
            nonce=_nonce(blocks),
            head=_head(blocks),
        )

    def final_nonce(self) -> int:
        """Transactions up to the newest final block."""
        blocks = self._seen()
        return _nonce(blocks[: self._final(blocks) + 1])

    def market(self) -> Market:
        """What the test says."""
        return Market(base_wei=self.base_wei, tip_wei=self.tip_wei)

    def gas(self, payload: Payload) -> int:
        """The contract's compare-and-swap, as a dry run."""
        if not _applies(payload, _head(self._seen())):
            raise BridgeError(
                "anchor-refused",
                Fault.OPERATOR,
                what="the anchor would fail: prevRoot is not the head",
                where=self.name,
                do="see that this account is the log's anchorer and has funds",
            )
        return 50_000

    def sign(self, payload: Payload, *, nonce: int, gas: int, fees: Fees) -> SignedAnchor:
        """Deterministic bytes."""
        del gas
        raw = msgspec.msgpack.encode(
            _Body(
                nonce=nonce,
                max_fee_wei=fees.max_fee_wei,
                tip_wei=fees.tip_wei,
                prev_root=payload.prev_root,
                size=payload.size,
                root=payload.root,
            )
        )
        return SignedAnchor(tx_hash=_hash(raw), raw=raw)

    def send(self, raw: bytes) -> Delivery:
        """What geth's pool answers."""
        if self.crash_on == "send-before":
            self.crash_on = ""
            raise Crash
        self.sent.append(raw)
        delivery = self._offer(raw)
        if self.instant and delivery is Delivery.ACCEPTED:
            self.mine()
        if self.crash_on == "send-after":
            self.crash_on = ""
            raise Crash
        return delivery

    def find(self, tx_hash: bytes) -> Inclusion | None:
        """Where it is mined."""
        for block in self._seen():
            if block.raw is not None and _hash(block.raw) == tx_hash:
                return Inclusion(
                    block_number=block.number,
                    block_hash=block.hash,
                    time=block.time,
                    anchored=_payload(block.raw) if block.applied else None,
                    spent=Spent(gas=GAS_USED, cost_wei=GAS_USED * self.base_wei),
                )
        return None

    def evidence(self, tx_hash: bytes) -> bytes:
        """Some JSON that names transaction and block."""
        found = self.find(tx_hash)
        if found is None or self.refuse_evidence:
            raise BridgeError(
                "evidence-gone",
                Fault.PEER,
                what="the transaction is in no block that the endpoints know",
                where=tx_hash.hex(),
                do="nothing: it is looked for again",
            )
        return msgspec.json.encode(
            {"type": "evm", "tx": tx_hash.hex(), "block_hash": found.block_hash.hex()}
        )

    # What a test does to it

    def mine(self, count: int = 1) -> None:
        """Blocks with what the pool has and the base fee lets in."""
        for _ in range(count):
            raw = self.pool.pop(_nonce(self.blocks), None)
            if raw is not None and _body(raw).max_fee_wei < self.base_wei:
                self.pool[_body(raw).nonce] = raw
                raw = None
            self.force(raw)

    def force(self, raw: bytes | None) -> None:
        """A block with this transaction, whatever the pool thinks."""
        applied = raw is not None and _applies(_payload(raw), _head(self.blocks))
        self._seal(raw, applied=applied)

    def mine_this(self, raw: bytes) -> None:
        """A miner kept a transaction that pools forgot; it takes it if its nonce is next."""
        if _body(raw).nonce == _nonce(self.blocks):
            self.pool.pop(_body(raw).nonce, None)
            self.force(raw)

    def reorg(self, depth: int, *, keep: bool = True) -> None:
        """Replace the last blocks by empty ones; their transactions go back to the pool or not."""
        gone = self.blocks[-depth:]
        del self.blocks[-depth:]
        for block in gone:
            if keep and block.raw is not None:
                self.pool.setdefault(_body(block.raw).nonce, block.raw)
        for _ in gone:
            self._seal(None, applied=False)

    def vanish(self) -> None:
        """The pool forgets everything, as pools do."""
        self.pool.clear()

    def foreign(self) -> None:
        """Another program sends from our account: the nonce is gone."""
        nonce = _nonce(self.blocks)
        body = _Body(nonce=nonce, max_fee_wei=0, tip_wei=0, prev_root=b"", size=0, root=b"foreign")
        self.pool.pop(nonce, None)
        self._seal(msgspec.msgpack.encode(body), applied=False)

    @property
    def head(self) -> AnchoredHead:
        """The contract's head at the tip."""
        return _head(self.blocks)

    def _offer(self, raw: bytes) -> Delivery:
        body = _body(raw)
        if body.nonce < _nonce(self.blocks):
            return Delivery.NONCE_USED
        held = self.pool.get(body.nonce)
        if held == raw:
            return Delivery.KNOWN
        if held is not None and not _outbids(body, _body(held)):
            return Delivery.UNDERPRICED
        self.pool[body.nonce] = raw
        return Delivery.ACCEPTED

    def _seal(self, raw: bytes | None, *, applied: bool) -> None:
        number = len(self.blocks)
        self.sealed += 1
        self.blocks.append(
            _Block(
                number=number,
                hash=_hash(b"block %d" % self.sealed),
                time=Instant(_GENESIS + timedelta(seconds=number)),
                raw=raw,
                applied=applied,
            )
        )

    def _seen(self) -> list[_Block]:
        return self.blocks[: len(self.blocks) - self.lag]

    def _final(self, blocks: list[_Block]) -> int:
        return len(blocks) - 1 if self.instant else max(0, len(blocks) - 1 - self.depth)


def _outbids(new: _Body, held: _Body) -> bool:
    """Both fees up by a tenth at least (geth's price bump)."""
    return new.max_fee_wei * 10 >= held.max_fee_wei * 11 and new.tip_wei * 10 >= held.tip_wei * 11


def _nonce(blocks: list[_Block]) -> int:
    return sum(block.raw is not None for block in blocks)


def _head(blocks: list[_Block]) -> AnchoredHead:
    head = _EMPTY
    for block in blocks:
        if block.applied and block.raw is not None:
            payload = _payload(block.raw)
            head = replace(head, size=payload.size, root=payload.root, sequence=head.sequence + 1)
    return head


def _applies(payload: Payload, head: AnchoredHead) -> bool:
    return payload.prev_root == head.root and payload.size > head.size


def _payload(raw: bytes) -> Payload:
    body = _body(raw)
    return Payload(
        prev_root=Digest(body.prev_root), size=TreeSize(body.size), root=Digest(body.root)
    )


def _body(raw: bytes) -> _Body:
    return msgspec.msgpack.decode(raw, type=_Body)


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
