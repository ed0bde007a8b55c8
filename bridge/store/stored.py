"""Everything that is stored, read page by page for fsck."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Table, select, text, tuple_

from bridge.core.ids import Digest, LeafIndex, RecordId, instant
from bridge.core.plain import plain
from bridge.core.record.bundle import Apply
from bridge.core.record.merge import ResourceRef
from bridge.core.search.index import (
    DateRow,
    IndexRow,
    QuantityRow,
    ReferenceRow,
    TextRow,
    TokenRow,
)
from bridge.ports.stored import (
    StoredAccess,
    StoredCurrent,
    StoredRecord,
    StoredRevision,
    StoredVersion,
)
from bridge.store.indexing import names
from bridge.store.packing import unpack
from bridge.store.schema import (
    index_date,
    index_quantity,
    index_reference,
    index_text,
    index_token,
)
from bridge.store.stored_log import StoredLog

__all__ = ["PostgresStored"]

SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
RECORD = """
SELECT r.seq, r.id, r.feed, r.number, r.sender, r.pinned, r.charset, r.dialect, r.message_type,
    r.control_id, r.resend_key, r.received, r.source, r.source_digest, r.bundle, r.bundle_digest,
    r.mapping, r.apply, r.header, r.salts, r.answer, coalesce(l.leaf, q.leaf) AS leaf,
    l.index AS leaf_index
FROM ({chosen}) AS r
LEFT JOIN leaf AS l ON l.subject = r.id AND l.kind = 1
LEFT JOIN leaf_queue AS q ON q.subject = r.id AND q.kind = 1
ORDER BY r.seq {order}
"""
RECORDS = text(
    RECORD.format(
        chosen="SELECT * FROM record WHERE seq > :after ORDER BY seq LIMIT :limit", order="ASC"
    )
)
ONE_RECORD = text(RECORD.format(chosen="SELECT * FROM record WHERE id = :id", order="ASC"))
NEWEST = text(
    RECORD.format(
        chosen="SELECT * FROM record WHERE (:sender = '' OR sender = :sender)"
        " AND dialect = :dialect AND (:before = 0 OR seq < :before)"
        " ORDER BY seq DESC LIMIT :limit",
        order="DESC",
    )
)
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
ACCESSES = text("""
SELECT a.seq, a.id, a.at, a.event, a.salts, coalesce(l.leaf, q.leaf) AS leaf,
    ARRAY(SELECT patient FROM access_patient WHERE access = a.seq ORDER BY patient COLLATE "C")
        AS patients
FROM (SELECT * FROM access WHERE seq > :after ORDER BY seq LIMIT :limit) AS a
LEFT JOIN leaf AS l ON l.subject = a.id AND l.kind = 5
LEFT JOIN leaf_queue AS q ON q.subject = a.id AND q.kind = 5
ORDER BY a.seq
""")
CURRENTS = text("""
SELECT r.type, r.id, r.indexed_by, v.body
FROM (SELECT * FROM resource WHERE version > 0 AND (type, id) > (:type, :id)
      ORDER BY type, id LIMIT :limit) AS r
JOIN resource_version AS v USING (type, id, version)
ORDER BY r.type, r.id
""")
INDEXES: tuple[tuple[Table, type[IndexRow]], ...] = (
    (index_token, TokenRow),
    (index_text, TextRow),
    (index_date, DateRow),
    (index_reference, ReferenceRow),
    (index_quantity, QuantityRow),
)
"""Each search table and the value of its rows: the columns after `type` and `id`, in order."""
CHANGED_MAPPING = text(
    "SELECT digest FROM mapping WHERE digest <> sha256(document) ORDER BY digest LIMIT 1"
)


class PostgresStored(StoredLog):
    """The port `Stored` over one PostgreSQL."""

    @contextmanager
    def unit(self) -> Iterator[None]:
        """One snapshot for one page, whatever a working node commits meanwhile."""
        with self._database.unit():
            self._database.connection.execute(SNAPSHOT)
            yield

    def records(self, after: int, limit: int) -> Sequence[StoredRecord]:
        """Records with a `seq` above `after`, in order."""
        page = {"after": after, "limit": limit}
        return tuple(map(_record, self._database.connection.execute(RECORDS, page)))

    def record(self, record: RecordId) -> StoredRecord | None:
        """One record."""
        row = self._database.connection.execute(ONE_RECORD, {"id": record}).one_or_none()
        return _record(row) if row is not None else None

    def newest(self, sender: str, dialect: str, before: int, limit: int) -> Sequence[StoredRecord]:
        """Records of a sender and dialect, newest first."""
        page = {"sender": plain(sender), "dialect": dialect, "before": before, "limit": limit}
        return tuple(map(_record, self._database.connection.execute(NEWEST, page)))

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
        values = names(refs) | {"seq": revision}
        found = map(_version, self._database.connection.exec_driver_sql(BEFORE, values))
        return {one.ref: one for one in found}

    def accesses(self, after: int, limit: int) -> Sequence[StoredAccess]:
        """Accesses with a `seq` above `after`, in order."""
        page = {"after": after, "limit": limit}
        return tuple(map(_access, self._database.connection.execute(ACCESSES, page)))

    def currents(self, after: ResourceRef | None, limit: int) -> Sequence[StoredCurrent]:
        """Resources that come after this one by type and id, each with its search rows."""
        last = after or ResourceRef("", "")
        page = {"type": last.type, "id": last.id, "limit": limit}
        found = self._database.connection.execute(CURRENTS, page).all()
        refs = [ResourceRef(row.type, row.id) for row in found]
        rows = self._search_rows(refs)
        return tuple(
            StoredCurrent(ref=ref, body=row.body, rows=tuple(rows[ref]), rules=row.indexed_by)
            for ref, row in zip(refs, found, strict=True)
        )

    def _search_rows(self, refs: Sequence[ResourceRef]) -> Mapping[ResourceRef, list[IndexRow]]:
        rows: dict[ResourceRef, list[IndexRow]] = {ref: [] for ref in refs}
        names = [(ref.type, ref.id) for ref in refs]
        for table, value in INDEXES:
            columns = [column for column in table.c if column.name not in {"type", "id"}]
            statement = select(table.c.type, table.c.id, *columns).where(
                tuple_(table.c.type, table.c.id).in_(names)
            )
            for row in self._database.connection.execute(statement):
                parts = {one.name: _part(getattr(row, one.name)) for one in columns}
                rows[ResourceRef(row.type, row.id)].append(value(**parts))
        return rows

    def changed_mapping(self) -> Digest | None:
        """A mapping whose document is not what its digest says."""
        found = self._database.connection.execute(CHANGED_MAPPING).scalar_one_or_none()
        return None if found is None else Digest(found)


def _record(row: Row[Any]) -> StoredRecord:
    return StoredRecord(
        seq=row.seq,
        id=RecordId(row.id),
        feed=row.feed,
        number=row.number,
        sender=row.sender,
        pinned=row.pinned,
        charset=row.charset,
        dialect=row.dialect,
        message_type=row.message_type,
        control_id=row.control_id,
        resend_key=row.resend_key,
        received=instant(row.received),
        source=row.source,
        source_digest=row.source_digest,
        bundle=unpack(row.bundle),
        bundle_digest=row.bundle_digest,
        mapping=Digest(row.mapping),
        apply=row.apply,
        header=row.header,
        salts=row.salts,
        answer=row.answer,
        leaf=row.leaf,
        index=None if row.leaf_index is None else LeafIndex(row.leaf_index),
    )


def _revision(row: Row[Any], versions: tuple[StoredVersion, ...]) -> StoredRevision:
    return StoredRevision(
        seq=row.seq,
        id=row.id,
        record=RecordId(row.record),
        bundle=unpack(row.bundle),
        apply=next((one for one in Apply if one.value == row.apply), None),
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


def _access(row: Row[Any]) -> StoredAccess:
    return StoredAccess(
        seq=row.seq,
        id=row.id,
        at=instant(row.at),
        event=row.event,
        salts=row.salts,
        patients=tuple(row.patients),
        leaf=row.leaf,
    )


def _part(value: Any) -> Any:  # noqa: ANN401 - a column of any search table
    return instant(value) if isinstance(value, datetime) else value
