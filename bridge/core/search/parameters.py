"""Query text to a search: what is asked is understood whole, or refused by name.

Source: https://hl7.org/fhir/R4/search.html. Unknown parameters are refused, because an ignored one
answers another question than was asked.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.core.search.definitions import Parameter, SearchType, parameters_of
from bridge.core.search.index import place_of
from bridge.core.search.query import (
    Clause,
    DateClause,
    DateValue,
    IdClause,
    Include,
    Match,
    MissingClause,
    Prefix,
    QuantityClause,
    QuantityValue,
    ReferenceClause,
    ReferenceValue,
    SearchQuery,
    Sort,
    TextClause,
    TokenClause,
    TokenValue,
    Total,
)
from bridge.core.search.ranges import date_range, folded, number, number_range

__all__ = ["MAX_COUNT", "PAGE", "parse_query", "searchable"]

MAX_COUNT = 1_000
"""Matches on one page; a larger wish is cut to it, as FHIR allows."""
PAGE = "_page"
"""Parameter of our own `next` links."""
MAX_PAIRS = 64
"""Parameters of one search; the longest search of US Core has 5."""
MAX_VALUES = 200
"""Values of one parameter, joined by commas: a page of ids to look up."""
MAX_TEXT = 4_096
"""Characters of one value; more than any URL that a proxy lets through."""

METHOD = "_totalMethod"
"""How fhirpy asks for `_total=accurate`, with the value `count`."""
ESTIMATED = "estimated"
"""How HAPI's client spells `_total=estimate`."""
_CONTROLS = ("_count", "_include", "_revinclude", "_sort", "_summary", "_total", METHOD, PAGE)
_IGNORED = frozenset({"_format", "_pretty"})
_PREFIXED = re.compile(r"([a-z]{2})(?=[\d.+\-])").match
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


def searchable(resource_type: str) -> tuple[str, ...]:
    """Names of every parameter of a type, `_id` and `_lastUpdated` among them, sorted."""
    return tuple(sorted({"_id", "_lastUpdated", *parameters_of(resource_type)}))


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
        _refuse(
            "search-size", f"over {MAX_PAIRS} parameters", resource_type, "ask for less at once"
        )
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
            _refuse("search-size", "the value is too long or holds NUL", name, "shorten it")
        if name.partition(":")[0] in {"_include", "_revinclude"}:
            includes.append(_include(name, value))
        elif name in _CONTROLS:
            if name in controls:
                _refuse("search-repeated", "this parameter may stand once", name, "drop the other")
            controls[name] = value
        else:
            clauses.append(_clause(resource_type, name, value))
    return SearchQuery(
        resource_type=resource_type,
        clauses=tuple(clauses),
        sort=_sort(resource_type, controls.get("_sort", "")),
        count=_count(controls.get("_count", "")),
        includes=tuple(dict.fromkeys(includes)),
        total=_total(controls.get("_total", "none"), controls.get(METHOD, "")),
        only_count=_only_count(controls.get("_summary", "false"), controls.get("_count", "")),
        page=controls.get(PAGE, ""),
        pairs=tuple(pair for pair in asked if pair[0] != PAGE),
    )


def _refuse(code: str, what: str, where: str, do: str) -> NoReturn:
    raise BridgeError(code, Fault.SENDER, what=what, where=where[:100], do=do)


def _clause(resource_type: str, name: str, value: str) -> Clause:
    bare, _, modifier = name.partition(":")
    if "." in name:
        _refuse(
            "search-chained", "chained parameters are not searched", name, "search in two steps"
        )
    if bare == "_id":
        return _id_clause(name, modifier, value)
    parameter = _parameter(resource_type, bare)
    if modifier == "missing":
        if value not in {"true", "false"}:
            _refuse("search-value", ":missing is true or false", name, "write one of them")
        return MissingClause(param=bare, type=parameter.type, missing=value == "true")
    values = [text for text in _parts(value, ",") if text]
    if not values or len(values) > MAX_VALUES:
        _refuse("search-value", f"1 to {MAX_VALUES} values are needed", name, "give some")
    return _CLAUSES[parameter.type](parameter, modifier, values)


def _parameter(resource_type: str, name: str) -> Parameter:
    if name == "_lastUpdated":
        return Parameter(name=name, type=SearchType.DATE, sources=())
    known = parameters_of(resource_type)
    if name in known:
        return known[name]
    names = [*searchable(resource_type), *_CONTROLS]
    near = difflib.get_close_matches(name, names, n=1)
    _refuse(
        "search-unknown",
        f"{resource_type} has no search parameter of this name",
        name if re.fullmatch(r"[\w\-]{1,64}", name) else "query",
        f"use {near[0]}" if near else "see CapabilityStatement.rest.resource.searchParam",
    )


def _is_unknown(resource_type: str, name: str) -> bool:
    bare = name.partition(":")[0]
    return bare not in {*searchable(resource_type), *_CONTROLS}


def _no_modifier(parameter: Parameter, modifier: str, *allowed: str) -> None:
    if modifier and modifier not in allowed:
        offered = ", ".join(f":{name}" for name in (*allowed, "missing"))
        _refuse(
            "search-modifier",
            f"a {parameter.type.value} parameter has no such modifier here",
            parameter.name,
            f"use {offered} or none",
        )


def _parts(text: str, mark: str) -> list[str]:
    r"""Split at a mark that no backslash escapes; escapes of other marks are left as they are."""
    parts, start = [], 0
    for at, character in enumerate(text):
        if character == mark and _is_free(text, at):
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _is_free(text: str, at: int) -> bool:
    escapes = len(text[:at]) - len(text[:at].rstrip("\\"))
    return escapes % 2 == 0


def _plain(text: str) -> str:
    r"""Undo `\,`, `\|`, `\$` and `\\`: https://hl7.org/fhir/R4/search.html#escaping."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


def _id_clause(name: str, modifier: str, value: str) -> IdClause:
    values = _parts(value, ",")
    if modifier or len(values) > MAX_VALUES or not all(map(_ID, values)):
        _refuse("search-value", "_id takes ids and no modifier", name[:40], "write Type ids")
    return IdClause(values=tuple(dict.fromkeys(values)))


def _token_clause(parameter: Parameter, modifier: str, values: list[str]) -> TokenClause:
    _no_modifier(parameter, modifier, "not")
    has_systems = any(
        source.type in {"CodeableConcept", "Coding", "Identifier"} for source in parameter.sources
    )
    return TokenClause(
        param=parameter.name,
        values=tuple(_token_value(text, has_systems=has_systems) for text in values),
        negated=modifier == "not",
    )


def _token_value(text: str, *, has_systems: bool) -> TokenValue:
    """`code`, `system|code`, `|code`, `system|`; a code element implies its system."""
    parts = _parts(text, "|")
    system = _plain(parts[0]) if len(parts) > 1 else None
    code = _plain("|".join(parts[1:] or parts))
    return TokenValue(system=system if has_systems else None, code=code or None)


def _uri_clause(parameter: Parameter, modifier: str, values: list[str]) -> TokenClause:
    _no_modifier(parameter, modifier)
    found = tuple(TokenValue(system=None, code=_plain(text)) for text in values)
    return TokenClause(param=parameter.name, values=found)


def _text_clause(parameter: Parameter, modifier: str, values: list[str]) -> TextClause:
    _no_modifier(parameter, modifier, "exact", "contains")
    match = Match(modifier or "starts")
    texts = [_plain(text) for text in values]
    if match is not Match.EXACT:
        texts = [folded(text) for text in texts]
    return TextClause(param=parameter.name, match=match, values=tuple(texts))


def _prefixed(parameter: Parameter, text: str) -> tuple[Prefix, str]:
    found = _PREFIXED(text)
    if found is None:
        return Prefix.EQ, text
    try:
        return Prefix(found[1]), text[2:]
    except ValueError:
        names = " ".join(prefix.value for prefix in Prefix)
        _refuse("search-prefix", "this prefix is not known", parameter.name, f"use one of {names}")


def _date_clause(parameter: Parameter, modifier: str, values: list[str]) -> DateClause:
    _no_modifier(parameter, modifier)
    found = []
    for text in values:
        prefix, rest = _prefixed(parameter, text)
        span = date_range(rest.replace(" ", "+"))  # a zone whose plus was not percent-encoded
        if span is None:
            _refuse(
                "search-value",
                "the value is no date",
                parameter.name,
                "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with its zone",
            )
        low, high = _about(span) if prefix is Prefix.AP else span
        found.append(DateValue(prefix=prefix, low=low, high=high))
    return DateClause(param=parameter.name, values=tuple(found))


def _about(span: tuple[Instant, Instant]) -> tuple[Instant, Instant]:
    day = timedelta(days=1)
    return Instant(span[0] - day), Instant(span[1] + day)


def _reference_clause(
    parameter: Parameter, modifier: str, values: list[str]
) -> ReferenceClause | TokenClause:
    if modifier == "identifier":
        marks = tuple(_token_value(text, has_systems=True) for text in values)
        return TokenClause(param=f"{parameter.name}:identifier", values=marks)
    kind = modifier if re.fullmatch(r"[A-Z][A-Za-z]{1,63}", modifier) else ""
    _no_modifier(parameter, "" if kind else modifier, "identifier")
    wanted = {source.target for source in parameter.sources}
    if not kind and len(wanted) == 1:
        kind = wanted.pop()
    return ReferenceClause(
        param=parameter.name,
        values=tuple(_reference_value(_plain(text), kind) for text in values),
    )


def _reference_value(text: str, kind: str) -> ReferenceValue:
    base, found, name = place_of(text)
    if found:
        return ReferenceValue(type=found, id=name, base=base)
    return ReferenceValue(type="" if ":" in text else kind, id=text)


def _quantity_clause(parameter: Parameter, modifier: str, values: list[str]) -> QuantityClause:
    """`[prefix]number|system|code`: https://hl7.org/fhir/R4/search.html#quantity."""
    _no_modifier(parameter, modifier)
    found = []
    for text in values:
        prefix, rest = _prefixed(parameter, text)
        parts = [_plain(part) for part in _parts(rest, "|")]
        value = number(parts[0])
        if value is None or len(parts) not in {1, 3}:
            _refuse(
                "search-value",
                "the value is no number with an optional |system|code",
                parameter.name,
                "write it as 5.4 or 5.4|http://unitsofmeasure.org|mg",
            )
        low, high = number_range(value)
        if prefix is Prefix.AP:
            tenth = abs(value) / 10
            low, high = value - tenth, value + tenth
        system, code = (parts[1] or None, parts[2] or None) if len(parts) == 3 else (None, None)
        found.append(
            QuantityValue(prefix=prefix, value=value, low=low, high=high, system=system, code=code)
        )
    return QuantityClause(param=parameter.name, values=tuple(found))


_CLAUSES: dict[SearchType, Callable[[Parameter, str, list[str]], Clause]] = {
    SearchType.TOKEN: _token_clause,
    SearchType.URI: _uri_clause,
    SearchType.STRING: _text_clause,
    SearchType.DATE: _date_clause,
    SearchType.REFERENCE: _reference_clause,
    SearchType.QUANTITY: _quantity_clause,
    SearchType.NUMBER: _quantity_clause,
}


def _sort(resource_type: str, text: str) -> tuple[Sort, ...]:
    found = []
    for part in text.split(",") if text else ():
        name = part.removeprefix("-")
        if name != "_id" and _parameter(resource_type, name).type is not SearchType.DATE:
            _refuse("search-sort", "this is no date", "_sort", "sort by a date, _lastUpdated, _id")
        found.append(Sort(param=name, descending=part != name))
    return tuple(found)


def _count(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        _refuse("search-value", "_count is no whole number", "_count", "write digits")
    return min(int(text), MAX_COUNT)


def _total(text: str, method: str) -> Total:
    if method not in {"", "count"}:
        _refuse("search-value", "only the method count is known", METHOD, "write _total=accurate")
    if method:
        return Total.ACCURATE
    try:
        return Total("estimate" if text == ESTIMATED else text)
    except ValueError:
        _refuse("search-value", "this is no _total", "_total", "use none, estimate or accurate")


def _only_count(summary: str, count: str) -> bool:
    if summary not in {"count", "false"}:
        _refuse("search-value", "only _summary=count is known", "_summary", "read whole resources")
    return summary == "count" or count == "0"


def _include(name: str, value: str) -> Include:
    parts = value.split(":")
    kind, param, target = (*parts, "", "")[:3]
    if ":" in name or not 2 <= len(parts) <= 3 or param == "*":
        _refuse(
            "search-include",
            "an include is Type:parameter or Type:parameter:Type",
            name,
            "name one parameter; :iterate and * are not followed",
        )
    found = parameters_of(kind).get(param)
    if found is None or found.type is not SearchType.REFERENCE:
        _refuse("search-include", "there is no such reference parameter", name, "name another")
    return Include(source=kind, param=param, target=target, reverse=name == "_revinclude")
