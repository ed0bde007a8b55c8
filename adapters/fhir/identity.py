"""Ids for what a bundle creates, and references that follow them: urn:uuid to Type/id.

Source: https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from adapters.fhir.bundle import entries_of, named
from adapters.fhir.problems import Path, Problems, steps_of
from adapters.fhir.references import check_target, target_of
from bridge.core.ids import Digest
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import lane, resource_id

__all__ = ["give_ids", "inner_names", "lanes_of", "resolve_links", "resolve_references"]

_REST_URL = re.compile(r"https?://[^\s]*/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})").fullmatch

_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])(urn:[^"'\s]+)(?=["'])""")


def give_ids(bundle: JsonObject, *, namespace: str, source: Digest) -> dict[str, str]:
    """Give each created resource its deterministic id, in place.

    A create that came with an id loses it, as FHIR asks of a server; an entry of a bundle
    without requests keeps the id it has.

    Returns:
        What each fullUrl, and each `Type/id` that it stands for, is called from now on.
    """
    names: dict[str, str] = {}
    for index, entry in enumerate(entries_of(bundle)):
        body = entry.get("resource")
        if not isinstance(body, dict):
            continue
        kind, url = cast("str", body["resourceType"]), cast("str", entry.get("fullUrl", ""))
        request = cast("dict[str, str]", entry.get("request", {}))
        if request.get("method") == "POST" or "id" not in body:
            body["id"] = resource_id(namespace, kind, source.hex(), url or f"entry/{index}")
        name = f"{kind}/{cast('str', body['id'])}"
        if url:
            names[url] = name
            rest = _REST_URL(url)
            if rest is not None:
                names[rest[1]] = name
    return names


def resolve_references(
    names: dict[str, str], problems: Problems, inside: frozenset[str] = frozenset()
) -> None:
    """Turn every reference to an entry of the bundle into Type/id, in place.

    A `urn:` reference that no entry answers leads nowhere for ever and is a problem; a
    relative or absolute one may lead to what is stored, or to another server.

    Args:
        names: what `give_ids` returned.
        problems: with the references, and for what is wrong with them.
        inside: fullUrls of bundles that are resources here: what they link stays theirs.
    """
    for reference in problems.references:
        text = reference.value.get("reference")
        if not isinstance(text, str) or text.startswith("#"):
            continue
        name = names.get(text)
        if name is not None:
            reference.value["reference"] = name
            check_target(reference, name.partition("/")[0], problems)
        elif text.startswith("urn:") and text not in inside:
            problems.add(
                "reference-unresolved",
                (reference.at, "reference"),
                "no entry of the bundle has this fullUrl",
            )


def inner_names(bundle: JsonObject) -> frozenset[str]:
    """The fullUrls of every bundle that is a resource of this one."""
    bodies = [entry.get("resource") for entry in entries_of(bundle)]
    return frozenset(
        url
        for body in bodies
        if isinstance(body, dict) and body.get("resourceType") == "Bundle"
        for url, _ in named(body)
    )


def resolve_links(bundle: JsonObject, names: dict[str, str], links: Sequence[Path]) -> None:
    """Turn URIs and narrative links to an entry into Type/id, in place.

    https://hl7.org/fhir/R4/http.html#trules: elements of type uri, url, oid and uuid, and `a href`
    and `img src` of a narrative, follow an entry as its references do.
    """
    for link in links:
        steps = steps_of(link)[1:]
        if steps[-1] == "fullUrl":
            continue
        parent: Any = bundle
        for step in steps[:-1]:
            parent = parent[step]
        text = cast("str", parent[steps[-1]])
        parent[steps[-1]] = names.get(text) or _LINK.sub(
            lambda found: f"{found[1]}{names.get(found[2], found[2])}", text
        )


def lanes_of(bundle: JsonObject, problems: Problems) -> tuple[str, ...]:
    """Records of one patient apply in order; of no patient, records of one resource do."""
    own, patients = set(), set()
    for entry in entries_of(bundle):
        body = entry.get("resource")
        request = cast("dict[str, str]", entry.get("request", {}))
        if isinstance(body, dict):
            own.add((cast("str", body["resourceType"]), cast("str", body["id"])))
        elif "url" in request:
            kind, _, name = request["url"].partition("/")
            own.add((kind, name))
    patients |= {ref for ref in own if ref[0] == "Patient"}
    for reference in problems.references:
        text = reference.value.get("reference")
        kind, name = target_of(text) if isinstance(text, str) else ("", "")
        if kind == "Patient":
            patients.add((kind, name))
    # A bundle with nothing in it still has a place in the order.
    return tuple(sorted(lane("", *ref) for ref in patients or own or {("Bundle", "")}))
