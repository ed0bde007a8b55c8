"""The index rows of one resource: what a search can find it by.

Source: https://hl7.org/fhir/R4/search.html. Composite and special parameters are not indexed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Final, TypeAlias

from msgspec import Raw

from bridge.core.ids import Instant
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.definitions import Parameter, SearchType, Source, parameters_of
from bridge.core.search.ranges import EARLIEST, LATEST, date_range, folded, number

__all__ = [
    "MAX_ROWS",
    "RULES",
    "DateRow",
    "IndexRow",
    "QuantityRow",
    "ReferenceRow",
    "TextRow",
    "TokenRow",
    "index_rows",
    "place_of",
]

RULES: Final = "fhir-anchor/index/1"
"""Names which rows a resource gives. Whatever lets another row come of the same resource gets the
next number, and each resource says which rules its rows are of (docs/adr/0012)."""
_LITERAL = re.compile(
    r"(?:(https?://[^\s?#]+)/)?([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
"""https://hl7.org/fhir/R4/references.html#literal."""
MAX_TOKEN = 512
"""Characters of a system, code or URL that can be searched: an index entry of PostgreSQL ends at a
third of a page (2,704 bytes). A longer one is stored and served, but finds nothing."""
MAX_ROWS = 2_000
"""For one resource. The largest official example makes about 300; a list of a million references
must not fill the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A code, identifier, flag or URI. `system` is empty where the element has none."""

    param: str
    system: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A string, folded for the usual search and as written for `:exact`, which ends at 1,000."""

    param: str
    value: str
    exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRow:
    """Every instant that the value covers, both ends included."""

    param: str
    low: Instant
    high: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """A literal reference, without its version: base, type and id of what it leads to.

    The base is that of an absolute reference to a FHIR server, this one or another, and empty of a
    relative one. Of every other URL `target_type` is empty and `target_id` the URL.
    """

    param: str
    target_base: str = ""
    target_type: str
    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityRow:
    """A number, with its unit where it has one."""

    param: str
    value: Decimal
    system: str
    code: str


IndexRow: TypeAlias = TokenRow | TextRow | DateRow | ReferenceRow | QuantityRow
_Maker: TypeAlias = Callable[[str, Json, Source], Iterable[IndexRow]]


def index_rows(resource: JsonObject) -> tuple[IndexRow, ...]:
    """Every row that the resource is found by, without repeats, at most `MAX_ROWS`.

    The identifier of a reference gives a token row under `name:identifier`. `_id` and
    `_lastUpdated` are columns of the store, not rows.

    Args:
        resource: a valid R4 resource as `canon.parse` gives it.
    """
    kind = resource.get("resourceType")
    rows: dict[IndexRow, None] = {}
    plan = _plan(kind) if isinstance(kind, str) else {}
    for name, value in resource.items():
        for parameter, source, make in plan.get(name, ()):
            for item in _values(value, source):
                rows.update(dict.fromkeys(islice(make(parameter.name, item, source), MAX_ROWS)))
                if len(rows) >= MAX_ROWS:
                    return tuple(rows)[:MAX_ROWS]
    return tuple(rows)


@cache
def _plan(resource_type: str) -> dict[str, list[tuple[Parameter, Source, _Maker]]]:
    """What to do with each top element, so that absent ones cost nothing."""
    plan: dict[str, list[tuple[Parameter, Source, _Maker]]] = {}
    for parameter in parameters_of(resource_type).values():
        for source in parameter.sources:
            make = _MAKERS[parameter.type]
            plan.setdefault(source.steps[0][0], []).append((parameter, source, make))
    return plan


def _values(value: Json, source: Source) -> list[Json]:
    """The values at the end of the path, from the value of its first element."""
    found = _kept(value, source.steps[0])
    for step in source.steps[1:]:
        found = [
            item
            for node in found
            if isinstance(node, dict) and step[0] in node
            for item in _kept(node[step[0]], step)
        ]
    return found


def _kept(value: Json, step: tuple[str, str, str]) -> list[Json]:
    items: list[Json] = value if isinstance(value, list) else [value]
    _, key, wanted = step
    if not key:
        return items
    return [item for item in items if isinstance(item, dict) and item.get(key) == wanted]


def place_of(reference: str) -> tuple[str, str, str]:
    """Base, type and id of a literal reference; of what is none, two empty texts and all of it.

    Which version it names does not count: https://hl7.org/fhir/R4/search.html#reference.
    """
    found = _LITERAL(reference)
    return (found[1] or "", found[2], found[3]) if found is not None else ("", "", reference)


def _text(node: Json, key: str) -> str:
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""


def _token(param: str, system: str, value: str) -> Iterator[IndexRow]:
    if (system or value) and len(system) <= MAX_TOKEN and len(value) <= MAX_TOKEN:
        yield TokenRow(param=param, system=system, value=value)


def _token_rows(param: str, item: Json, source: Source) -> Iterator[IndexRow]:
    match source.type:
        case "CodeableConcept":
            codings = item.get("coding") if isinstance(item, dict) else None
            for coding in codings if isinstance(codings, list) else ():
                yield from _token(param, _text(coding, "system"), _text(coding, "code"))
        case "Coding":
            yield from _token(param, _text(item, "system"), _text(item, "code"))
        case "Identifier":
            yield from _token(param, _text(item, "system"), _text(item, "value"))
        case "ContactPoint":
            yield from _token(param, "", _text(item, "value"))
        case "dateTime":  # Patient.deceased[x]: a date says that it is so
            yield from _token(param, "", "true")
        case "boolean":
            yield from _token(param, "", "true" if item is True else "false")
        case _:
            yield from _token(param, "", item if isinstance(item, str) else "")


def _uri_rows(param: str, item: Json, _source: Source) -> Iterator[IndexRow]:
    yield from _token(param, "", item if isinstance(item, str) else "")


_PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}


def _string_rows(param: str, item: Json, source: Source) -> Iterator[IndexRow]:
    names = _PARTS.get(source.type)
    parts: list[Json] = [item]
    if names is not None and isinstance(item, dict):
        held = [item[name] for name in names if name in item]
        parts = [one for part in held for one in (part if isinstance(part, list) else [part])]
    for part in parts:
        if isinstance(part, str):
            yield TextRow(param=param, value=folded(part), exact=part[:1000])


def _date_rows(param: str, item: Json, source: Source) -> Iterator[IndexRow]:
    if source.type == "Period":
        yield from _period(param, item)
    elif source.type == "Timing":
        events = item.get("event") if isinstance(item, dict) else None
        for event in events if isinstance(events, list) else ():
            yield from _moment(param, event)
        repeat = item.get("repeat") if isinstance(item, dict) else None
        if isinstance(repeat, dict) and "boundsPeriod" in repeat:
            yield from _period(param, repeat["boundsPeriod"])
    else:
        yield from _moment(param, item)


def _moment(param: str, item: Json) -> Iterator[IndexRow]:
    span = date_range(item) if isinstance(item, str) else None
    if span is not None:
        yield DateRow(param=param, low=span[0], high=span[1])


def _period(param: str, item: Json) -> Iterator[IndexRow]:
    start, end = date_range(_text(item, "start")), date_range(_text(item, "end"))
    if start is not None or end is not None:
        yield DateRow(
            param=param, low=start[0] if start else EARLIEST, high=end[1] if end else LATEST
        )


def _reference_rows(param: str, item: Json, source: Source) -> Iterator[IndexRow]:
    if isinstance(item, str):  # a canonical, with or without its version
        for url in dict.fromkeys((item, item.partition("|")[0])):
            if len(url) <= MAX_TOKEN:
                yield ReferenceRow(param=param, target_type="", target_id=url)
        return
    mark = item.get("identifier") if isinstance(item, dict) else None
    if mark is not None and source.target in ("", _text(item, "type")):
        yield from _token(f"{param}:identifier", _text(mark, "system"), _text(mark, "value"))
    text = _text(item, "reference") or _text(item, "url")
    if not text or text.startswith("#") or len(text) > MAX_TOKEN:
        return
    base, kind, name = place_of(text)
    if source.target in ("", kind) or not kind:
        yield ReferenceRow(param=param, target_base=base, target_type=kind, target_id=name)


def _quantity_rows(param: str, item: Json, source: Source) -> Iterator[IndexRow]:
    if source.type in {"Range", "SampledData"} or not isinstance(item, dict):
        return
    value = _number(item.get("value"))
    if value is None:
        return
    system, code, unit = (_text(item, key) for key in ("system", "code", "unit"))
    code = code or _text(item, "currency")
    for name in dict.fromkeys((code or unit, unit or code)):
        yield QuantityRow(
            param=param,
            value=value,
            system=system if name == code else "",
            code=name[:MAX_TOKEN],
        )


def _number_rows(param: str, item: Json, _source: Source) -> Iterator[IndexRow]:
    value = _number(item)
    if value is not None:
        yield QuantityRow(param=param, value=value, system="", code="")


def _number(item: Json) -> Decimal | None:
    if isinstance(item, Raw):
        return number(bytes(item).decode())
    return Decimal(item) if isinstance(item, int) and not isinstance(item, bool) else None


_MAKERS: dict[SearchType, _Maker] = {
    SearchType.TOKEN: _token_rows,
    SearchType.REFERENCE: _reference_rows,
    SearchType.STRING: _string_rows,
    SearchType.DATE: _date_rows,
    SearchType.URI: _uri_rows,
    SearchType.QUANTITY: _quantity_rows,
    SearchType.NUMBER: _number_rows,
}
