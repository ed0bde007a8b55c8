"""The rules of a Bundle: what each type of bundle asks of its entries. Keys bdl-1 to bdl-12.

Source: https://hl7.org/fhir/R4/bundle.html and https://hl7.org/fhir/R4/http.html#transaction.
"""

import re
from collections.abc import Iterator

from adapters.fhir.constraint import items, text_of
from adapters.fhir.definitions import resource_shape
from adapters.fhir.problems import Path, Problems, path_text
from adapters.fhir.references import check_target
from bridge.core.record.bundle import Json, JsonObject

__all__ = [
    "check_bundle",
    "check_requests",
    "entries_of",
    "made_relative",
    "named",
    "storable_part",
]

_REQUESTED = frozenset({"batch", "transaction", "history"})
_ANSWERED = frozenset({"batch-response", "transaction-response", "history"})
_FULL_URL = re.compile(
    r"urn:uuid:[0-9a-fA-F\-]{36}|urn:oid:[0-2](?:\.\d+)+|[a-z][a-z0-9+.\-]*:(?://)?[^\s]+"
).fullmatch
_REST_URL = re.compile(r"https?://[^\s]*/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})").fullmatch


def entries_of(bundle: JsonObject) -> list[JsonObject]:
    """The entries that are objects, which after the check of shape are all."""
    listed = bundle.get("entry")
    return [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []


def check_bundle(bundle: JsonObject, at: Path, problems: Problems) -> None:
    """Collect every rule that the bundle breaks; its resources are judged before."""
    kind = bundle.get("type")
    if "total" in bundle and kind not in {"searchset", "history"}:
        problems.add("bdl-1", (at, "total"), "only a searchset or history has a total")
    for index, entry in enumerate(entries_of(bundle)):
        place = ((at, "entry"), index)
        for code, step, text in _broken(entry, kind):
            problems.add(code, (place, step) if step else place, text)
        _check_full_url(entry, place, problems)
    _check_unique(bundle, at, problems)
    _check_first(bundle, at, problems)
    _check_links(bundle, problems)
    if kind == "document":
        _check_composition(bundle, at, problems)


def _broken(entry: JsonObject, kind: Json) -> Iterator[tuple[str, str, str]]:
    """Key, element and words of each rule on one entry that does not hold."""
    if "search" in entry and kind != "searchset":
        yield "bdl-2", "search", "only entries of a searchset have search"
    if ("request" in entry) != (kind in _REQUESTED):
        yield "bdl-3", "request", "a transaction, batch or history has a request in every entry"
    if ("response" in entry) != (kind in _ANSWERED):
        yield "bdl-4", "response", "only bundles that answer have a response in every entry"
    if not {"resource", "request", "response"} & entry.keys():
        yield "bdl-5", "", "an entry needs a resource, a request or a response"


def _check_full_url(entry: JsonObject, at: Path, problems: Problems) -> None:
    url, body = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(url, str):
        return
    if "/_history/" in url:
        problems.add("bdl-8", (at, "fullUrl"), "a fullUrl names a resource, not a version of it")
    elif not _FULL_URL(url):
        problems.add("full-url-form", (at, "fullUrl"), "a fullUrl is an absolute URI")
    rest = _REST_URL(url)
    if rest is None or not isinstance(body, dict) or resource_shape(rest[1]) is None:
        return
    request = entry.get("request")
    creates = isinstance(request, dict) and request.get("method") == "POST"
    same = rest[1] == body.get("resourceType") and rest[2] == body.get("id", rest[2])
    if not same and not creates:
        problems.add(
            "full-url-identity", (at, "fullUrl"), "fullUrl and resource name two identities"
        )


def _check_unique(bundle: JsonObject, at: Path, problems: Problems) -> None:
    """Rule bdl-7: a fullUrl stands once, or once a version."""
    if bundle.get("type") == "history":
        return
    seen = set()
    for index, entry in enumerate(entries_of(bundle)):
        url, body = entry.get("fullUrl"), entry.get("resource")
        meta = body.get("meta") if isinstance(body, dict) else None
        version = meta.get("versionId") if isinstance(meta, dict) else None
        key = (url, version if isinstance(version, str) else "")
        if isinstance(url, str) and key in seen:
            place = (((at, "entry"), index), "fullUrl")
            problems.add("bdl-7", place, "another entry has this fullUrl")
        seen.add(key)


def _check_first(bundle: JsonObject, at: Path, problems: Problems) -> None:
    """Rules bdl-9 to bdl-12: a document starts with its Composition, a message with its header."""
    kind, entries = bundle.get("type"), entries_of(bundle)
    wanted = {"document": ("bdl-11", "Composition"), "message": ("bdl-12", "MessageHeader")}
    if not isinstance(kind, str) or kind not in wanted:
        return
    code, name = wanted[kind]
    body = entries[0].get("resource") if entries else None
    if not isinstance(body, dict) or body.get("resourceType") != name:
        problems.add(code, (at, "entry"), f"the first resource of a {kind} is its {name}")
    if kind == "document":
        mark = bundle.get("identifier")
        if not isinstance(mark, dict) or not {"system", "value"} <= mark.keys():
            problems.add("bdl-9", (at, "identifier"), "a document has identifier system and value")
        if "timestamp" not in bundle:
            problems.add("bdl-10", (at, "timestamp"), "a document says when it was assembled")


def _check_links(bundle: JsonObject, problems: Problems) -> None:
    """A `urn:` reference leads to an entry, here or in a bundle inside, of a type that fits."""
    kinds = dict(named(bundle))
    for reference in problems.references:
        text = reference.value.get("reference")
        if not isinstance(text, str) or not text.startswith("urn:"):
            continue
        kind = kinds.get(text.partition("#")[0])
        if kind is None:
            problems.add(
                "reference-unresolved",
                (reference.at, "reference"),
                "no entry of the bundle has this fullUrl",
            )
        elif resource_shape(kind) is not None:
            check_target(reference, kind, problems)


def named(bundle: JsonObject) -> Iterator[tuple[str, str]]:
    """Each fullUrl with the type of its resource, those of bundles inside too."""
    for entry in entries_of(bundle):
        url, body = entry.get("fullUrl"), entry.get("resource")
        kind = body.get("resourceType") if isinstance(body, dict) else None
        if isinstance(url, str):
            yield url, kind if isinstance(kind, str) else ""
        if isinstance(body, dict) and kind == "Bundle":
            yield from named(body)


_ASSEMBLED = re.compile(
    r"Bundle\.entry\[0\]\.resource\.(?:subject|encounter|author|attester|custodian|event|section)\b"
).match
"""What of a Composition must be in its document, https://hl7.org/fhir/R4/documents.html#content."""


def _check_composition(bundle: JsonObject, at: Path, problems: Problems) -> None:
    """A document holds what its Composition names; one inside another bundle is not looked into."""
    if at != (None, "Bundle"):
        return
    there = {url for url, _ in named(bundle)}
    there |= {f"{rest[1]}/{rest[2]}" for rest in map(_REST_URL, there) if rest}
    for body in items(bundle, "entry", "resource"):
        there.add(f"{text_of(body, 'resourceType')}/{text_of(body, 'id')}")
    for reference in problems.references:
        text = reference.value.get("reference")
        if not isinstance(text, str) or text.startswith(("#", "urn:")):
            continue
        if text.partition("/_history/")[0] not in there and _ASSEMBLED(path_text(reference.at)):
            problems.add(
                "reference-unresolved",
                (reference.at, "reference"),
                "a document holds every resource that its Composition names",
            )


def storable_part(bundle: JsonObject) -> JsonObject:
    """The bundle without the entries that state nothing; itself when there are none."""
    entries = entries_of(bundle)
    kept: list[Json] = [entry for entry in entries if not _states_nothing(entry)]
    if len(kept) == len(entries):
        return bundle
    rest: JsonObject = {key: value for key, value in bundle.items() if key != "entry"}
    return rest | {"entry": kept} if kept else rest


def _states_nothing(entry: JsonObject) -> bool:
    """A read, or what a server says of the search whose answer this is."""
    request, search = entry.get("request"), entry.get("search")
    reads = isinstance(request, dict) and request.get("method") == "GET"
    return reads or (isinstance(search, dict) and search.get("mode") == "outcome")


def made_relative(bundle: JsonObject) -> None:
    """Drop the slash that some clients write before `request.url`, in place.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request.url: relative to the root.
    """
    for entry in entries_of(bundle):
        request = entry.get("request")
        url = request.get("url") if isinstance(request, dict) else None
        if isinstance(request, dict) and isinstance(url, str):
            request["url"] = url.removeprefix("/")


_URL = re.compile(
    r"(?P<type>[A-Z][A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64})|\?(?P<query>[^\s]+))?"
).fullmatch


def check_requests(bundle: JsonObject, at: Path, problems: Problems) -> None:
    """Collect what a transaction or batch asks that cannot be done or says two things.

    POST, PUT and DELETE write, GET reads; PATCH inside a bundle is refused, as is writing
    one resource twice.
    """
    named: set[str] = set()
    for index, entry in enumerate(entries_of(bundle)):
        request = entry.get("request")
        if not isinstance(request, dict):
            continue
        place = (((at, "entry"), index), "request")
        for step, text in _request_problems(request, entry.get("resource")):
            problems.add("request-form", (place, step), text)
        url = request.get("url")
        if request.get("method") in {"PUT", "DELETE"} and isinstance(url, str) and "?" not in url:
            if url in named:
                problems.add("request-repeated", (place, "url"), "one resource is named twice")
            named.add(url)


def _request_problems(request: JsonObject, body: Json) -> Iterator[tuple[str, str]]:
    method = request.get("method")
    if method not in {"GET", "POST", "PUT", "DELETE"}:
        yield "method", "a bundle may GET, POST, PUT and DELETE here, and nothing else"
    elif method == "GET":
        if body is not None:
            yield "method", "GET has no resource in its entry"
    else:
        yield from _write_problems(request, body)


def _write_problems(request: JsonObject, body: Json) -> Iterator[tuple[str, str]]:
    method, text = request.get("method"), request.get("url")
    url = _URL(text) if isinstance(text, str) else None
    if url is None or resource_shape(url["type"]) is None:
        yield "url", "write Type, Type/id or Type?query relative to the service"
        return
    if (url["id"] is None and url["query"] is None) != (method == "POST"):
        yield "url", "POST names a type; PUT and DELETE name Type/id or Type?query"
    if method == "DELETE":
        return
    if not isinstance(body, dict):
        yield "method", "POST and PUT need a resource in their entry"
    elif body.get("resourceType") != url["type"]:
        yield "url", "request and resource name two types"
    elif url["id"] is not None and body.get("id") != url["id"]:
        yield "url", "request and resource name two ids"
