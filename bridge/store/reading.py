"""Resource versions as they are served, and searches with what they lead to."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, text

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.core.record.links import MAX_RETIRED
from bridge.core.record.merge import ResourceRef
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
from bridge.ports.reading import Page, Served, Times
from bridge.store.accesses import AccessReading
from bridge.store.compartment import everything_of
from bridge.store.database import Database
from bridge.store.indexing import names
from bridge.store.paging import bound, opened, page_token
from bridge.store.records import MAX_PAGE
from bridge.store.search import Position, count_statement, page_statement

__all__ = ["PostgresReading"]

USUAL_PAGE = 50
"""Matches on a page when `_count` says nothing."""
MAX_VERSION = 2**31 - 1
"""PostgreSQL's integer; a resource that changes every second gets there in 68 years."""
MAX_INCLUDED = 5_000
"""Resources that one page may lead to: with 1,000 matches some 10 MB of JSON."""

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


class PostgresReading(AccessReading):
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
        binding = bound("everything", caller, str(times), *types, "of", *patients)
        last = opened(page, binding)[0] if page else "/"
        size = min(max(count, 1), MAX_PAGE)
        rows = everything_of(
            self._database.connection,
            patients,
            own=self._own,
            times=times,
            types=types,
            after=(last.partition("/")[0], last.partition("/")[2]),
            limit=size + 1,
        )
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


def _served(row: Row[Any]) -> Served:
    return Served(
        ref=ResourceRef(row.type, row.id),
        version=row.version,
        at=Instant(row.at),
        body=bytes(row.body),
    )
