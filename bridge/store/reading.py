"""Resource versions as they are served, searches with what they lead to, and who saw what."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, text

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.core.record.claims import Kind
from bridge.core.record.links import MAX_RETIRED
from bridge.core.record.merge import ResourceRef
from bridge.core.search.definitions import patient_parameters
from bridge.core.search.query import (
    ChainClause,
    Clause,
    HasClause,
    IdClause,
    Include,
    ReferenceClause,
    SearchQuery,
    Total,
)
from bridge.ports.reading import Access, Page, Served, Times
from bridge.store.database import Database
from bridge.store.indexing import names
from bridge.store.paging import bound, opened, page_token
from bridge.store.records import MAX_PAGE, RecordReading
from bridge.store.search import Position, count_statement, page_statement

__all__ = ["PostgresReading"]

USUAL_PAGE = 50
"""Matches on a page when `_count` says nothing."""
MAX_VERSION = 2**31 - 1
"""PostgreSQL's integer; a resource that changes every second gets there in 68 years."""
MAX_INCLUDED = 5_000
"""Resources that one page may lead to: with 1,000 matches some 10 MB of JSON."""

CARE_DATES = (
    "authored",
    "authoredon",
    "created",
    "date",
    "effective",
    "effective-time",
    "event",
    "occurrence",
    "onset-date",
    "period",
    "recorded-date",
    "start-date",
    "started",
    "whenhandedover",
    "whenprepared",
)
"""Search parameters that say when care was given, ordered or noted."""

VERSION = text("""
SELECT v.type, v.id, v.version, v.at, v.body FROM resource r
JOIN resource_version v ON v.type = r.type AND v.id = r.id
    AND v.version = coalesce(CAST(:version AS integer), r.version)
WHERE r.type = :type AND r.id = :id
""")

HISTORY = text("""
SELECT type, id, version, at, body FROM resource_version
WHERE type = :type AND id = :id AND (CAST(:before AS integer) IS NULL OR version < :before)
  AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
ORDER BY version DESC LIMIT :size
""")

COUNT_HISTORY = text("""
SELECT count(*) FROM resource_version WHERE type = :type AND id = :id
  AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
""")

SERVED = """
SELECT v.type, v.id, v.version, v.at, v.body
FROM unnest(%(types)b::text[], %(ids)b::text[]) WITH ORDINALITY AS u (type, id, place)
JOIN resource r ON r.type = u.type AND r.id = u.id AND NOT r.deleted
JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version
ORDER BY u.place
"""

FORWARD = """
SELECT DISTINCT i.target_type AS type, i.target_id AS id
FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN index_reference i ON i.type = u.type AND i.id = u.id
WHERE (%(source)s::text = '' OR u.type = %(source)s::text)
  AND (%(param)s::text = '*' OR i.param = %(param)s::text)
  AND i.target_type <> '' AND i.target_base = ANY(%(own)b::text[])
  AND (%(target)s::text = '' OR i.target_type = %(target)s::text)
ORDER BY 1, 2 LIMIT %(size)s
"""

REVERSE = """
SELECT DISTINCT i.type, i.id
FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN index_reference i ON i.target_id = u.id AND i.target_type = u.type
WHERE i.type = %(source)s::text AND i.param = %(param)s::text
  AND i.target_base = ANY(%(own)b::text[])
ORDER BY 1, 2 LIMIT %(size)s
"""

POINTING = text("""
SELECT DISTINCT type, param FROM index_reference
WHERE target_id = ANY(:patients) AND target_type = 'Patient' AND target_base = ANY(:own)
""")

EVERYTHING = """
WITH compartment AS (
    SELECT 'Patient' AS type, unnest(%(patients)b::text[]) AS id
    UNION
    SELECT i.type, i.id FROM index_reference i
    JOIN unnest(%(types)b::text[], %(params)b::text[]) AS p (type, param)
      ON p.type = i.type AND p.param = i.param
    WHERE i.target_id = ANY(%(patients)b::text[]) AND i.target_type = 'Patient'
      AND i.target_base = ANY(%(own)b::text[])
), referred AS (
    SELECT i.target_type, i.target_id FROM index_reference i
    JOIN compartment c ON c.type = i.type AND c.id = i.id
    WHERE i.target_base = ANY(%(own)b::text[])
      AND i.target_type NOT IN ('', 'Patient') AND NOT (i.target_type = ANY(%(inside)b::text[]))
      AND NOT EXISTS (
          SELECT FROM index_reference p WHERE p.type = i.target_type AND p.id = i.target_id
            AND p.target_type = 'Patient' AND p.target_base = ANY(%(own)b::text[])
            AND p.param IN ('patient', 'subject'))
), all_of_it AS (SELECT type, id FROM compartment UNION SELECT * FROM referred)
SELECT r.type, r.id, r.updated FROM all_of_it a
JOIN resource r ON r.type = a.type AND r.id = a.id AND NOT r.deleted
WHERE (%(since)s::timestamptz IS NULL OR r.updated >= %(since)s::timestamptz)
  AND ((%(start)s::timestamptz IS NULL AND %(end)s::timestamptz IS NULL)
    OR EXISTS (
      SELECT FROM index_date d WHERE d.type = r.type AND d.id = r.id
        AND d.param = ANY(%(care)b::text[])
        AND (%(start)s::timestamptz IS NULL OR d.high >= %(start)s::timestamptz)
        AND (%(end)s::timestamptz IS NULL OR d.low <= %(end)s::timestamptz))
    OR NOT EXISTS (
      SELECT FROM index_date d WHERE d.type = r.type AND d.id = r.id
        AND d.param = ANY(%(care)b::text[])))
  AND (cardinality(%(wanted)b::text[]) = 0 OR r.type = ANY(%(wanted)b::text[]))
  AND (%(after_type)s::text = '' OR (r.type, r.id) > (%(after_type)s::text, %(after_id)s::text))
ORDER BY r.type, r.id LIMIT %(size)s
"""

LINKED = text("""
SELECT id FROM index_reference
WHERE type = 'Patient' AND id = ANY(:ids) AND param = 'link' AND target_type = 'Patient'
  AND target_base = ANY(:own)
UNION
SELECT id FROM index_reference
WHERE target_id = ANY(:ids) AND type = 'Patient' AND param = 'link' AND target_type = 'Patient'
  AND target_base = ANY(:own)
ORDER BY 1 LIMIT :size
""")

PATIENTS = """
SELECT DISTINCT i.target_id AS id FROM unnest(%(types)b::text[], %(ids)b::text[]) AS u (type, id)
JOIN index_reference i ON i.type = u.type AND i.id = u.id
WHERE i.target_type = 'Patient' AND i.target_base = ANY(%(own)b::text[])
  AND i.param IN ('patient', 'subject', 'beneficiary', 'individual')
ORDER BY 1
"""

KEEP_ACCESS = text("""
WITH kept AS (
    INSERT INTO access (id, at, event, salts) VALUES (:id, :at, :event, :salts) RETURNING seq
), patients AS (
    INSERT INTO access_patient (patient, access)
    SELECT DISTINCT p.patient, kept.seq FROM kept, unnest(CAST(:patients AS text[])) AS p (patient)
)
INSERT INTO leaf_queue (kind, subject, leaf) VALUES (:kind, :id, :leaf)
""")

ACCESS = text("SELECT id, at, event FROM access WHERE id = :id")

ACCESSES = text("""
SELECT a.seq, a.id, a.at, a.event FROM access a
WHERE (CAST(:before AS bigint) IS NULL OR a.seq < :before)
  AND (cardinality(CAST(:patients AS text[])) = 0 OR a.seq IN (
      SELECT access FROM access_patient WHERE patient = ANY(CAST(:patients AS text[]))))
ORDER BY a.seq DESC LIMIT :size
""")


class PostgresReading(RecordReading):
    """The port `Reading` over one PostgreSQL."""

    def __init__(self, database: Database, *bases: str) -> None:
        """Share the database's units; references below these URLs lead to this server."""
        super().__init__(database)
        self._own = ["", *bases]

    def at(self, base: str) -> "PostgresReading":
        """The same, for a client that calls the service by this URL."""
        return self if base in self._own else PostgresReading(self._database, base, *self._own[1:])

    def unit(self) -> AbstractContextManager[None]:
        """All reads and the access row of one disclosure."""
        return self._database.unit()

    def version(self, ref: ResourceRef, number: int | None = None) -> Served | None:
        """One version, the newest when no number is given."""
        if "\0" in ref.type + ref.id or (number or 0) > MAX_VERSION:
            return None
        values = {"type": ref.type, "id": ref.id, "version": number}
        row = self._database.connection.execute(VERSION, values).first()
        return _served(row) if row else None

    def history(
        self,
        ref: ResourceRef,
        *,
        count: int,
        before: int | None = None,
        since: Instant | None = None,
    ) -> Page:
        """Versions of one resource, newest first; the next token is a version number."""
        size = min(max(count, 1), MAX_PAGE)
        values = {
            "type": ref.type,
            "id": ref.id,
            "before": before,
            "since": since,
            "size": size + 1,
        }
        rows = [_served(row) for row in self._database.connection.execute(HISTORY, values)]
        total = self._database.connection.execute(COUNT_HISTORY, values).scalar_one()
        more = len(rows) > size
        return Page(
            matches=tuple(rows[:size]),
            total=total,
            next=str(rows[size - 1].version) if more else "",
        )

    def search(self, query: SearchQuery, *, caller: str) -> Page:
        """Present resources that match; see the port."""
        query = self._local(query)
        total = None
        if query.only_count or query.total is not Total.NONE:
            total = self._database.connection.execute(count_statement(query)).scalar_one()
        if query.only_count:
            return Page(matches=(), total=total)
        binding = bound("search", caller, query.resource_type, *_asked(query))
        after = Position(*opened(query.page, binding)) if query.page else None
        size = USUAL_PAGE if query.count is None else min(max(query.count, 1), MAX_PAGE)
        statement = page_statement(query, limit=size + 1, after=after)
        rows = list(self._database.connection.execute(statement))
        refs = [ResourceRef(query.resource_type, row.id) for row in rows[:size]]
        matches = self._present(refs)
        end = rows[size - 1] if len(rows) > size else None
        return Page(
            matches=matches,
            included=self.included(query, refs),
            total=total,
            next=page_token(binding, end.id, Instant(end.updated)) if end else "",
        )

    def everything(
        self,
        patients: Sequence[str],
        *,
        times: Times,
        types: Sequence[str],
        count: int,
        page: str,
        caller: str,
    ) -> Page:
        """The patients, their compartments, and what these refer to that is no other patient's."""
        pairs = self._compartment(patients)
        binding = bound("everything", caller, str(times), *types, "of", *patients)
        last = opened(page, binding)[0] if page else "/"
        size = min(max(count, 1), MAX_PAGE)
        values = {
            "patients": list(patients),
            "types": [kind for kind, _ in pairs],
            "params": [param for _, param in pairs],
            "inside": sorted({kind for kind, _ in pairs}),
            "since": times.since,
            "start": times.start,
            "end": times.end,
            "care": list(CARE_DATES),
            "wanted": list(types),
            "after_type": last.partition("/")[0],
            "after_id": last.partition("/")[2],
            "size": size + 1,
            "own": self._own,
        }
        rows = list(self._database.connection.exec_driver_sql(EVERYTHING, values))
        end = rows[size - 1] if len(rows) > size else None
        return Page(
            matches=self._present([ResourceRef(row.type, row.id) for row in rows[:size]]),
            next=page_token(binding, f"{end.type}/{end.id}", Instant(end.updated)) if end else "",
        )

    def included(self, query: SearchQuery, matched: Sequence[ResourceRef]) -> tuple[Served, ...]:
        """What the includes of the search find of these; see the port."""
        found: dict[ResourceRef, None] = {}
        waiting, includes = list(matched), query.includes
        while waiting and includes:
            led = [ref for one in includes for ref in self._led_to(one, waiting)]
            waiting = [ref for ref in dict.fromkeys(led) if ref not in found]
            found.update(dict.fromkeys(waiting))
            includes = tuple(one for one in includes if one.iterate)
            if len(found) > MAX_INCLUDED + len(matched):
                break
        for ref in matched:
            found.pop(ref, None)
        if len(found) > MAX_INCLUDED:
            raise BridgeError(
                "search-include-size",
                Fault.SENDER,
                what=f"the matches of this page lead to more than {MAX_INCLUDED} resources",
                where="_include, _revinclude",
                do="ask for fewer matches with _count, or search the other type",
            )
        return self._present(list(found)) if found else ()

    def linked(self, patients: Sequence[str]) -> tuple[Served, ...]:
        """Present patients among these that link to a patient, and those that link to these."""
        values = {"ids": list(patients), "size": len(patients) + MAX_RETIRED, "own": self._own}
        rows = self._database.connection.execute(LINKED, values).all()
        return self._present([ResourceRef("Patient", row.id) for row in rows]) if rows else ()

    def patients_of(self, refs: Sequence[ResourceRef]) -> tuple[str, ...]:
        """Ids of the patients whom these present resources concern, sorted."""
        own = {ref.id for ref in refs if ref.type == "Patient"}
        rows = self._database.connection.exec_driver_sql(PATIENTS, names(refs) | {"own": self._own})
        return tuple(sorted(own | {row.id for row in rows}))

    def keep_access(self, access: Access) -> None:
        """Store who saw what, and its pending leaf."""
        self._database.connection.execute(
            KEEP_ACCESS,
            {
                "id": access.id,
                "at": access.at,
                "event": access.event,
                "salts": access.salts,
                "patients": list(access.patients),
                "kind": int(Kind.AUDIT),
                "leaf": access.leaf,
            },
        )

    def access(self, name: str) -> Served | None:
        """One access event as AuditEvent."""
        row = self._database.connection.execute(ACCESS, {"id": name.replace("\0", "")}).first()
        return _event(row) if row else None

    def accesses(
        self, *, patients: Sequence[str] = (), count: int = 50, before: int | None = None
    ) -> Page:
        """Access events as AuditEvents, newest first; the next token is a sequence number."""
        size = min(max(count, 1), MAX_PAGE)
        values = {"patients": list(patients), "before": before, "size": size + 1}
        rows = list(self._database.connection.execute(ACCESSES, values))
        shown = tuple(_event(row) for row in rows[:size])
        return Page(matches=shown, next=str(rows[size - 1].seq) if len(rows) > size else "")

    def _local(self, query: SearchQuery) -> SearchQuery:
        """The search that takes a reference below one of our URLs for what a relative one is."""
        return replace(query, clauses=tuple(map(self._here, query.clauses)))

    def _here(self, clause: Clause) -> Clause:
        own = tuple(self._own)
        match clause:
            case ReferenceClause():
                return replace(clause, bases=own)
            case ChainClause():
                return replace(clause, bases=own, queries=tuple(map(self._local, clause.queries)))
            case HasClause():
                return replace(clause, bases=own, query=self._local(clause.query))
            case _:
                return clause

    def _present(self, refs: Sequence[ResourceRef]) -> tuple[Served, ...]:
        """The newest versions, in the order given; what is deleted or absent is left out."""
        rows = self._database.connection.exec_driver_sql(SERVED, names(refs))
        return tuple(_served(row) for row in rows)

    def _led_to(self, include: Include, refs: Sequence[ResourceRef]) -> list[ResourceRef]:
        values = {
            "source": include.source,
            "param": include.param,
            "target": include.target,
            "size": MAX_INCLUDED + 1,
            "own": self._own,
        } | names(refs)
        statement = REVERSE if include.reverse else FORWARD
        rows = self._database.connection.exec_driver_sql(statement, values)
        return [ResourceRef(row.type, row.id) for row in rows]

    def _compartment(self, patients: Sequence[str]) -> list[tuple[str, str]]:
        """Type and parameter of the references that put a resource into these compartments."""
        rows = self._database.connection.execute(
            POINTING, {"patients": list(patients), "own": self._own}
        )
        return [(row.type, row.param) for row in rows if row.param in patient_parameters(row.type)]


def _asked(query: SearchQuery) -> list[str]:
    """What was written, and whom it means.

    A merge, or its undoing, while pages are read would add what sorts before the last page, or take
    away what was counted: such a token is refused, so that nothing is missed in silence.
    """
    written = [text for pair in query.pairs for text in pair]
    return [*written, *(name for clause in query.clauses for name in _meant(clause))]


def _meant(clause: Clause) -> tuple[str, ...]:
    match clause:
        case ReferenceClause():
            return tuple(value.id for value in clause.values)
        case IdClause():
            return clause.values
        case ChainClause():
            inner = (one for query in clause.queries for one in query.clauses)
            return tuple(name for one in inner for name in _meant(one))
        case _:
            return ()


def _event(row: Row[Any]) -> Served:
    ref = ResourceRef("AuditEvent", row.id)
    return Served(ref=ref, version=1, at=Instant(row.at), body=bytes(row.event))


def _served(row: Row[Any]) -> Served:
    return Served(
        ref=ResourceRef(row.type, row.id),
        version=row.version,
        at=Instant(row.at),
        body=bytes(row.body),
    )
