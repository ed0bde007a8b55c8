"""Everything that is stored, read page by page for fsck."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import Any

from sqlalchemy import Row, text

from bridge.core.ids import Digest, RecordId, TreeSize, instant
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.ports.logbook import PublishedHead
from bridge.ports.stored import StoredRecord, StoredRevision, StoredVersion
from bridge.store.database import Database

__all__ = ["PostgresStored"]

RECORDS = text("""
SELECT r.seq, r.id, r.feed, r.number, r.message_type, r.received, r.source, r.source_digest,
    r.bundle, r.bundle_digest, r.mapping, r.header, r.salts, coalesce(l.leaf, q.leaf) AS leaf
FROM (SELECT * FROM record WHERE seq > :after ORDER BY seq LIMIT :limit) AS r
LEFT JOIN leaf AS l ON l.subject = r.id AND l.kind = 1
LEFT JOIN leaf_queue AS q ON q.subject = r.id AND q.kind = 1
ORDER BY r.seq
""")
REVISIONS = text("""
SELECT v.seq, v.id, r.id AS record, r.bundle, r.apply, v.at, v.header, v.salts, v.resources_root,
    coalesce(l.leaf, q.leaf) AS leaf
FROM (SELECT * FROM revision WHERE seq > :after ORDER BY seq LIMIT :limit) AS v
JOIN record AS r ON r.seq = v.record_seq
LEFT JOIN leaf AS l ON l.subject = v.id AND l.kind = 6
LEFT JOIN leaf_queue AS q ON q.subject = v.id AND q.kind = 6
ORDER BY v.seq
""")
VERSIONS = text("""
SELECT revision, type, id, version, deleted, body, salt FROM resource_version
WHERE revision = ANY(:revisions) ORDER BY revision, place
""")
BEFORE = """
SELECT DISTINCT ON (u.type, u.id) v.type, v.id, v.version, v.deleted, v.body, v.salt
FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN resource_version AS v ON v.type = u.type AND v.id = u.id
JOIN revision AS r ON r.id = v.revision AND r.seq < %(seq)b::bigint
ORDER BY u.type, u.id, v.version DESC
"""
CHECKPOINTS = text(
    "SELECT size, root, note FROM checkpoint WHERE size > :after ORDER BY size LIMIT :limit"
)
STRAYS = (
    text("""
SELECT 'leaf ' || index || ' of record ' || subject FROM leaf
WHERE kind = 1 AND NOT EXISTS (SELECT FROM record WHERE id = subject) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of revision ' || subject FROM leaf
WHERE kind = 6 AND NOT EXISTS (SELECT FROM revision WHERE id = subject) ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'leaf ' || index || ' of event ' || subject FROM leaf
WHERE kind IN (3, 4) AND NOT EXISTS (SELECT FROM log_event WHERE id = subject)
ORDER BY index LIMIT 1
"""),
    text("""
SELECT 'event ' || e.id FROM log_event AS e
WHERE NOT EXISTS (SELECT FROM leaf AS l WHERE l.subject = e.id)
AND NOT EXISTS (SELECT FROM leaf_queue AS q WHERE q.subject = e.id) LIMIT 1
"""),
    text("""
SELECT 'revision ' || v.id FROM revision AS v
WHERE NOT EXISTS (SELECT FROM record AS r WHERE r.seq = v.record_seq) ORDER BY v.seq LIMIT 1
"""),
    text("""
SELECT 'resource version ' || type || '/' || id || '/' || version FROM resource_version AS v
WHERE NOT EXISTS (SELECT FROM revision AS r WHERE r.id = v.revision) LIMIT 1
"""),
    text("""
SELECT 'resource ' || r.type || '/' || r.id FROM resource AS r
LEFT JOIN resource_version AS v ON (v.type, v.id, v.version) = (r.type, r.id, r.version)
WHERE r.version > 0 AND (v.version IS NULL OR v.deleted <> r.deleted OR EXISTS (
    SELECT FROM resource_version AS w
    WHERE (w.type, w.id) = (r.type, r.id) AND w.version > r.version)) LIMIT 1
"""),
)


class PostgresStored:
    """The port `Stored` over one PostgreSQL."""

    def __init__(self, database: Database) -> None:
        """Share the database's pool and units."""
        self._database = database

    def unit(self) -> AbstractContextManager[None]:
        """The transaction in which one page is read."""
        return self._database.unit()

    def records(self, after: int, limit: int) -> Sequence[StoredRecord]:
        """Records with a `seq` above `after`, in order."""
        page = {"after": after, "limit": limit}
        return tuple(map(_record, self._database.connection.execute(RECORDS, page)))

    def revisions(self, after: int, limit: int) -> Sequence[StoredRevision]:
        """Revisions with a `seq` above `after`, in order, each with its versions."""
        page = {"after": after, "limit": limit}
        rows = self._database.connection.execute(REVISIONS, page).all()
        made = self._database.connection.execute(VERSIONS, {"revisions": [r.id for r in rows]})
        versions = {
            revision: tuple(map(_version, group))
            for revision, group in groupby(made, key=lambda row: row.revision)
        }
        return tuple(_revision(row, versions.get(row.id, ())) for row in rows)

    def before(
        self, revision: int, refs: Sequence[ResourceRef]
    ) -> Mapping[ResourceRef, StoredVersion]:
        """The newest version of each resource made by an earlier revision."""
        values = {
            "types": [ref.type for ref in refs],
            "ids": [ref.id for ref in refs],
            "seq": revision,
        }
        found = map(_version, self._database.connection.exec_driver_sql(BEFORE, values))
        return {one.ref: one for one in found}

    def checkpoints(self, after: int, limit: int) -> Sequence[PublishedHead]:
        """Published checkpoints of more than `after` leaves, by size."""
        page = {"after": after, "limit": limit}
        return tuple(
            PublishedHead(size=TreeSize(row.size), root=Digest(row.root), note=row.note)
            for row in self._database.connection.execute(CHECKPOINTS, page)
        )

    def stray(self) -> str | None:
        """The first row that nothing accounts for."""
        for statement in STRAYS:
            found: str | None = self._database.connection.execute(statement).scalar()
            if found is not None:
                return found
        return None


def _record(row: Row[Any]) -> StoredRecord:
    return StoredRecord(
        seq=row.seq,
        id=RecordId(row.id),
        feed=row.feed,
        number=row.number,
        message_type=row.message_type,
        received=instant(row.received),
        source=row.source,
        source_digest=row.source_digest,
        bundle=row.bundle,
        bundle_digest=row.bundle_digest,
        mapping=Digest(row.mapping),
        header=row.header,
        salts=row.salts,
        leaf=row.leaf,
    )


def _revision(row: Row[Any], versions: tuple[StoredVersion, ...]) -> StoredRevision:
    return StoredRevision(
        seq=row.seq,
        id=row.id,
        record=RecordId(row.record),
        bundle=row.bundle,
        apply=Apply(row.apply),
        at=instant(row.at),
        header=row.header,
        salts=row.salts,
        resources_root=Digest(row.resources_root),
        leaf=row.leaf,
        versions=versions,
    )


def _version(row: Row[Any]) -> StoredVersion:
    return StoredVersion(
        ref=ResourceRef(row.type, row.id),
        number=row.version,
        deleted=row.deleted,
        body=row.body,
        salt=row.salt,
    )
