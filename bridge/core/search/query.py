"""A search as a value: clauses that all must hold, each with values of which one must.

Source: https://hl7.org/fhir/R4/search.html.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from bridge.core.ids import Instant
from bridge.core.search.definitions import SearchType

__all__ = [
    "ChainClause",
    "Clause",
    "DateClause",
    "DateValue",
    "HasClause",
    "IdClause",
    "Include",
    "Match",
    "MissingClause",
    "Prefix",
    "QuantityClause",
    "QuantityValue",
    "ReferenceClause",
    "ReferenceValue",
    "SearchQuery",
    "Sort",
    "Subset",
    "Summary",
    "TextClause",
    "TokenClause",
    "TokenValue",
    "Total",
]


class Prefix(Enum):
    """How a stored value must stand to the one asked for: https://hl7.org/fhir/R4/search.html#prefix."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    LT = "lt"
    GE = "ge"
    LE = "le"
    SA = "sa"
    EB = "eb"
    AP = "ap"


class Match(Enum):
    """How a text is compared."""

    STARTS = "starts"
    EXACT = "exact"
    CONTAINS = "contains"


class Total(Enum):
    """https://hl7.org/fhir/R4/search.html#total."""

    NONE = "none"
    ESTIMATE = "estimate"
    ACCURATE = "accurate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenValue:
    """`system|code`: None is any, an empty system is an element without one."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClause:
    """A token or URI; `:identifier` of a reference is a token of `param` `name:identifier`."""

    param: str
    values: tuple[TokenValue, ...]
    negated: bool = False
    """`:not`: also resources that have no such element at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdClause:
    """`_id`."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextClause:
    """A string; `values` are folded as the index is, but for EXACT."""

    param: str
    match: Match
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateValue:
    """What was asked for covers `low` to `high`, both included.

    EQ: the stored span lies inside; NE: it does not; GT: it ends after `high`; LT: it
    starts before `low`; GE, LE: that or EQ; SA: it starts after `high`; EB: it ends
    before `low`; AP: the spans overlap (the asked one was widened by a day each way).
    """

    prefix: Prefix
    low: Instant
    high: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DateClause:
    """A date; `_lastUpdated` comes under that name."""

    param: str
    values: tuple[DateValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceValue:
    """`Type/id`; an empty type is any. Of a URL the type is empty and the id is the URL."""

    type: str
    id: str
    base: str = ""
    """Of another FHIR server; empty means this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceClause:
    """A reference by what it points to."""

    param: str
    values: tuple[ReferenceValue, ...]
    bases: tuple[str, ...] = ("",)
    """What this server is called in references to it: nothing, and the URLs of its service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityValue:
    """EQ holds from `low` (included) to `high` (excluded); GT, LT, GE, LE compare with `value`."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityClause:
    """A quantity or number."""

    param: str
    values: tuple[QuantityValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingClause:
    """`:missing`: whether there is no row, in the index of that type."""

    param: str
    type: SearchType
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainClause:
    """`patient.identifier`: a reference to what meets one of these searches, each of a type."""

    param: str
    queries: "tuple[SearchQuery, ...]"
    bases: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class HasClause:
    """`_has:Observation:patient:code`: a resource that meets this search refers here by `param`."""

    param: str
    query: "SearchQuery"
    bases: tuple[str, ...] = ("",)


Clause: TypeAlias = (
    TokenClause
    | ChainClause
    | HasClause
    | IdClause
    | TextClause
    | DateClause
    | ReferenceClause
    | QuantityClause
    | MissingClause
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """`_sort`: a date parameter, `_lastUpdated` or `_id`."""

    param: str
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """`_include` follows `param` of `source` from the matches; `reverse` is `_revinclude`.

    `param` is `*` for every reference; `iterate` follows also from what was included.
    """

    source: str
    param: str
    target: str
    """Type that is wanted; empty for any."""
    reverse: bool
    iterate: bool = False


class Summary(Enum):
    """https://hl7.org/fhir/R4/search.html#summary, but for `count`."""

    FALSE = "false"
    TRUE = "true"
    TEXT = "text"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Which part of each resource is wanted; all of it unless something is said."""

    summary: Summary = Summary.FALSE
    elements: tuple[str, ...] = ()
    """https://hl7.org/fhir/R4/search.html#elements."""

    @property
    def whole(self) -> bool:
        """Nothing is left out."""
        return self.summary is Summary.FALSE and not self.elements


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """One search of one type, already understood; nothing in it needs checking again."""

    resource_type: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    includes: tuple[Include, ...] = ()
    total: Total = Total.NONE
    only_count: bool = False
    """`_summary=count`."""
    subset: Subset = Subset()
    page: str = ""
    """The opaque text of a `next` link."""
    pairs: tuple[tuple[str, str], ...] = ()
    """What was understood, as written and in order: the `self` link tells the truth with it."""
