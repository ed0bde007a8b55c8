"""What a verifier believes before it reads a receipt: whose signatures, which contracts and chains.

Everything else in a receipt is a claim of whoever made it. Specification: docs/spec/verify.md.
"""

from dataclasses import dataclass

from cryptography import x509

from bridge.core.ids import Digest, TreeSize
from bridge.core.log.note import VerifierKey

__all__ = [
    "NO_TRUST",
    "Authority",
    "Contract",
    "KnownBlock",
    "LogKey",
    "Network",
    "Trust",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of a log, and how far it is believed."""

    origin: str
    key: VerifierKey
    until: TreeSize | None = None
    """Of a retired key: the largest head that it signed as the log's. What it signs above, a thief
    signed."""

    def signs(self, size: TreeSize) -> bool:
        """Whether a head of this size may be its."""
        return self.until is None or size <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """An anchor contract that is believed, pinned by what cannot be swapped."""

    origin: str
    """Of the log whose heads it keeps."""
    chain: str
    address: bytes
    code_hash: bytes
    log_id: bytes
    finality: str
    """`finalized` (the chain's own tag), `instant`, or `depth-N`."""
    independent: bool
    """Whether others than the log's operator run the chain. A development or single-owner chain is
    not: whoever runs it can rewrite it, so it gives no level above a signature."""
    endpoints: int
    """How many RPC endpoints must agree (k of those asked)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A chain whose transactions date a head that stands in their data."""

    chain: str
    finality: str
    independent: bool
    endpoints: int
    """These three as of a `Contract`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBlock:
    """A block hash that the verifier knows to be canonical and final without asking anyone."""

    chain: str
    number: int
    hash: Digest
    header: bytes = b""
    """Of a Bitcoin block, whose header holds what an OpenTimestamps proof leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamp authority that is believed, by the root above its certificates."""

    certificate: x509.Certificate
    independent: bool
    """Whether it is not run by the log's operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a verifier believes before reading a receipt."""

    logs: tuple[LogKey, ...] = ()
    """A log that changed its key has two."""
    witnesses: tuple[VerifierKey, ...] = ()
    witnesses_needed: int = 0
    contracts: tuple[Contract, ...] = ()
    blocks: tuple[KnownBlock, ...] = ()
    authorities: tuple[Authority, ...] = ()
    networks: tuple[Network, ...] = ()

    def keys_of(self, origin: str, size: TreeSize) -> tuple[VerifierKey, ...]:
        """The keys that may sign a head of this size of one log."""
        return tuple(one.key for one in self.logs if one.origin == origin and one.signs(size))


NO_TRUST = Trust()
"""Nobody is believed: a receipt can then only be found self-consistent."""
