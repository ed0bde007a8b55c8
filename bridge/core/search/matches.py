"""Which resources meet a search, without a store: of what is in a bundle and not stored yet.

Source: https://hl7.org/fhir/R4/search.html.
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject
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

__all__ = ["met"]

MAX_LOOKS = 1_000_000
"""Some seconds: a thousand conditions by name in a bundle of a thousand patients."""
_Indexed: TypeAlias = tuple[JsonObject, Sequence[IndexRow]]


def met(queries: Sequence[SearchQuery], resources: Sequence[JsonObject]) -> list[list[JsonObject]]:
    """The resources that meet each search.

    Dates, quantities, `:missing`, `:not` and chains are never met here: who names one resource by
    a condition names it by identifier, id, reference or text. Each resource is indexed once, and
    looked at only by searches that name a token of it, so that thousands of conditions in a bundle
    of thousands of resources cost what the bundle is long.

    Raises:
        BridgeError: `bundle-size` when others, by name or reference, would be asked `MAX_LOOKS`
            times and more.
    """
    by_kind: dict[Json, list[_Indexed]] = {}
    by_token: dict[tuple[Json, str, str], list[_Indexed]] = {}
    for resource in resources:
        one = (resource, index_rows(resource))
        kind = resource.get("resourceType")
        by_kind.setdefault(kind, []).append(one)
        for param, value in {(r.param, r.value) for r in one[1] if isinstance(r, TokenRow)}:
            by_token.setdefault((kind, param, value), []).append(one)

    def near(query: SearchQuery) -> list[_Indexed]:
        for clause in query.clauses:
            codes = [v.code for v in clause.values] if isinstance(clause, TokenClause) else []
            if len(codes) == 1 and codes[0] is not None and isinstance(clause, TokenClause):
                return by_token.get((query.resource_type, clause.param, codes[0]), [])
        return by_kind.get(query.resource_type, [])

    nearby = [near(query) for query in queries]
    if sum(map(len, nearby)) > MAX_LOOKS:
        raise BridgeError(
            "bundle-size",
            Fault.SENDER,
            what="its conditions ask too much of its own resources",
            where="Bundle.entry",
            do="name resources by identifier, or send it in parts",
        )
    return [
        [body for body, rows in here if _meets(query, body, rows)]
        for query, here in zip(queries, nearby, strict=True)
    ]


def _meets(query: SearchQuery, resource: JsonObject, rows: Sequence[IndexRow]) -> bool:
    if resource.get("resourceType") != query.resource_type or not query.clauses:
        return False
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
