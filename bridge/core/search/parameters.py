"""Query text to a search: what is asked is understood whole, or refused by name.

Source: https://hl7.org/fhir/R4/search.html.
"""

import re
from collections.abc import Sequence

from bridge.core.search.clauses import CONTROLS, clause, parameter_of, refuse, searchable
from bridge.core.search.definitions import SearchType, parameters_of
from bridge.core.search.query import Clause, Include, SearchQuery, Sort, Subset, Summary, Total

__all__ = ["MAX_COUNT", "PAGE", "parse_query", "subset_asked"]

MAX_COUNT = 1_000
"""Matches on one page; a larger wish is cut to it, as FHIR allows."""
PAGE = "_page"
"""Parameter of our own `next` links."""
MAX_PAIRS = 64
"""Parameters of one search; the longest search of US Core has 5."""
MAX_TEXT = 4_096
"""Characters of one value; more than any URL that a proxy lets through."""

METHOD = "_totalMethod"
"""How fhirpy asks for `_total=accurate`, with the value `count`."""
ESTIMATED = "estimated"
"""How HAPI's client spells `_total=estimate`."""
COUNT = "count"
MAX_ELEMENTS = 100
"""The largest resource type has 60."""
_ELEMENT = re.compile(r"[A-Za-z]{1,64}").fullmatch
_IGNORED = frozenset({"_format", "_pretty"})


def parse_query(
    resource_type: str, pairs: Sequence[tuple[str, str]], *, lenient: bool = False
) -> SearchQuery:
    """The search that name and value pairs (percent-decoded) ask for.

    Args:
        resource_type: of what is searched.
        pairs: as written and in order.
        lenient: pass over parameters that are not known, https://hl7.org/fhir/R4/search.html#errors;
            `pairs` of the search, and so its `self` link, leaves them out.

    Raises:
        BridgeError: fault SENDER, naming the parameter, never its value.
    """
    if len(pairs) > MAX_PAIRS:
        refuse("search-size", f"over {MAX_PAIRS} parameters", resource_type, "ask for less at once")
    asked = [
        (name, value)
        for name, value in pairs
        if name not in _IGNORED and not (lenient and _is_unknown(resource_type, name))
    ]
    controls: dict[str, str] = {}
    clauses: list[Clause] = []
    includes: list[Include] = []
    for name, value in asked:
        if len(value) > MAX_TEXT or "\0" in value:
            refuse("search-size", "the value is too long or holds NUL", name, "shorten it")
        if name.partition(":")[0] in {"_include", "_revinclude"}:
            includes.append(_include(name, value))
        elif name in CONTROLS:
            if name in controls:
                refuse("search-repeated", "this parameter may stand once", name, "drop the other")
            controls[name] = value
        else:
            clauses.append(clause(resource_type, name, value))
    return SearchQuery(
        resource_type=resource_type,
        clauses=tuple(clauses),
        sort=_sort(resource_type, controls.get("_sort", "")),
        count=_count(controls.get("_count", "")),
        includes=tuple(dict.fromkeys(includes)),
        total=_total(controls.get("_total", "none"), controls.get(METHOD, "")),
        only_count=controls.get("_summary") == COUNT or controls.get("_count") == "0",
        subset=subset_asked(controls.get("_summary", ""), controls.get("_elements", "")),
        page=controls.get(PAGE, ""),
        pairs=tuple(pair for pair in asked if pair[0] != PAGE),
    )


def _is_unknown(resource_type: str, name: str) -> bool:
    bare = re.split(r"[.:]", name)[0]
    return bare not in {"_has", *searchable(resource_type), *CONTROLS}


def _sort(resource_type: str, text: str) -> tuple[Sort, ...]:
    found = []
    for part in text.split(",") if text else ():
        name = part.removeprefix("-")
        if name != "_id" and parameter_of(resource_type, name).type is not SearchType.DATE:
            refuse("search-sort", "this is no date", "_sort", "sort by a date, _lastUpdated, _id")
        found.append(Sort(param=name, descending=part != name))
    return tuple(found)


def _count(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        refuse("search-value", "_count is no whole number", "_count", "write digits")
    return min(int(text), MAX_COUNT)


def _total(text: str, method: str) -> Total:
    if method not in {"", "count"}:
        refuse("search-value", "only the method count is known", METHOD, "write _total=accurate")
    if method:
        return Total.ACCURATE
    try:
        return Total("estimate" if text == ESTIMATED else text)
    except ValueError:
        refuse("search-value", "this is no _total", "_total", "use none, estimate or accurate")


def subset_asked(summary: str, elements: str) -> Subset:
    """What `_summary` and `_elements` ask for; `count` is a question of its own.

    Raises:
        BridgeError: `search-value`.
    """
    names = tuple(name for name in elements.split(",") if name)
    if len(names) > MAX_ELEMENTS or not all(map(_ELEMENT, names)):
        refuse("search-value", "_elements takes names of elements", "_elements", "write name,code")
    if summary == COUNT:
        return Subset()
    if names and summary not in {"", "false"}:
        refuse("search-value", "_summary and _elements exclude each other", "_elements", "drop one")
    try:
        return Subset(summary=Summary(summary or "false"), elements=names)
    except ValueError:
        refuse(
            "search-value",
            "this is no _summary",
            "_summary",
            "use true, text, data, count or false",
        )


def _include(name: str, value: str) -> Include:
    """`Type:parameter[:Type]`; `Type:*` follows every reference of the matches."""
    control, _, modifier = name.partition(":")
    parts = value.split(":")
    kind, param, target = (*parts, "", "")[:3]
    reverse = control == "_revinclude"
    every = param == "*" or value == "*"
    if modifier not in {"", "iterate", "recurse"} or len(parts) > 3 or (every and reverse):
        refuse(
            "search-include",
            "an include is Type:parameter or Type:parameter:Type",
            name,
            "name one parameter, with :iterate to go on from what it finds",
        )
    found = parameters_of(kind).get(param)
    if not every and (found is None or found.type is not SearchType.REFERENCE):
        refuse("search-include", "there is no such reference parameter", name, "name another")
    return Include(
        source="" if value == "*" else kind,
        param="*" if every else param,
        target=target,
        reverse=reverse,
        iterate=bool(modifier),
    )
