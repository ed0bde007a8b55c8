"""Bundles around stored bytes: searchset and history, every resource verbatim.

https://hl7.org/fhir/R4/bundle.html, https://hl7.org/fhir/R4/search.html#return
"""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import Raw

from bridge.core.ids import instant_text
from bridge.core.record.bundle import Json, JsonObject
from bridge.core.search.parameters import PAGE
from bridge.ports.reading import Page, Served

__all__ = ["history_bundle", "searchset"]


def searchset(page: Page, url: str, asked: Sequence[tuple[str, str]], base: str) -> bytes:
    """A page of matches with what they lead to.

    Args:
        page: what the disclosure found.
        url: of the search, without query.
        asked: what was understood; `self` says exactly that.
        base: of this server, for `fullUrl`.
    """
    links: list[Json] = [{"relation": "self", "url": _with_query(url, asked)}]
    if page.next:
        more = [*asked, (PAGE, page.next)]
        links.append({"relation": "next", "url": _with_query(url, more)})
    entries: list[Json] = [
        {
            "fullUrl": f"{base}/{served.ref.type}/{served.ref.id}",
            "resource": Raw(served.body),
            "search": {"mode": mode},
        }
        for mode, group in (("match", page.matches), ("include", page.included))
        for served in group
    ]
    return _bundle("searchset", links, entries, page.total)


def history_bundle(page: Page, url: str, asked: Sequence[tuple[str, str]], base: str) -> bytes:
    """Versions of one resource, newest first; a deletion is an entry without resource."""
    links: list[Json] = [{"relation": "self", "url": _with_query(url, asked)}]
    if page.next:
        more = [*asked, ("before", page.next)]
        links.append({"relation": "next", "url": _with_query(url, more)})
    entries: list[Json] = [_version(served, base) for served in page.matches]
    return _bundle("history", links, entries, page.total)


def _version(served: Served, base: str) -> JsonObject:
    url = f"{served.ref.type}/{served.ref.id}"
    method = "DELETE" if served.deleted else "PUT"
    status = "201" if served.version == 1 else "200"
    entry: JsonObject = {
        "fullUrl": f"{base}/{url}",
        "request": {"method": method, "url": url},
        "response": {
            "status": "204" if served.deleted else status,
            "etag": f'W/"{served.version}"',
            "lastModified": instant_text(served.at),
        },
    }
    return entry if served.deleted else {**entry, "resource": Raw(served.body)}


def _bundle(kind: str, links: list[Json], entries: list[Json], total: int | None) -> bytes:
    bundle: JsonObject = {"resourceType": "Bundle", "type": kind, "link": links}
    if total is not None:
        bundle["total"] = total
    if entries:
        bundle["entry"] = entries
    return msgspec.json.encode(bundle)


def _with_query(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url
