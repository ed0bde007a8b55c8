"""A Bitcoin block header: 80 bytes that hold the Merkle root which OpenTimestamps proofs lead to.

Source: https://developer.bitcoin.org/reference/block_chain.html#block-headers.
"""

from dataclasses import dataclass
from typing import Final

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, sha256

__all__ = ["BITCOIN", "BitcoinHeader", "parse_bitcoin_header"]

BITCOIN: Final = "bip122:000000000019d6689c085ae165831e93"
"""CAIP-2 id of the main chain: the first 16 bytes of its genesis block's hash."""
_SIZE: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class BitcoinHeader:
    """What a verifier needs of a header."""

    hash: Digest
    """As explorers show it: the double SHA-256, bytes reversed."""
    merkle_root: bytes
    """As it stands in the header, which is the order of OpenTimestamps."""
    timestamp_s: int
    """Seconds since 1970 by the miner's clock, which the network lets err by two hours."""


def parse_bitcoin_header(data: bytes) -> BitcoinHeader:
    """Read a header and check that it carries the work it names.

    A header whose hash is not below its own target was never a block of any chain. That the work
    is Bitcoin's is not judged here: whoever names the header vouches for that.

    Raises:
        BridgeError: `bitcoin-header`.
    """
    if len(data) != _SIZE:
        raise _refusal(f"a header has {_SIZE} bytes, found {len(data)}")
    work = sha256(sha256(data))
    if int.from_bytes(work, "little") > _target(int.from_bytes(data[72:76], "little")):
        raise _refusal("the header's hash is above the target that it names")
    return BitcoinHeader(
        hash=Digest(work[::-1]),
        merkle_root=data[36:68],
        timestamp_s=int.from_bytes(data[68:72], "little"),
    )


def _target(bits: int) -> int:
    """The compact form nBits; negative and overlong targets are no target."""
    size, mantissa = bits >> 24, bits & 0x7FFFFF
    if bits & 0x800000 or size > 32:
        return 0
    return mantissa << 8 * (size - 3) if size >= 3 else mantissa >> 8 * (3 - size)


def _refusal(what: str) -> BridgeError:
    return BridgeError(
        "bitcoin-header",
        Fault.PEER,
        what=what,
        where="Bitcoin block header",
        do="take the header from `bitcoin-cli getblockheader HASH false` of a node of your own",
    )
