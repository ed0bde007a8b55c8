"""One search parameter to a clause: prefixes, modifiers, escapes, chains.

Source: https://hl7.org/fhir/R4/search.html. What cannot be searched is refused by name and never
passed over, because an ignored parameter answers another question than was asked.
"""

import difflib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.core.search.definitions import (
    Parameter,
    SearchType,
    parameters_of,
    resource_types,
)
from bridge.core.search.index import place_of
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
    ReferenceValue,
    SearchQuery,
    TextClause,
    TokenClause,
    TokenValue,
)
from bridge.core.search.ranges import date_range, folded, number, number_range

__all__ = ["CONTROLS", "clause", "parameter_of", "refuse", "searchable"]

MAX_VALUES = 200
"""Values of one parameter, joined by commas: a page of ids to look up."""
MAX_STEPS = 3
"""References that one chain follows: each is a search of its own."""
MAX_TYPES = 10
"""Types that one step of a chain looks in: more only where a reference leads to anything."""
CONTROLS = (
    "_count",
    "_elements",
    "_include",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
    "_totalMethod",
    "_page",
)
"""Parameters that say how to answer, not what to look for."""
_PREFIXED = re.compile(r"([a-z]{2})(?=[\d.+\-])").match
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_CHAIN = re.compile(r"(?P<param>[\w\-]+)(?::(?P<type>[A-Z][A-Za-z]*))?\.(?P<rest>.+)").fullmatch
_HAS = re.compile(r"_has:(?P<type>[A-Z][A-Za-z]*):(?P<param>[\w\-]+):(?P<rest>.+)").fullmatch


def searchable(resource_type: str) -> tuple[str, ...]:
    """Names of every parameter of a type, `_id` and `_lastUpdated` among them, sorted."""
    return tuple(sorted({"_id", "_lastUpdated", *parameters_of(resource_type)}))


def clause(resource_type: str, name: str, value: str, steps: int = 0) -> Clause:
    """What `name=value` asks of a resource of this type.

    Args:
        resource_type: of what is searched.
        name: with its modifier, chain or `_has:`.
        value: percent-decoded.
        steps: references that the chain has followed so far.

    Raises:
        BridgeError: fault SENDER, naming the parameter, never its value.
    """
    if name.startswith("_has:"):
        return _has(resource_type, name, value, steps)
    if "." in name:
        return _chain(resource_type, name, value, steps)
    bare, _, modifier = name.partition(":")
    if bare == "_id":
        return _id_clause(name, modifier, value)
    parameter = parameter_of(resource_type, bare)
    if modifier == "missing":
        if value not in {"true", "false"}:
            refuse("search-value", ":missing is true or false", name, "write one of them")
        return MissingClause(param=bare, type=parameter.type, missing=value == "true")
    values = [text for text in _parts(value, ",") if text]
    if not values or len(values) > MAX_VALUES:
        refuse("search-value", f"1 to {MAX_VALUES} values are needed", name, "give some")
    return _CLAUSES[parameter.type](parameter, modifier, values)


def _chain(resource_type: str, name: str, value: str, steps: int) -> ChainClause:
    """https://hl7.org/fhir/R4/search.html#chaining: of the types that know the last parameter."""
    said = _CHAIN(name)
    if said is None or steps == MAX_STEPS:
        _refuse_chain(name)
    parameter = parameter_of(resource_type, said["param"])
    kinds = parameter.targets or resource_types()
    if said["type"]:
        kinds = tuple(kind for kind in kinds if kind == said["type"])
    first = re.split(r"[.:]", said["rest"])[0]
    asked = [kind for kind in kinds if first == "_has" or first in searchable(kind)]
    if parameter.type is not SearchType.REFERENCE or not asked:
        _refuse_chain(name)
    if len(asked) > MAX_TYPES:
        refuse(
            "search-chained",
            "this reference may lead to too many types",
            parameter.name,
            f"name the type, as in {parameter.name}:{asked[0]}.{first}",
        )
    inner = [clause(kind, said["rest"], value, steps + 1) for kind in asked]
    return ChainClause(
        param=parameter.name,
        queries=tuple(
            SearchQuery(resource_type=kind, clauses=(one,))
            for kind, one in zip(asked, inner, strict=True)
        ),
    )


def _refuse_chain(name: str) -> NoReturn:
    refuse(
        "search-chained",
        "this chain leads nowhere, or over too many references",
        name if re.fullmatch(r"[\w\-.:]{1,100}", name) else "query",
        f"write reference[:Type].parameter, over at most {MAX_STEPS} references",
    )


def _has(resource_type: str, name: str, value: str, steps: int) -> HasClause:
    """https://hl7.org/fhir/R4/search.html#has."""
    said = _HAS(name)
    if said is None or steps == MAX_STEPS or said["type"] not in resource_types():
        _refuse_chain(name)
    parameter = parameter_of(said["type"], said["param"])
    leads_here = not parameter.targets or resource_type in parameter.targets
    if parameter.type is not SearchType.REFERENCE or not leads_here:
        _refuse_chain(name)
    inner = clause(said["type"], said["rest"], value, steps + 1)
    query = SearchQuery(resource_type=said["type"], clauses=(inner,))
    return HasClause(param=parameter.name, query=query)


def parameter_of(resource_type: str, name: str) -> Parameter:
    """The parameter of this name.

    Raises:
        BridgeError: `search-unknown`, naming the nearest right one.
    """
    if name == "_lastUpdated":
        return Parameter(name=name, type=SearchType.DATE, sources=())
    known = parameters_of(resource_type)
    if name not in known:
        names = [*searchable(resource_type), *CONTROLS]
        near = difflib.get_close_matches(name, names, n=1)
        refuse(
            "search-unknown",
            f"{resource_type} has no search parameter of this name",
            name if re.fullmatch(r"[\w\-]{1,64}", name) else "query",
            f"use {near[0]}" if near else "see CapabilityStatement.rest.resource.searchParam",
        )
    return known[name]


def _no_modifier(parameter: Parameter, modifier: str, *allowed: str) -> None:
    if modifier and modifier not in allowed:
        offered = ", ".join(f":{name}" for name in (*allowed, "missing"))
        refuse(
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
        refuse("search-value", "_id takes ids and no modifier", name[:40], "write Type ids")
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
        refuse("search-prefix", "this prefix is not known", parameter.name, f"use one of {names}")


def _date_clause(parameter: Parameter, modifier: str, values: list[str]) -> DateClause:
    _no_modifier(parameter, modifier)
    found = []
    for text in values:
        prefix, rest = _prefixed(parameter, text)
        span = date_range(rest.replace(" ", "+"))  # a zone whose plus was not percent-encoded
        if span is None:
            refuse(
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
            refuse(
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


def refuse(code: str, what: str, where: str, do: str) -> NoReturn:
    """A search that its sender must write otherwise."""
    raise BridgeError(code, Fault.SENDER, what=what, where=where[:100], do=do)
