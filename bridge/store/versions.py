"""Resource versions and their search index, written in bulk: one batch of records a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

from sqlalchemy import CursorResult, text

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import parse
from bridge.core.record.claims import Kind
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import State
from bridge.core.search.index import RULES, IndexRow
from bridge.core.search.query import SearchQuery
from bridge.ports.versions import NewRevision, NewVersion
from bridge.store.indexing import forget, index, names
from bridge.store.lanes import Lanes
from bridge.store.search import page_statement

__all__ = ["PostgresVersions"]

MAX_FILED = 20_000
"""Resources that follow one visit to another patient in one transaction: a long stay in intensive
care has some thousand results."""

PLACE = """
INSERT INTO resource (type, id, version, deleted)
SELECT type, id, 0, true FROM unnest(%(types)b::text[], %(ids)b::text[]) AS r (type, id)
ON CONFLICT DO NOTHING
"""
"""A place to lock for what does not exist yet. Version 0 is never served; it may stay behind."""

LOCK = """
SELECT r.type, r.id, r.version, r.deleted
FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN resource r ON r.type = u.type AND r.id = u.id
ORDER BY r.type COLLATE "C", r.id COLLATE "C" FOR UPDATE OF r
"""

BODIES = """
SELECT v.type, v.id, v.body
FROM unnest(%(types)b::text[], %(ids)b::text[], %(versions)b::integer[]) AS u (type, id, version)
JOIN resource_version v ON v.type = u.type AND v.id = u.id AND v.version = u.version
"""
"""Read after locking: a join inside LOCK would see the version that stood before the wait."""

ADVANCE = """
UPDATE resource r
SET version = u.version, deleted = u.deleted, updated = u.at, indexed_by = %(rules)s
FROM unnest(%(types)b::text[], %(ids)b::text[], %(versions)b::integer[], %(deleted)b::boolean[],
            %(at)b::timestamptz[]) AS u (type, id, version, deleted, at)
WHERE r.type = u.type AND r.id = u.id
"""

INDEXED_OTHERWISE = text("""
SELECT type, id FROM resource
WHERE version > 0 AND (type, id) > (:type, :id) AND (:every OR indexed_by <> :rules)
ORDER BY type, id LIMIT :size
""")

COUNT_OTHERWISE = text("""
SELECT count(*) FROM resource WHERE version > 0 AND (:every OR indexed_by <> :rules)
""")

INDEXED = """
UPDATE resource r SET indexed_by = %(rules)s
FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
WHERE r.type = u.type AND r.id = u.id
"""

REVISION = "COPY revision (id, record_seq, at, header, salts, resources_root)"
REVISION_TYPES = ("text", "int8", "timestamptz", "bytea", "bytea", "bytea")
VERSION = "COPY resource_version (type, id, version, revision, place, at, deleted, body, salt)"
VERSION_TYPES = ("text", "text", "int4", "text", "int4", "timestamptz", "bool", "bytea", "bytea")
LEAF = "COPY leaf_queue (kind, subject, leaf)"
LEAF_TYPES = ("int2", "text", "bytea")

LEAVE_LANES = text("DELETE FROM lane_queue WHERE seq = ANY(:seqs)")

FILED = """
SELECT DISTINCT i.type, i.id FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN index_reference i ON i.target_id = u.id AND i.target_type = u.type
WHERE i.param IN ('encounter', 'context', 'account') ORDER BY 1, 2 LIMIT %(size)s
"""

MADE_BY = text("""
SELECT v.type, v.id, v.version = 1 OR b.deleted AS created FROM record r
JOIN revision n ON n.record_seq = r.seq JOIN resource_version v ON v.revision = n.id
LEFT JOIN resource_version b ON (b.type, b.id, b.version) = (v.type, v.id, v.version - 1)
WHERE r.id = :record
""")


class PostgresVersions(Lanes):
    """The port `Versions` over one PostgreSQL."""

    def unit(self) -> AbstractContextManager[None]:
        """All writes inside become durable together when the block ends, or none do."""
        return self._database.unit()

    def current(self, refs: Sequence[ResourceRef]) -> dict[ResourceRef, State]:
        """Lock these resources in one order and read them; see the port."""
        ordered = sorted(set(refs), key=lambda ref: (ref.type.encode(), ref.id.encode()))
        self._run(PLACE, names(ordered))
        rows = list(self._run(LOCK, names(ordered)))
        present = {ResourceRef(r.type, r.id): r.version for r in rows if not r.deleted}
        bodies = self._bodies(present)
        return {
            ref: State(version=version, body=bodies.get(ref))
            for ref, version in ((ResourceRef(r.type, r.id), r.version) for r in rows)
        }

    def filed_under(self, places: Sequence[ResourceRef]) -> tuple[ResourceRef, ...]:
        """Present resources that are filed under these visits and accounts."""
        rows = self._run(FILED, names(places) | {"size": MAX_FILED + 1}).all()
        if len(rows) > MAX_FILED:
            raise BridgeError(
                "move-size",
                Fault.SENDER,
                what=f"over {MAX_FILED:,} resources are filed under what moves",
                where="MRG-5",
                do="move them in parts through FHIR, then retry the record",
            )
        return tuple(ResourceRef(row.type, row.id) for row in rows)

    def find(self, query: SearchQuery) -> tuple[str, ...]:
        """Ids of present resources that match, at most 2."""
        statement = page_statement(query, limit=2, after=None)
        return tuple(row.id for row in self._database.connection.execute(statement))

    def made_by(self, record: RecordId) -> dict[ResourceRef, bool]:
        """What a projected record changed, and whether it created it."""
        rows = self._database.connection.execute(MADE_BY, {"record": record})
        return {ResourceRef(row.type, row.id): row.created for row in rows}

    def keep(self, revisions: Sequence[NewRevision]) -> None:
        """Store revisions, versions, index and pending leaves; see the port."""
        self._copy(REVISION, REVISION_TYPES, (_revision_row(one) for one in revisions))
        self._copy(VERSION, VERSION_TYPES, _version_rows(revisions))
        self._advance(revisions)
        self._index([new for one in revisions for new in one.versions if new.index is not None])
        self._copy(LEAF, LEAF_TYPES, ((int(Kind.REVISION), one.id, one.leaf) for one in revisions))
        self._database.connection.execute(
            LEAVE_LANES, {"seqs": [one.waiting.seq for one in revisions]}
        )

    def indexed_otherwise(
        self, after: ResourceRef | None, limit: int, *, every: bool = False
    ) -> tuple[ResourceRef, ...]:
        """Resources whose search rows are not of these rules; see the port."""
        last = after or ResourceRef("", "")
        page = {"type": last.type, "id": last.id, "size": limit, "rules": RULES, "every": every}
        rows = self._database.connection.execute(INDEXED_OTHERWISE, page)
        return tuple(ResourceRef(row.type, row.id) for row in rows)

    def count_otherwise(self, *, every: bool = False) -> int:
        """How many there are."""
        asked = {"rules": RULES, "every": every}
        return int(self._database.connection.execute(COUNT_OTHERWISE, asked).scalar_one())

    def index_again(self, found: Mapping[ResourceRef, Sequence[IndexRow]]) -> None:
        """Replace the search rows of these resources, which this unit locks."""
        forget(self._database, list(found))
        index(self._database, found)
        self._run(INDEXED, names(found) | {"rules": RULES})

    def _bodies(self, versions: Mapping[ResourceRef, int]) -> dict[ResourceRef, JsonObject]:
        if not versions:
            return {}
        rows = self._run(BODIES, names(versions) | {"versions": list(versions.values())})
        return {ResourceRef(r.type, r.id): cast("JsonObject", parse(r.body)) for r in rows}

    def _advance(self, revisions: Sequence[NewRevision]) -> None:
        """Point each resource at its newest version."""
        newest = {new.version.ref: (new, one.at) for one in revisions for new in one.versions}
        if not newest:
            return
        self._run(
            ADVANCE,
            names(newest)
            | {
                "versions": [new.version.number for new, _ in newest.values()],
                "deleted": [new.version.body is None for new, _ in newest.values()],
                "at": [at for _, at in newest.values()],
                "rules": RULES,
            },
        )

    def _index(self, newest: Sequence[NewVersion]) -> None:
        """Replace the search rows of each resource by those of its newest version."""
        forget(self._database, [new.version.ref for new in newest if new.replaces])
        index(self._database, {new.version.ref: new.index or () for new in newest})

    def _copy(
        self, statement: str, types: tuple[str, ...], rows: Iterable[tuple[object, ...]]
    ) -> None:
        with self._database.copy(statement, types) as out:
            for row in rows:
                out.write_row(row)

    def _run(self, statement: str, values: Mapping[str, object]) -> CursorResult[Any]:
        return self._database.connection.exec_driver_sql(statement, dict(values))


def _revision_row(one: NewRevision) -> tuple[object, ...]:
    return (one.id, one.waiting.seq, one.at, one.header, one.salts, one.resources_root)


def _version_rows(revisions: Sequence[NewRevision]) -> Iterator[tuple[object, ...]]:
    for one in revisions:
        for place, new in enumerate(one.versions):
            version = new.version
            yield (
                version.ref.type,
                version.ref.id,
                version.number,
                one.id,
                place,
                one.at,
                version.body is None,
                version.data,
                new.salt,
            )
