"""What receipts are made of, read from PostgreSQL. See the port for what is trusted."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from sqlalchemy import text

from bridge.core.ids import Digest, RecordId, TreeSize, sha256
from bridge.core.proof.anchors import anchor_text, stamp_anchor
from bridge.core.record.claims import RECORD_NAMES, REVISION_NAMES, SALT_SIZE, Claim, Kind
from bridge.core.record.events import event_claims
from bridge.ports.evidence import Anchoring, SealedLeaf, SealedRevision, VersionClaim
from bridge.store.database import Database
from bridge.store.events import documents_of
from bridge.store.packing import unpack

__all__ = ["PostgresEvidence", "claims_of"]

RECORD = text("SELECT source, bundle, mapping, header, salts FROM record WHERE id = :id")
REVISION = text("""
SELECT r.id, r.header, r.salts, r.resources_root
FROM resource_version AS v JOIN revision AS r ON r.id = v.revision
WHERE v.type = :type AND v.id = :id AND v.version = :version
""")
VERSIONS = text("""
SELECT type, id, version, salt, body FROM resource_version WHERE revision = :revision
ORDER BY place
""")
ANCHORED = text("""
SELECT DISTINCT ON (chain, contract) size, note, evidence
FROM anchor_attempt
WHERE state = 'evidenced' AND size >= :size AND evidence IS NOT NULL
ORDER BY chain, contract, size, id
""")
EVENT = text("SELECT id, kind, body, control, salts FROM log_event WHERE id = :id")
STAMPED = text("""
SELECT DISTINCT ON (s.kind) s.size, s.kind, s.token, c.note
FROM stamp AS s JOIN checkpoint AS c ON c.size = s.size
WHERE s.state = 'complete' AND s.size >= :size
ORDER BY s.kind, s.size
""")


class PostgresEvidence:
    """The port `Evidence` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """The transaction in which the reads happen."""
        return self._database.unit()

    def record(self, record: RecordId) -> SealedLeaf | None:
        """The claims of a record, its digests taken anew from the stored bytes."""
        row = self._database.connection.execute(RECORD, {"id": record}).one_or_none()
        if row is None:
            return None
        values = (
            sha256(unpack(row.bundle)),
            sha256(row.header),
            Digest(row.mapping),
            sha256(row.source),
        )
        claims = claims_of(RECORD_NAMES, row.salts, values)
        return SealedLeaf(subject=record, kind=Kind.RECORD, claims=claims)

    def revision(self, resource_type: str, resource_id: str, version: int) -> SealedRevision | None:
        """The revision that made a resource version, with all its neighbours' digests."""
        names = {"type": resource_type, "id": resource_id, "version": version}
        row = self._database.connection.execute(REVISION, names).one_or_none()
        if row is None:
            return None
        values = (sha256(row.header), Digest(row.resources_root))
        claims = claims_of(REVISION_NAMES, row.salts, values)
        made = self._database.connection.execute(VERSIONS, {"revision": row.id})
        return SealedRevision(
            leaf=SealedLeaf(subject=row.id, kind=Kind.REVISION, claims=claims),
            versions=tuple(
                VersionClaim(
                    name=f"{one.type}/{one.id}/{one.version}",
                    salt=one.salt,
                    value=sha256(one.body),
                )
                for one in made
            ),
        )

    def event(self, event: str) -> SealedLeaf | None:
        """The claims of a feed marker or key event, its digests taken anew."""
        row = self._database.connection.execute(EVENT, {"id": event}).one_or_none()
        if row is None:
            return None
        kind = Kind(row.kind)
        claims = event_claims(kind, documents_of(row), bytes(row.salts))
        return SealedLeaf(subject=row.id, kind=kind, claims=claims)

    def anchored(self, size_from: TreeSize) -> Sequence[Anchoring]:
        """For each contract and kind of stamp the smallest final anchor of at least this size."""
        rows = self._database.connection.execute(ANCHORED, {"size": size_from})
        anchors = [
            Anchoring(size=TreeSize(row.size), note=row.note, evidence=row.evidence) for row in rows
        ]
        stamps = self._database.connection.execute(STAMPED, {"size": size_from})
        anchors += [
            Anchoring(
                size=TreeSize(row.size),
                note=row.note,
                evidence=anchor_text(stamp_anchor(row.kind, row.token)),
            )
            for row in stamps
        ]
        return tuple(anchors)


def claims_of(names: Sequence[str], salts: bytes, values: Sequence[Digest]) -> tuple[Claim, ...]:
    """Claims of a leaf; `salts` one after another in the order of `names`."""
    return tuple(
        Claim(name=name, salt=salts[n * SALT_SIZE : (n + 1) * SALT_SIZE], value=value)
        for n, (name, value) in enumerate(zip(names, values, strict=True))
    )
