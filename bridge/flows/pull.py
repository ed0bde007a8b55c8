"""Pull from an upstream FHIR server: page after page, each handed on before the next is asked for.

https://hl7.org/fhir/R4/http.html#paging; `_lastUpdated` with `ge` since the newest moment of the
last whole pull (https://hl7.org/fhir/R4/search.html#lastUpdated). A page is handed on as the bytes
that came, so what is recorded is what the upstream said.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.canon import parse
from bridge.ports.upstream import Upstream

__all__ = ["Page", "Progress", "Pulled", "pull", "types_of"]

MAX_PAGES = 1_000_000
"""Of one type: at 100 resources each more than the largest hospital has; a server whose pages never
end is let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the pull of one resource type came; all that a restart needs."""

    since: str = ""
    """FHIR instant, as the upstream wrote it: the next pull asks for what is not older."""
    newest: str = ""
    """Of the pages so far; becomes `since` when the last page is handed on."""
    next: str = ""
    """URL of the page that is due; empty starts over from `since`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page as it came."""

    type: str
    number: int
    body: bytes
    resources: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull of one type brought."""

    type: str
    pages: int
    resources: int


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One type's way through its pages."""

    type: str
    progress: Progress
    seen: set[str] = field(default_factory=set)
    pages: int = 0
    resources: int = 0


def types_of(upstream: Upstream) -> tuple[str, ...]:
    """Every type that the upstream's CapabilityStatement says can be searched.

    Raises:
        BridgeError: `upstream-answer`, or those of the port.
    """
    statement = _object(upstream.get("metadata"), "metadata")
    found = {
        str(resource["type"])
        for rest in _list(statement.get("rest"))
        for resource in _list(rest.get("resource"))
        if any(one.get("code") == "search-type" for one in _list(resource.get("interaction")))
    }
    return tuple(sorted(found))


def pull(
    types: Sequence[str],
    *,
    upstream: Upstream,
    progress: Mapping[str, Progress],
    hand_on: Callable[[Page], None],
    save: Callable[[str, Progress], None],
    count: int = 100,
) -> Iterator[Pulled]:
    """Everything of these types that changed since the last pull, type by type.

    Each page is handed on, then the progress behind it saved: a pull that is cut off hands one
    page on twice at most, and the node knows what it has.

    Args:
        types: resource types.
        upstream: who is asked.
        progress: of earlier pulls, by type.
        hand_on: stores a page; raises when it could not.
        save: makes the progress of a type durable.
        count: `_count`, resources a page; the upstream may give fewer.

    Raises:
        BridgeError: `upstream-answer` for a page that is no searchset or leads elsewhere; those of
            the port and of `hand_on`.
    """
    for kind in types:
        walk = _Walk(type=kind, progress=progress.get(kind, Progress()))
        try:
            _walk(walk, upstream, hand_on, save, count)
        except BridgeError as error:
            if error.code != "upstream-gone" or not walk.progress.next or walk.pages:
                raise
            walk.progress = replace(walk.progress, next="", newest="")  # its pages are forgotten
            _walk(walk, upstream, hand_on, save, count)
        yield Pulled(type=kind, pages=walk.pages, resources=walk.resources)


def _walk(
    walk: _Walk,
    upstream: Upstream,
    hand_on: Callable[[Page], None],
    save: Callable[[str, Progress], None],
    count: int,
) -> None:
    url = walk.progress.next or _first(walk, count)
    while url:
        body = upstream.get(url)
        bundle = _object(body, walk.type)
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
            raise _odd("the page is no Bundle of type searchset", walk.type)
        resources = [one["resource"] for one in _list(bundle.get("entry")) if "resource" in one]
        walk.pages += 1
        walk.resources += len(resources)
        if resources:
            page = Page(type=walk.type, number=walk.pages, body=body, resources=len(resources))
            hand_on(page)
        walk.seen.add(url)
        url = _next(bundle, walk, upstream.base)
        newest = max([walk.progress.newest, *map(_updated, resources)], key=_moment_key)
        after = Progress(since=walk.progress.since, newest=newest, next=url)
        walk.progress = after if url else Progress(since=newest or walk.progress.since)
        save(walk.type, walk.progress)


def _first(walk: _Walk, count: int) -> str:
    since = walk.progress.since
    changed = f"&_lastUpdated=ge{quote(since, safe='')}" if since else ""
    return f"{walk.type}?_count={count}&_sort=_lastUpdated{changed}"


def _next(bundle: Mapping[str, Any], walk: _Walk, base: str) -> str:
    """Where the next page is; never another server, for the token goes with the request."""
    links = [one.get("url") for one in _list(bundle.get("link")) if one.get("relation") == "next"]
    if not links:
        return ""
    url = urljoin(base, str(links[0]))
    there, here = urlsplit(url), urlsplit(base)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise _odd("the next page is on another server", walk.type)
    if url in walk.seen or walk.pages >= MAX_PAGES:
        raise _odd("the pages lead round in a circle", walk.type)
    return url


def _updated(resource: Mapping[str, Any]) -> str:
    meta = resource.get("meta")
    found = meta.get("lastUpdated") if isinstance(meta, dict) else None
    return found if isinstance(found, str) else ""


def _moment_key(text: str) -> tuple[str, str]:
    """Order of instants of one server: it writes them in one zone; the longer one is the later."""
    return text[:19], text[19:]


def _object(body: bytes, where: str) -> dict[str, Any]:
    """Read as strictly, and with the same bound on nesting, as the node will read it."""
    try:
        found = parse(body)
    except BridgeError as error:
        raise _odd(f"the answer is no FHIR JSON: {error.what}", where) from error
    if not isinstance(found, dict):
        raise _odd("the answer is no JSON object", where)
    return found


def _list(found: object) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _odd(what: str, where: str) -> BridgeError:
    return BridgeError(
        "upstream-answer",
        Fault.PEER,
        what=what,
        where=where,
        do="look at what the upstream answers; nothing after this page was taken",
    )
