"""Search rows as tables: those of a resource's newest version replace what it was found by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from bridge.core.plain import plain
from bridge.core.record.merge import ResourceRef
from bridge.core.search.index import (
    DateRow,
    IndexRow,
    QuantityRow,
    ReferenceRow,
    TextRow,
    TokenRow,
)
from bridge.store.database import Database

__all__ = ["forget", "index", "names"]

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
        "COPY index_reference (type, id, param, target_base, target_type, target_id)",
        ("text", "text", "text", "text", "text", "text"),
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


def forget(database: Database, refs: Sequence[ResourceRef]) -> None:
    """Take away every search row of these resources. Needs an open unit that locks them."""
    if refs:
        database.connection.exec_driver_sql(FORGET, names(refs))


def index(database: Database, found: Mapping[ResourceRef, Iterable[IndexRow]]) -> None:
    """Add the search rows of resources that have none. Needs an open unit that locks them."""
    by_type: dict[type, list[tuple[object, ...]]] = {kind: [] for kind in INDEXES}
    for ref, rows in found.items():
        for row in rows:
            by_type[type(row)].append((ref.type, ref.id, *_values(row)))
    for kind, values in by_type.items():
        if values:
            with database.copy(*INDEXES[kind]) as out:
                for one in values:
                    out.write_row(one)


def names(refs: Iterable[ResourceRef]) -> dict[str, object]:
    """Two arrays, as the statements unnest them."""
    listed = list(refs)
    return {"types": [ref.type for ref in listed], "ids": [ref.id for ref in listed]}


def _values(row: IndexRow) -> tuple[object, ...]:
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
            return (
                row.param,
                plain(row.target_base),
                plain(row.target_type),
                plain(row.target_id),
            )
        case QuantityRow():
            return (row.param, row.value, plain(row.system), plain(row.code))
        case _:
            assert_never(row)
