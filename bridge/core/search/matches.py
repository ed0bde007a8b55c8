"""Whether one resource meets a search, without a store: for what is in a bundle and not stored yet.

Source: https://hl7.org/fhir/R4/search.html.
"""

from collections.abc import Sequence
from typing import assert_never

from bridge.core.record.bundle import JsonObject
from bridge.core.search.index import IndexRow, ReferenceRow, TextRow, TokenRow, index_rows
from bridge.core.search.query import (
    ChainClause,
    Clause,
    DateClause,
    HasClause,
    IdClause,
    Match,
    MissingClause,
    QuantityClause,
    ReferenceClause,
    SearchQuery,
    TextClause,
    TokenClause,
)

__all__ = ["matches"]


def matches(query: SearchQuery, resource: JsonObject) -> bool:
    """Whether every clause holds of the resource.

    Dates, quantities, `:missing`, `:not` and chains are never met here: who names one resource by
    a condition names it by identifier, id, reference or text.
    """
    if resource.get("resourceType") != query.resource_type or not query.clauses:
        return False
    rows = index_rows(resource)
    return all(_holds(clause, resource, rows) for clause in query.clauses)


def _holds(clause: Clause, resource: JsonObject, rows: Sequence[IndexRow]) -> bool:
    match clause:
        case IdClause():
            return resource.get("id") in clause.values
        case TokenClause():
            return not clause.negated and any(_is_token(clause, row) for row in rows)
        case TextClause():
            return any(_is_text(clause, row) for row in rows)
        case ReferenceClause():
            return any(_is_reference(clause, row) for row in rows)
        case DateClause() | QuantityClause() | MissingClause() | ChainClause() | HasClause():
            return False
        case _ as never:
            assert_never(never)


def _is_token(clause: TokenClause, row: IndexRow) -> bool:
    return (
        isinstance(row, TokenRow)
        and row.param == clause.param
        and any(
            value.system in {None, row.system} and value.code in {None, row.value}
            for value in clause.values
        )
    )


def _is_text(clause: TextClause, row: IndexRow) -> bool:
    if not isinstance(row, TextRow) or row.param != clause.param:
        return False
    match clause.match:
        case Match.STARTS:
            return any(row.value.startswith(value) for value in clause.values)
        case Match.CONTAINS:
            return any(value in row.value for value in clause.values)
        case Match.EXACT:
            return row.exact in clause.values
        case _ as never:
            assert_never(never)


def _is_reference(clause: ReferenceClause, row: IndexRow) -> bool:
    return (
        isinstance(row, ReferenceRow)
        and row.param == clause.param
        and any(
            value.id == row.target_id
            and value.type in {"", row.target_type}
            and value.base == row.target_base
            for value in clause.values
        )
    )
