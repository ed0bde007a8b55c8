"""What the resources of a bundle are called here, and what each reference in it then names.

A request says where its resource goes: a create gets a new id, an update has it in its URL. A
bundle without requests states what its source has, under that server's own ids: each is known here
by an id made of sender, server, type and id, so that `Patient/1` of two servers is two patients
(docs/adr/0031). Source: https://hl7.org/fhir/R4/bundle.html#references.
"""

import re
from dataclasses import dataclass, field
from typing import Final, cast

from adapters.fhir.bundle import entries_of
from adapters.fhir.definitions import resource_shape
from bridge.core.ids import Digest
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import resource_id

__all__ = ["STATED", "Names", "give_ids"]

STATED: Final = frozenset({"collection", "document", "message", "searchset"})
"""Types of bundle that state and ask for nothing."""

_REST_URL = re.compile(r"(https?://[^\s]*)/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})").fullmatch
_LITERAL = re.compile(
    r"(?:(https?://[^\s?#]+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]+)?"
).fullmatch


@dataclass(slots=True, kw_only=True)
class Names:
    """What the entries are called from now on, and what is not among them."""

    namespace: str = ""
    """Of whoever states the bundle; empty where requests say what each resource is called."""
    origin: str = ""
    """Server of a stated resource whose fullUrl names none."""
    urls: dict[str, str] = field(default_factory=dict)
    """What each fullUrl is called."""
    local: dict[str, str] = field(default_factory=dict)
    """The same for the `Type/id` that a fullUrl ends with; empty where several do."""

    def __bool__(self) -> bool:
        """Whether any reference could follow."""
        return bool(self.urls or self.namespace)

    def add(self, url: str, name: str) -> None:
        """One entry."""
        self.urls[url] = name
        rest = _REST_URL(url)
        if rest is not None:
            local = f"{rest[2]}/{rest[3]}"
            self.local[local] = "" if local in self.local else name

    def stated(self, base: str, kind: str, theirs: str) -> str:
        """Id here of what a server of the sender calls `kind/theirs`."""
        return resource_id(self.namespace, kind, "stated", base or self.origin, theirs)

    def named(self, text: str, url: str) -> str | None:
        """`Type/id` here of what a reference or link means; None where it stays as it is.

        A relative one means a resource of the server that its entry is of. In a stated bundle that
        is the sender's, whether the bundle holds it or not; a version is the source's too, and is
        left. Of an entry whose fullUrl names no server it may mean the one entry that ends so.

        Args:
            text: as it stands in the entry.
            url: fullUrl of the entry.
        """
        literal = _LITERAL(text)
        if text in self.urls or literal is None or resource_shape(literal[2]) is None:
            return self.urls.get(text)
        own = _REST_URL(url)
        base = own[1] if own else ""
        local = f"{literal[2]}/{literal[3]}"
        name = self.urls.get(f"{literal[1] or base}/{local}")
        if name or literal[1] not in {None, base}:
            return name
        name = self.local.get(local) if not base else None
        if not name and self.namespace:
            return f"{literal[2]}/{self.stated(base, literal[2], literal[3])}"
        return name or None


def give_ids(bundle: JsonObject, *, namespace: str, source: Digest) -> Names:
    """Give each resource its deterministic id, in place.

    A create that came with an id loses it, as FHIR asks of a server. What a bundle states keeps
    in `meta.source` what its source calls it, unless something stands there.

    Returns:
        What each entry is called from now on.
    """
    states = bundle.get("type") in STATED
    names = Names(namespace=namespace if states else "", origin=_origin(bundle) if states else "")
    for index, entry in enumerate(entries_of(bundle)):
        body = entry.get("resource")
        if not isinstance(body, dict):
            continue
        kind, url = cast("str", body["resourceType"]), cast("str", entry.get("fullUrl", ""))
        request = cast("dict[str, str]", entry.get("request", {}))
        if states and ("id" in body or _REST_URL(url)):
            _rename(entry, body, names)
        elif request.get("method") == "POST" or "id" not in body:
            body["id"] = resource_id(namespace, kind, source.hex(), url or f"entry/{index}")
        if url:
            names.add(url, f"{kind}/{cast('str', body['id'])}")
    return names


def _origin(bundle: JsonObject) -> str:
    """Address that a message says it came from: one engine may bring those of many servers."""
    for entry in entries_of(bundle)[:1]:
        header = cast("JsonObject", entry.get("resource", {}))
        source = header.get("source")
        if header.get("resourceType") == "MessageHeader" and isinstance(source, dict):
            return cast("str", source.get("endpoint", ""))
    return ""


def _rename(entry: JsonObject, body: JsonObject, names: Names) -> None:
    """From the id that the source has for a resource to the one that it has here."""
    kind, rest = cast("str", body["resourceType"]), _REST_URL(cast("str", entry.get("fullUrl", "")))
    theirs, base = (rest[3], rest[1]) if rest else (cast("str", body["id"]), "")
    mine = names.stated(base, kind, theirs)
    if rest:
        entry["fullUrl"] = f"{base}/{kind}/{mine}"
    server = f"{base}/" if base else names.origin and f"{names.origin}#"
    source: JsonObject = {"source": f"{server}{kind}/{theirs}"}
    body |= {"id": mine, "meta": source | cast("JsonObject", body.get("meta", {}))}
