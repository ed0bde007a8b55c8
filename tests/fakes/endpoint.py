"""A chain endpoint that keeps its word, or is told to lie, lag or fail."""

from dataclasses import dataclass

from eth_hash.auto import keccak

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest
from bridge.core.proof.endpoints import LiveHead
from tests.fakes import sealed


@dataclass(kw_only=True)
class FakeEndpoint:
    """A `HeadReader` on the world of `sealed`; every answer can be changed."""

    block: Digest | None
    name: str = "node-a"
    serves: str = sealed.CHAIN
    newest: int = 100
    final: int = 90
    code: bytes = sealed.CODE
    live: LiveHead
    down: bool = False

    def chain(self) -> str:
        """The chain, or no answer at all."""
        if self.down:
            raise BridgeError(
                "rpc-unavailable", Fault.PEER, what="it cannot be reached", where="fake", do="retry"
            )
        return self.serves

    def block_hash(self, number: int) -> Digest | None:
        """The same block at every height."""
        assert number >= 0
        return self.block

    def height(self) -> int:
        """The newest block."""
        return self.newest

    def finalized(self) -> int:
        """The newest finalized block."""
        return self.final

    def code_hash(self, address: bytes) -> Digest:
        """Of the code at the one contract."""
        assert address == sealed.ADDRESS
        return Digest(keccak(self.code))

    def head(self, address: bytes, log_id: bytes) -> LiveHead:
        """The live head."""
        assert (address, log_id) == (sealed.ADDRESS, sealed.LOG_ID)
        return self.live


def honest(world: sealed.World, *, name: str = "node-a") -> FakeEndpoint:
    """An endpoint that shows the anchored block and the newest head of the world."""
    anchor = sealed.block(world.anchored, sealed.tree_root(world.leaves[: world.anchored]))
    return FakeEndpoint(
        name=name,
        block=Digest(bytes.fromhex(anchor["block_hash"][2:])),
        live=LiveHead(size=len(world.leaves), root=Digest(sealed.tree_root(world.leaves))),
    )
