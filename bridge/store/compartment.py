"""What is of some patients: their compartments, and what these refer to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from bridge.core.search.definitions import patient_parameters
from bridge.ports.reading import Times

__all__ = ["everything_of"]

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


def everything_of(  # noqa: PLR0913 - one parameter a condition
    connection: Connection,
    patients: Sequence[str],
    *,
    own: Sequence[str],
    times: Times,
    types: Sequence[str],
    after: tuple[str, str],
    limit: int,
) -> list[Row[Any]]:
    """Type, id and time of each present resource, by type and id.

    Args:
        connection: of the unit.
        patients: their ids.
        own: URLs below which references lead to this server.
        times: when they were written, and when care was given.
        types: only these; empty is all.
        after: type and id of the last one that was seen; empty texts begin.
        limit: most of them.
    """
    pairs = _pairs(connection, patients, own)
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
        "after_type": after[0],
        "after_id": after[1],
        "size": limit,
        "own": list(own),
    }
    return list(connection.exec_driver_sql(EVERYTHING, values))


def _pairs(
    connection: Connection, patients: Sequence[str], own: Sequence[str]
) -> list[tuple[str, str]]:
    """Type and parameter of the references that put a resource into these compartments."""
    rows = connection.execute(POINTING, {"patients": list(patients), "own": list(own)})
    return [(row.type, row.param) for row in rows if row.param in patient_parameters(row.type)]
