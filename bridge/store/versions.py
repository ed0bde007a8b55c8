"""Resource versions and their search index, written in bulk: one batch of records a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, assert_never, cast

from sqlalchemy import CursorResult, text

from bridge.core.ids import RecordId
from bridge.core.plain import plain
from bridge.core.record.bundle import JsonObject
from bridge.core.record.canon import parse
from bridge.core.record.claims import Kind
from bridge.core.record.merge import ResourceRef
from bridge.core.record.revision import State
from bridge.core.search.index import (
    DateRow,
    IndexRow,
    QuantityRow,
    ReferenceRow,
    TextRow,
    TokenRow,
)
from bridge.core.search.query import SearchQuery
from bridge.ports.versions import NewRevision, NewVersion
from bridge.store.lanes import Lanes
from bridge.store.search import page_statement

__all__ = ["PostgresVersions"]

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
UPDATE resource r SET version = u.version, deleted = u.deleted, updated = u.at
FROM unnest(%(types)b::text[], %(ids)b::text[], %(versions)b::integer[], %(deleted)b::boolean[],
            %(at)b::timestamptz[]) AS u (type, id, version, deleted, at)
WHERE r.type = u.type AND r.id = u.id
"""

INDEXES: Mapping[type, tuple[str, tuple[str, ...]]] = {
    TokenRow: (
        "COPY index_token (type, id, param, system, value)",
        ("text", "text", "text", "text", "text"),
    ),
    TextRow: (
        "COPY index_text (type, id, param, value, exact)",
        ("text", "text", "text", "text", "text"),
    ),
    DateRow: (
        "COPY index_date (type, id, param, low, high)",
        ("text", "text", "text", "timestamptz", "timestamptz"),
    ),
    ReferenceRow: (
        "COPY index_reference (type, id, param, target_type, target_id)",
        ("text", "text", "text", "text", "text"),
    ),
    QuantityRow: (
        "COPY index_quantity (type, id, param, value, system, code)",
        ("text", "text", "text", "numeric", "text", "text"),
    ),
}

FORGET = """
WITH gone AS (
    SELECT type, id FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
), tokens AS (
    DELETE FROM index_token i USING gone g WHERE i.type = g.type AND i.id = g.id
), texts AS (
    DELETE FROM index_text i USING gone g WHERE i.type = g.type AND i.id = g.id
), dates AS (
    DELETE FROM index_date i USING gone g WHERE i.type = g.type AND i.id = g.id
), links AS (
    DELETE FROM index_reference i USING gone g WHERE i.type = g.type AND i.id = g.id
)
DELETE FROM index_quantity i USING gone g WHERE i.type = g.type AND i.id = g.id
"""

REVISION = "COPY revision (id, record_seq, at, header, salts, resources_root)"
REVISION_TYPES = ("text", "int8", "timestamptz", "bytea", "bytea", "bytea")
VERSION = "COPY resource_version (type, id, version, revision, place, at, deleted, body, salt)"
VERSION_TYPES = ("text", "text", "int4", "text", "int4", "timestamptz", "bool", "bytea", "bytea")
LEAF = "COPY leaf_queue (kind, subject, leaf)"
LEAF_TYPES = ("int2", "text", "bytea")

LEAVE_LANES = text("DELETE FROM lane_queue WHERE seq = ANY(:seqs)")

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
        self._run(PLACE, _names(ordered))
        rows = list(self._run(LOCK, _names(ordered)))
        present = {ResourceRef(r.type, r.id): r.version for r in rows if not r.deleted}
        bodies = self._bodies(present)
        return {
            ref: State(version=version, body=bodies.get(ref))
            for ref, version in ((ResourceRef(r.type, r.id), r.version) for r in rows)
        }

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

    def _bodies(self, versions: Mapping[ResourceRef, int]) -> dict[ResourceRef, JsonObject]:
        if not versions:
            return {}
        rows = self._run(BODIES, _names(versions) | {"versions": list(versions.values())})
        return {ResourceRef(r.type, r.id): cast("JsonObject", parse(r.body)) for r in rows}

    def _advance(self, revisions: Sequence[NewRevision]) -> None:
        """Point each resource at its newest version."""
        newest = {new.version.ref: (new, one.at) for one in revisions for new in one.versions}
        if not newest:
            return
        self._run(
            ADVANCE,
            _names(newest)
            | {
                "versions": [new.version.number for new, _ in newest.values()],
                "deleted": [new.version.body is None for new, _ in newest.values()],
                "at": [at for _, at in newest.values()],
            },
        )

    def _index(self, newest: Sequence[NewVersion]) -> None:
        """Replace the search rows of each resource by those of its newest version."""
        older = [new.version.ref for new in newest if new.replaces]
        if older:
            self._run(FORGET, _names(older))
        by_type: dict[type, list[tuple[object, ...]]] = {kind: [] for kind in INDEXES}
        for new in newest:
            for row in new.index or ():
                by_type[type(row)].append((*_owner(new), *_index_values(row)))
        for kind, rows in by_type.items():
            if rows:
                self._copy(*INDEXES[kind], rows)

    def _copy(
        self, statement: str, types: tuple[str, ...], rows: Iterable[tuple[object, ...]]
    ) -> None:
        with self._database.copy(statement, types) as out:
            for row in rows:
                out.write_row(row)

    def _run(self, statement: str, values: Mapping[str, object]) -> CursorResult[Any]:
        return self._database.connection.exec_driver_sql(statement, dict(values))


def _names(refs: Iterable[ResourceRef]) -> dict[str, object]:
    listed = list(refs)
    return {"types": [ref.type for ref in listed], "ids": [ref.id for ref in listed]}


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


def _owner(new: NewVersion) -> tuple[str, str]:
    return new.version.ref.type, new.version.ref.id


def _index_values(row: IndexRow) -> tuple[object, ...]:
    match row:
        case TokenRow():
            return (row.param, plain(row.system), plain(row.value))
        case TextRow():
            return (
                row.param,
                plain(row.value),
                row.exact.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            )
        case DateRow():
            return (row.param, row.low, row.high)
        case ReferenceRow():
            return (row.param, plain(row.target_type), plain(row.target_id))
        case QuantityRow():
            return (row.param, row.value, plain(row.system), plain(row.code))
        case _:
            assert_never(row)
