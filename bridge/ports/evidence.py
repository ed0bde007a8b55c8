"""What a receipt is made of: the claims behind a leaf, and the anchors of a checkpoint."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.core.ids import Digest, RecordId, TreeSize
from bridge.core.record.claims import Claim, Kind

__all__ = ["Anchoring", "Evidence", "SealedLeaf", "SealedRevision", "VersionClaim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLeaf:
    """What one leaf commits to, salts included: secret until a claim is disclosed."""

    subject: str
    """Record or revision id: how the log book finds the leaf's index."""
    kind: Kind
    claims: tuple[Claim, ...]
    """In order of name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionClaim:
    """One resource version of a revision."""

    name: str
    """`Type/id/version`."""
    salt: bytes
    value: Digest
    """SHA-256 of the bytes as served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRevision:
    """A revision and all its versions in order of name."""

    leaf: SealedLeaf
    versions: tuple[VersionClaim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """A final anchor with its captured evidence."""

    size: TreeSize
    note: bytes
    """The signed checkpoint that was anchored."""
    evidence: bytes
    """The element of the receipt's `anchors`, JSON."""


class Evidence(Protocol):
    """PostgreSQL. Not trusted for integrity: a receipt is verified before it is handed out.

    Reads only; every call needs an open unit, so that one receipt is of one state.
    """

    def unit(self) -> AbstractContextManager[None]:
        """The transaction in which the reads happen."""

    def record(self, record: RecordId) -> SealedLeaf | None:
        """The claims of a record; None when there is no such record."""

    def revision(self, resource_type: str, resource_id: str, version: int) -> SealedRevision | None:
        """The revision that made a resource version; None when there is no such version."""

    def event(self, event: str) -> SealedLeaf | None:
        """The claims of a feed marker or key event; None when there is no such event."""

    def anchored(self, size_from: TreeSize) -> Sequence[Anchoring]:
        """For each contract and kind of stamp the smallest final anchor of at least this size."""
