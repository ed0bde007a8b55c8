"""References that follow the resources of a bundle to their ids here, and the lanes of a record.

Source: https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

from adapters.fhir.bundle import entries_of, named
from adapters.fhir.names import Names
from adapters.fhir.problems import Path, Problems, steps_of
from adapters.fhir.references import check_target, target_of
from bridge.core.record.bundle import JsonObject
from bridge.core.record.identity import lane

__all__ = ["ALONE", "lanes_of", "resolve_links", "resolve_references"]

Within: TypeAlias = tuple[str | int, ...]
ALONE: Final[Within] = ("entry", 0, "resource")
"""Where one resource that was sent alone stands in the bundle around it."""

_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])(urn:[^"'\s]+)(?=["'])""")


def resolve_references(
    bundle: JsonObject, names: Names, problems: Problems, within: Within = ()
) -> None:
    """Turn every reference to an entry of the bundle into Type/id, in place.

    A `urn:` reference that no entry answers leads nowhere for ever and is a problem; any other may
    lead to what is stored, or to another server. What a Bundle that is an entry says is its own.

    Args:
        bundle: as it was sent, or around the one resource that was.
        names: what `give_ids` returned.
        problems: with the references, and for what is wrong with them.
        within: steps to where their places begin.
    """
    inside = _inner_urls(bundle)
    for reference in problems.references:
        text = reference.value.get("reference")
        url = _entry_url(reference.at, bundle, within) if isinstance(text, str) else None
        if not isinstance(text, str) or url is None or text.startswith("#"):
            continue
        name = names.named(text, url)
        if name is not None:
            reference.value["reference"] = name
            check_target(reference, name.partition("/")[0], problems)
        elif text.startswith("urn:") and text not in inside:
            problems.add(
                "reference-unresolved",
                (reference.at, "reference"),
                "no entry of the bundle has this fullUrl",
            )


def _entry_url(at: Path, bundle: dict[str, Any], within: Within = ()) -> str | None:
    """The fullUrl of the entry in which this place lies, empty where there is none.

    None inside of a Bundle that is a resource itself: what that refers to is its own.
    """
    steps = (*within, *steps_of(at)[1:])
    node: Any = bundle
    for step in steps:
        node = node[step]
        if isinstance(node, dict) and node.get("resourceType") == "Bundle":
            return None
    entry = bundle["entry"][steps[1]] if steps[0] == "entry" else {}
    return cast("str", entry.get("fullUrl", ""))


def resolve_links(bundle: JsonObject, names: Names, links: Sequence[Path]) -> None:
    """Turn URIs and narrative links to an entry into Type/id, in place.

    https://hl7.org/fhir/R4/http.html#trules: elements of type uri, url, oid and uuid, and `a href`
    and `img src` of a narrative, follow an entry as its references do.
    """
    for link in links if names else ():
        steps = steps_of(link)[1:]
        url = _entry_url(link, bundle)
        if url is None or steps[-1] == "fullUrl":
            continue
        parent: Any = bundle
        for step in steps[:-1]:
            parent = parent[step]
        text = cast("str", parent[steps[-1]])
        parent[steps[-1]] = names.named(text, url) or _LINK.sub(
            lambda found: f"{found[1]}{names.urls.get(found[2], found[2])}", text
        )


def _inner_urls(bundle: JsonObject) -> frozenset[str]:
    """The fullUrls of every bundle that is a resource of this one."""
    bodies = [entry.get("resource") for entry in entries_of(bundle)]
    return frozenset(
        url
        for body in bodies
        if isinstance(body, dict) and body.get("resourceType") == "Bundle"
        for url, _ in named(body)
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
