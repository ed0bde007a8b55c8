"""Query parameters and headers that say what form of answer is wanted; the unknown is refused."""

import difflib
import re
from collections.abc import Mapping, Sequence
from email.message import Message
from enum import Enum
from urllib.parse import parse_qsl

from fastapi import Request

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant
from bridge.core.search.ranges import date_range

__all__ = [
    "JSON_TYPES",
    "Return",
    "asked_in",
    "asked_of",
    "count_of",
    "is_lenient",
    "json_wanted",
    "moment_of",
    "not_acceptable",
    "of_r4",
    "return_wanted",
    "wants_document",
]

JSON_TYPES = frozenset({"application/fhir+json", "application/json", "text/json"})
ANY_TYPES = frozenset({"*/*", "application/*", "text/*"})
FORMATS = JSON_TYPES | {"json", "application/fhir json"}
"""The last is `application/fhir+json` whose plus was not percent-encoded."""
VERSIONS = frozenset({"", "4.0", "4.0.1"})
FORM = frozenset({"_format", "_pretty"})
MAX_PAGE = 1_000
"""Rows of one page: some 10 MB of JSON."""


async def json_wanted(request: Request) -> None:
    """Refuse a request that wants no JSON: nothing else is spoken here, but for `wants_document`.

    https://hl7.org/fhir/R4/http.html#mime-type; `_format` stands above `Accept`.

    Raises:
        BridgeError: `not-acceptable`.
    """
    form = request.query_params.get("_format")
    if form is not None:
        fits = form.partition(";")[0].strip().lower() in FORMATS
    else:
        header = request.headers.get("accept", "")
        kinds = JSON_TYPES | ANY_TYPES
        fits = not header.strip() or _accepts(header, kinds)
    if not fits and not wants_document(request):
        raise not_acceptable("_format" if form is not None else "Accept header")


def wants_document(request: Request) -> bool:
    """A read of a Binary that accepts some media type, and neither JSON nor whatever there is.

    https://hl7.org/fhir/R4/binary.html#rest: then what it holds is served. Where anything is
    accepted it is the resource, for that is what a receipt proves.
    """
    if request.method != "GET" or not re.fullmatch(r"/fhir/Binary/[^/]+", request.url.path):
        return False
    header = request.headers.get("accept", "")
    kinds = JSON_TYPES | {"*/*", "application/fhir+xml"}
    asked = header.strip() and "_format" not in request.query_params
    return bool(asked) and not _accepts(header, kinds)


def not_acceptable(where: str) -> BridgeError:
    """The refusal of a form that is not served."""
    return BridgeError(
        "not-acceptable",
        Fault.SENDER,
        what="only FHIR R4 as JSON is served, and a Binary as what it holds",
        where=where,
        do="accept application/fhir+json",
    )


def _accepts(header: str, kinds: frozenset[str]) -> bool:
    return any(of_r4(one, kinds) for one in header.split(","))


def of_r4(text: str, kinds: frozenset[str]) -> bool:
    """One media type, wanted at all, is among these, and of R4 where it names a version.

    https://hl7.org/fhir/R4/http.html#version-parameter, RFC 9110 s12.4.2 for a weight of 0.
    """
    header = Message()
    header["content-type"] = text.strip()
    kind = text.partition(";")[0].strip().lower()
    version = str(header.get_param("fhirversion", ""))
    unwanted = re.fullmatch(r"0(\.0*)?", str(header.get_param("q", "")))
    return kind in kinds and version in VERSIONS and not unwanted


def asked_of(request: Request, *names: str) -> dict[str, str]:
    """The query parameters of a request; see `asked_in`."""
    return asked_in(parse_qsl(request.url.query, keep_blank_values=True), *names)


def asked_in(pairs: Sequence[tuple[str, str]], *names: str) -> dict[str, str]:
    """The parameters, of which only these are known, each once.

    Raises:
        BridgeError: `query-unknown`, `query-repeated`.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in FORM:
            continue
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            listed = f"one of {', '.join(names)}" if names else "none"
            raise _refusal(
                "query-unknown",
                "this door has no such query parameter",
                name if re.fullmatch(r"[\w\-$]{1,64}", name) else "query",
                f"use {near[0] if near else listed}",
            )
        if name in found:
            raise _refusal("query-repeated", "this parameter may stand once", name, "drop one")
        found[name] = value
    return found


def count_of(asked: Mapping[str, str], name: str, usual: int) -> int:
    """Rows of a page: at least 1, at most 1,000.

    Raises:
        BridgeError: `query-value`.
    """
    text = asked.get(name, "")
    if not text:
        return usual
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise _refusal("query-value", "this is no number from 1", name, "write digits")
    return min(int(text), MAX_PAGE)


def moment_of(asked: Mapping[str, str], name: str, *, last: bool = False) -> Instant | None:
    """The first instant of a date, dateTime or instant, or the last; None when it is not asked.

    Raises:
        BridgeError: `query-value`.
    """
    text = asked.get(name, "")
    if not text:
        return None
    span = date_range(text.replace(" ", "+"))  # a zone whose plus was not percent-encoded
    if span is None:
        do = "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with its zone"
        raise _refusal("query-value", "the value is no date", name, do)
    return span[1] if last else span[0]


class Return(Enum):
    """https://hl7.org/fhir/R4/http.html#ops: what the answer to a write holds."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    OUTCOME = "OperationOutcome"


def is_lenient(request: Request) -> bool:
    """`Prefer: handling=lenient`, https://hl7.org/fhir/R4/search.html#errors."""
    header = ",".join(request.headers.getlist("prefer"))
    return re.search(r'(?:^|[,;\s])handling\s*=\s*"?lenient', header, re.IGNORECASE) is not None


def return_wanted(request: Request) -> Return | None:
    """The `return` of the Prefer header (RFC 7240); None when it says none that is known."""
    header = ",".join(request.headers.getlist("prefer"))
    found = re.search(r'(?:^|[,;\s])return\s*=\s*"?(\w+)', header, re.IGNORECASE)
    known = {one.value.lower(): one for one in Return}
    return known.get(found[1].lower()) if found else None


def _refusal(code: str, what: str, where: str, do: str) -> BridgeError:
    return BridgeError(code, Fault.SENDER, what=what, where=where, do=do)
