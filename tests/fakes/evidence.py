"""The port `Evidence` in memory: a record and a revision, beside a real log book."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bridge.core.ids import Digest, RecordId, TreeSize, sha256
from bridge.core.log.merkle import leaf_hash, root
from bridge.core.record.claims import RECORD_NAMES, REVISION_NAMES, Claim, Kind, commitment, leaf
from bridge.ports.evidence import Anchoring, SealedLeaf, SealedRevision, VersionClaim

__all__ = ["MemoryEvidence", "leaf_of", "sealed_record", "sealed_revision"]


@dataclass
class MemoryEvidence:
    """Holds what a test puts in."""

    records: dict[str, SealedLeaf] = field(default_factory=dict)
    revisions: dict[str, SealedRevision] = field(default_factory=dict)
    events: dict[str, SealedLeaf] = field(default_factory=dict)
    anchorings: list[Anchoring] = field(default_factory=list)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Nothing to hold together."""
        yield

    def record(self, record: RecordId) -> SealedLeaf | None:
        """By id."""
        return self.records.get(record)

    def revision(self, resource_type: str, resource_id: str, version: int) -> SealedRevision | None:
        """By name of the version."""
        return self.revisions.get(f"{resource_type}/{resource_id}/{version}")

    def event(self, event: str) -> SealedLeaf | None:
        """By id."""
        return self.events.get(event)

    def anchored(self, size_from: TreeSize) -> Sequence[Anchoring]:
        """All that are large enough; every one of a chain of its own."""
        return [one for one in self.anchorings if one.size >= size_from]


def sealed_record(subject: str, **parts: bytes) -> SealedLeaf:
    """A record with these parts; salts made of the names."""
    claims = tuple(
        Claim(name=name, salt=sha256(name.encode()), value=sha256(parts.get(name, b"")))
        for name in RECORD_NAMES
    )
    return SealedLeaf(subject=subject, kind=Kind.RECORD, claims=claims)


def sealed_revision(subject: str, versions: dict[str, bytes]) -> SealedRevision:
    """A revision of versions by name."""
    made = tuple(
        VersionClaim(name=name, salt=sha256(name.encode()), value=sha256(versions[name]))
        for name in sorted(versions)
    )
    hashes = [leaf_hash(Claim(name=v.name, salt=v.salt, value=v.value).digest()) for v in made]
    values: dict[str, Digest] = {"header": sha256(b"header"), "resources": root(hashes)}
    claims = tuple(
        Claim(name=name, salt=sha256(name.encode()), value=values[name]) for name in REVISION_NAMES
    )
    sealed = SealedLeaf(subject=subject, kind=Kind.REVISION, claims=claims)
    return SealedRevision(leaf=sealed, versions=made)


def leaf_of(sealed: SealedLeaf) -> bytes:
    """The leaf as it was promised to the log."""
    return leaf(sealed.kind, commitment({one.name: one.digest() for one in sealed.claims}))
