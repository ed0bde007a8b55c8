"""References that follow the resources of a bundle to their ids here, and the lanes of a record.

Source: https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references.
"""

import re
from collections.abc import Sequence
from typing import Any, cast

from adapters.fhir.bundle import entries_of, named
from adapters.fhir.names import Names
from adapters.fhir.problems import Path, Problems, steps_of
from adapters.fhir.references import check_target, target_of
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import lane

__all__ = ["lanes_of", "resolve_links", "resolve_references"]

_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])(urn:[^"'\s]+)(?=["'])""")


def resolve_references(bundle: JsonObject, names: Names, problems: Problems) -> None:
    """Turn every reference to an entry of the bundle into Type/id, in place.

    A `urn:` reference that no entry answers leads nowhere for ever and is a problem; any other may
    lead to what is stored, or to another server. What a Bundle that is an entry says is its own.

    Args:
        bundle: as it was sent.
        names: what `give_ids` returned.
        problems: with the references, and for what is wrong with them.
    """
    inside = _inner_urls(bundle)
    for reference in problems.references:
        text = reference.value.get("reference")
        if not isinstance(text, str) or text.startswith("#"):
            continue
        name = _followed(text, reference.at, bundle, names)
        if name is not None:
            reference.value["reference"] = name
            check_target(reference, name.partition("/")[0], problems)
        elif text.startswith("urn:") and text not in inside:
            problems.add(
                "reference-unresolved",
                (reference.at, "reference"),
                "no entry of the bundle has this fullUrl",
            )


def _followed(text: str, at: Path, bundle: JsonObject, names: Names) -> str | None:
    """What the text at this place names from now on; None where it stays."""
    if not names:
        return None
    entry = _entry_at(at, bundle)
    body = entry.get("resource")
    if isinstance(body, dict) and body.get("resourceType") == "Bundle":
        return names.urls.get(text)
    return names.named(text, cast("str", entry.get("fullUrl", "")))


def _entry_at(at: Path, bundle: JsonObject) -> JsonObject:
    """The entry in which this place lies; one resource alone is an entry without anything."""
    steps = steps_of(at)
    if steps[:2] != ["Bundle", "entry"]:
        return {}
    return cast("list[JsonObject]", bundle["entry"])[cast("int", steps[2])]


def _inner_urls(bundle: JsonObject) -> frozenset[str]:
    """The fullUrls of every bundle that is a resource of this one."""
    bodies = [entry.get("resource") for entry in entries_of(bundle)]
    return frozenset(
        url
        for body in bodies
        if isinstance(body, dict) and body.get("resourceType") == "Bundle"
        for url, _ in named(body)
    )


def resolve_links(bundle: JsonObject, names: Names, links: Sequence[Path]) -> None:
    """Turn URIs and narrative links to an entry into Type/id, in place.

    https://hl7.org/fhir/R4/http.html#trules: elements of type uri, url, oid and uuid, and `a href`
    and `img src` of a narrative, follow an entry as its references do.
    """
    for link in links if names else ():
        steps = steps_of(link)[1:]
        if steps[-1] == "fullUrl":
            continue
        parent: Any = bundle
        for step in steps[:-1]:
            parent = parent[step]
        text = cast("str", parent[steps[-1]])
        name = None if " " in text else _followed(text, link, bundle, names)
        parent[steps[-1]] = name or _LINK.sub(
            lambda found: f"{found[1]}{names.urls.get(found[2], found[2])}", text
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
