"""A search value to SQL: one EXISTS a clause over the index tables, paged by key.

Source: https://hl7.org/fhir/R4/search.html. A page token holds the last match's id and time of
update, never a clinical value: a date that was sorted by is looked up again in the index.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, assert_never

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy import Table as SqlTable

from bridge.core.ids import Instant
from bridge.core.plain import plain
from bridge.core.search.definitions import SearchType
from bridge.core.search.query import (
    ChainClause,
    Clause,
    DateClause,
    DateValue,
    HasClause,
    IdClause,
    Match,
    MissingClause,
    Prefix,
    QuantityClause,
    QuantityValue,
    ReferenceClause,
    SearchQuery,
    Sort,
    TextClause,
    TokenClause,
    TokenValue,
)
from bridge.store.schema import (
    index_date,
    index_quantity,
    index_reference,
    index_text,
    index_token,
    resource,
)

__all__ = ["Position", "count_statement", "page_statement"]

Condition = ColumnElement[bool]
Moment = ColumnElement[Any]
Resources = FromClause
"""The table of present resources, by itself or under another name inside a search."""

INDEX_OF = {
    SearchType.TOKEN: index_token,
    SearchType.URI: index_token,
    SearchType.STRING: index_text,
    SearchType.DATE: index_date,
    SearchType.REFERENCE: index_reference,
    SearchType.QUANTITY: index_quantity,
    SearchType.NUMBER: index_quantity,
}


class Position(NamedTuple):
    """The last match of the page before."""

    id: str
    updated: Instant


class _Key(NamedTuple):
    """One part of the order."""

    column: ColumnElement[Any]
    descending: bool
    last: ColumnElement[Any] | None
    """Its value at the last match; None before the first page."""


def page_statement(query: SearchQuery, *, limit: int, after: Position | None) -> Select[Any]:
    """Ids, versions and times of the matches in order, beginning after a position.

    Without `_sort` the order is that of the last update, oldest first: a resource that changes
    while pages are read is seen again at the end, never missed.
    """
    keys = [_key(sort, query.resource_type, after) for sort in _order(query)]
    statement = select(resource.c.id, resource.c.version, resource.c.updated).where(
        _matches(query, resource), _beyond(keys) if after else literal(True)
    )
    order = [key.column.desc() if key.descending else key.column.asc() for key in keys]
    return statement.order_by(*order).limit(limit)


def count_statement(query: SearchQuery) -> Select[Any]:
    """The number of all matches."""
    return select(func.count()).select_from(resource).where(_matches(query, resource))


def _matches(query: SearchQuery, of: Resources) -> Condition:
    """All clauses; where one names few resources, it leads, whatever PostgreSQL believes.

    Freshly filled tables have no statistics: left to itself the planner then walks every row with
    a common status before it looks at the patient, for seconds.
    """
    leading = next((clause for clause in query.clauses if _is_narrow(clause)), None)
    others = [clause for clause in query.clauses if clause is not leading]
    return and_(
        of.c.type == query.resource_type,
        of.c.deleted.is_(False),
        _leads(leading, query.resource_type, of) if leading is not None else literal(True),
        *(_clause(clause, query.resource_type, of, probe=leading is not None) for clause in others),
    )


def _is_narrow(clause: Clause) -> bool:
    """Ids, an identifier, or what refers to one resource: the searches of a patient's chart."""
    match clause:
        case IdClause() | ReferenceClause() | HasClause():
            return True
        case ChainClause():
            return all(any(map(_is_narrow, query.clauses)) for query in clause.queries)
        case TokenClause():
            return clause.param == "identifier" and not clause.negated
        case _:
            return False


def _leads(clause: Clause, resource_type: str, of: Resources) -> Condition:
    """The clause as an array of ids that is made first and once."""
    if not isinstance(clause, TokenClause | ReferenceClause | ChainClause):
        return _clause(clause, resource_type, of, probe=False)
    table, test = _test(clause)
    ids = select(table.c.id).where(
        table.c.type == resource_type, table.c.param == clause.param, test
    )
    return of.c.id == _one_of(ids)


def _one_of(ids: Select[Any]) -> ColumnElement[Any]:
    return any_(func.array(ids.scalar_subquery()))


def _clause(clause: Clause, resource_type: str, of: Resources, *, probe: bool) -> Condition:
    match clause:
        case IdClause():
            return of.c.id.in_(clause.values)
        case HasClause():
            return of.c.id == _one_of(_referred(clause, resource_type))
        case DateClause() if clause.param == "_lastUpdated":
            return _span_test(clause, of.c.updated, of.c.updated)
        case MissingClause() if clause.param == "_lastUpdated":
            return literal(not clause.missing)
        case MissingClause():
            table, test = INDEX_OF[clause.type], and_(literal(True))
            negated = clause.missing
        case _:
            table, test = _test(clause)
            negated = isinstance(clause, TokenClause) and clause.negated
    row = select(literal(1)).where(
        table.c.type == resource_type, table.c.id == of.c.id, table.c.param == clause.param, test
    )
    # A probe is asked for each resource by itself: OFFSET keeps it from becoming a join.
    found = exists((row.offset(0) if probe else row).correlate(of))
    return not_(found) if negated else found


def _ids(query: SearchQuery) -> Select[Any]:
    """What meets a search inside a search."""
    found = resource.alias()
    return select(found.c.id).where(_matches(query, found))


def _referred(clause: HasClause, resource_type: str) -> Select[Any]:
    """Ids of this type that what meets the search of another type refers to."""
    row = index_reference.alias()
    return select(row.c.target_id).where(
        row.c.type == clause.query.resource_type,
        row.c.param == clause.param,
        row.c.target_type == resource_type,
        row.c.target_base.in_(clause.bases),
        row.c.id == _one_of(_ids(clause.query)),
    )


def _chained(clause: ChainClause) -> Condition:
    return or_(
        *(
            and_(
                index_reference.c.target_type == query.resource_type,
                index_reference.c.target_base.in_(clause.bases),
                index_reference.c.target_id == _one_of(_ids(query)),
            )
            for query in clause.queries
        )
    )


def _test(
    clause: TokenClause | TextClause | DateClause | ReferenceClause | ChainClause | QuantityClause,
) -> tuple[SqlTable, Condition]:
    """What one row of which index must fulfil: any of the values."""
    match clause:
        case TokenClause():
            return index_token, or_(*map(_token, clause.values))
        case TextClause():
            return index_text, or_(*(_text(clause.match, value) for value in clause.values))
        case DateClause():
            return index_date, _span_test(clause, index_date.c.low, index_date.c.high)
        case ReferenceClause():
            return index_reference, _references(clause)
        case ChainClause():
            return index_reference, _chained(clause)
        case QuantityClause():
            return index_quantity, or_(*map(_quantity, clause.values))
        case _:
            assert_never(clause)


def _token(value: TokenValue) -> Condition:
    tests: list[Condition] = []
    if value.system is not None:
        tests.append(index_token.c.system == plain(value.system))
    if value.code is not None:
        tests.append(index_token.c.value == plain(value.code))
    return and_(literal(True), *tests)


def _text(match: Match, value: str) -> Condition:
    folded = index_text.c.value
    match match:
        case Match.EXACT:
            return index_text.c.exact == value
        case Match.STARTS:
            return folded.startswith(plain(value), autoescape=True)
        case Match.CONTAINS:
            return folded.contains(plain(value), autoescape=True)
        case _:
            assert_never(match)


def _span_test(clause: DateClause, low: Moment, high: Moment) -> Condition:
    """Any of the values, each as `DateValue` states its prefix."""
    return or_(*(DATE_TESTS[value.prefix](value, low, high) for value in clause.values))


def _inside(value: DateValue, low: Moment, high: Moment) -> Condition:
    return and_(low >= value.low, high <= value.high)


DATE_TESTS: Mapping[Prefix, Callable[[DateValue, Moment, Moment], Condition]] = {
    Prefix.EQ: _inside,
    Prefix.NE: lambda value, low, high: not_(_inside(value, low, high)),
    Prefix.GT: lambda value, _, high: high > value.high,
    Prefix.LT: lambda value, low, _: low < value.low,
    Prefix.GE: lambda value, low, high: or_(high > value.high, _inside(value, low, high)),
    Prefix.LE: lambda value, low, high: or_(low < value.low, _inside(value, low, high)),
    Prefix.SA: lambda value, low, _: low > value.high,
    Prefix.EB: lambda value, _, high: high < value.low,
    Prefix.AP: lambda value, low, high: and_(low <= value.high, high >= value.low),
}


def _references(clause: ReferenceClause) -> Condition:
    """Any of the values; those of one type in one test, for a person may have many records."""
    ids: dict[tuple[str, str], list[str]] = {}
    for value in clause.values:
        ids.setdefault((value.base, value.type), []).append(plain(value.id))
    return or_(
        *(
            _led_to(kind, names, (base,) if base else clause.bases)
            for (base, kind), names in ids.items()
        )
    )


def _led_to(kind: str, names: Sequence[str], bases: Sequence[str]) -> Condition:
    """References to these ids at one of the bases; a canonical of that form has no base."""
    target = and_(index_reference.c.target_id.in_(names), index_reference.c.target_base.in_(bases))
    if not kind:
        return target
    found = and_(target, index_reference.c.target_type == kind)
    if "" in bases:
        return found
    urls = [f"{base}/{kind}/{name}" for base in bases for name in names]
    whole = and_(index_reference.c.target_id.in_(urls), index_reference.c.target_type == "")
    return or_(found, whole)


def _quantity(value: QuantityValue) -> Condition:
    tests = [_number(value)]
    if value.system is not None:
        tests.append(index_quantity.c.system == plain(value.system))
    if value.code is not None:
        tests.append(index_quantity.c.code == plain(value.code))
    return and_(*tests)


def _number(value: QuantityValue) -> Condition:
    stored = index_quantity.c.value
    inside = and_(stored >= value.low, stored < value.high)
    match value.prefix:
        case Prefix.EQ | Prefix.AP:
            return inside
        case Prefix.NE:
            return not_(inside)
        case Prefix.GT | Prefix.SA:
            return stored > value.value
        case Prefix.LT | Prefix.EB:
            return stored < value.value
        case Prefix.GE:
            return stored >= value.value
        case Prefix.LE:
            return stored <= value.value
        case _:
            assert_never(value.prefix)


def _order(query: SearchQuery) -> tuple[Sort, ...]:
    """What was asked for, made unambiguous by the id."""
    asked = query.sort or (Sort(param="_lastUpdated", descending=False),)
    return (*asked, Sort(param="_id", descending=False))


def _key(sort: Sort, resource_type: str, after: Position | None) -> _Key:
    """A date sorts by its begin, downwards by its end; what has none comes last."""
    if sort.param == "_id":
        return _Key(resource.c.id, sort.descending, literal(after.id) if after else None)
    if sort.param == "_lastUpdated":
        moment = literal(after.updated) if after else None
        return _Key(resource.c.updated, sort.descending, moment)
    column = _date_of(sort, resource_type, resource.c.id)
    last = _date_of(sort, resource_type, literal(after.id)) if after else None
    return _Key(column, sort.descending, last)


def _date_of(sort: Sort, resource_type: str, name: ColumnElement[str]) -> ColumnElement[Any]:
    row = index_date.alias()
    value = func.max(row.c.high) if sort.descending else func.min(row.c.low)
    found = select(value).where(
        row.c.type == resource_type, row.c.id == name, row.c.param == sort.param
    )
    absent = "-infinity" if sort.descending else "infinity"
    edge = cast(literal(absent), DateTime(timezone=True))
    return func.coalesce(found.correlate(resource).scalar_subquery(), edge)


def _beyond(keys: Sequence[_Key]) -> Condition:
    """That a row comes after the last one: greater in the first key in which they differ."""
    condition: Condition = false()
    for key in reversed(keys):
        further = key.column < key.last if key.descending else key.column > key.last
        condition = or_(further, and_(key.column == key.last, condition))
    return condition
