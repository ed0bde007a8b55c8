"""Whether a Reference can lead anywhere: its form, the types it may name, and local targets.

Source: https://hl7.org/fhir/R4/references.html.
"""

import re
from collections.abc import Sequence

from adapters.fhir.definitions import resource_shape
from adapters.fhir.problems import Path, Problems, Reference
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["check_contained", "check_form", "check_target", "target_of"]

_LITERAL = re.compile(
    r"(?:(?P<base>https?://[^\s?#]+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
).fullmatch
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?[^\s]+").fullmatch
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.\-]*:[^\s]+").fullmatch
_FRAGMENT = re.compile(r"#[A-Za-z0-9\-.]{0,64}").fullmatch


def target_of(reference: str) -> tuple[str, str]:
    """Type and id that a literal names, such as (`Patient`, `1`); two empty texts otherwise."""
    literal = _LITERAL(reference)
    if literal is None or (literal["base"] and resource_shape(literal["type"]) is None):
        return "", ""
    return literal["type"], literal["id"]


def check_form(reference: Reference, problems: Problems) -> None:
    """One Reference by itself: its grammar, and that it names a type that may stand here."""
    stated = reference.value.get("type")
    if isinstance(stated, str):
        check_target(reference, stated.rpartition("/")[2], problems)
    text = reference.value.get("reference")
    if not isinstance(text, str) or _FRAGMENT(text):
        return
    conditional = _CONDITIONAL(text)
    kind = conditional["type"] if conditional else target_of(text)[0]
    if kind:
        check_target(reference, kind, problems)
        if isinstance(stated, str) and stated.rpartition("/")[2] != kind:
            problems.add(
                "reference-type", (reference.at, "type"), "type and reference name two types"
            )
    elif not _ABSOLUTE(text):
        problems.add(
            "reference-form",
            (reference.at, "reference"),
            "a reference is Type/id, an absolute URL, urn:uuid:, urn:oid: or #id",
        )


def check_target(reference: Reference, kind: str, problems: Problems) -> None:
    """Refuse a target of a type that this element may not refer to."""
    if resource_shape(kind) is None:
        problems.add(
            "reference-type", (reference.at, "reference"), "this is no resource type of FHIR R4"
        )
    elif reference.targets and kind not in reference.targets:
        allowed = ", ".join(sorted(reference.targets))
        problems.add(
            "reference-type",
            (reference.at, "reference"),
            f"{kind} may not stand here, only {allowed}",
        )


def check_contained(
    body: JsonObject, at: Path, references: Sequence[Reference], problems: Problems
) -> None:
    """Contained resources: rules dom-2 to dom-5, ref-1. Source: https://hl7.org/fhir/R4/domainresource.html.

    Args:
        body: the resource that contains.
        at: its place.
        references: all References in it, those of contained resources among them.
        problems: receives what is wrong.
    """
    contained = body.get("contained")
    items: list[Json] = contained if isinstance(contained, list) else []
    kinds: dict[str, str] = {}
    for index, item in enumerate(items):
        place = ((at, "contained"), index)
        if isinstance(item, dict):
            _check_contained_item(item, place, kinds, problems)
    wanted = set()
    upward = False
    for reference in references:
        text = reference.value.get("reference")
        if not isinstance(text, str) or not text.startswith("#"):
            continue
        upward = upward or text == "#"
        wanted.add(text[1:])
        if text != "#" and text[1:] not in kinds:
            problems.add(
                "ref-1", (reference.at, "reference"), "no contained resource has this local id"
            )
        elif text != "#" and kinds[text[1:]]:
            check_target(reference, kinds[text[1:]], problems)
    # A canonical may name a contained resource too; those are looked for only when needed.
    if not upward and kinds.keys() - wanted - _local_links(body, kinds):
        problems.add("dom-3", (at, "contained"), "a contained resource is referred to from nowhere")


def _check_contained_item(
    item: JsonObject, at: Path, kinds: dict[str, str], problems: Problems
) -> None:
    if "contained" in item:
        problems.add("dom-2", at, "a contained resource may not contain others")
    meta = item.get("meta")
    if isinstance(meta, dict) and {"versionId", "lastUpdated"} & meta.keys():
        problems.add("dom-4", at, "a contained resource has no versionId and no lastUpdated")
    if isinstance(meta, dict) and "security" in meta:
        problems.add("dom-5", at, "a contained resource has no security label of its own")
    name, kind = item.get("id"), item.get("resourceType")
    if not isinstance(name, str):
        problems.add("contained-id", at, "a contained resource needs an id")
    elif name in kinds:
        problems.add("contained-id", at, "two contained resources have one id")
    else:
        kinds[name] = kind if isinstance(kind, str) else ""


def _local_links(value: Json, kinds: dict[str, str]) -> set[str]:
    """Local ids that stand as a whole text anywhere, such as in a canonical `#valueset`."""
    found: set[str] = set()
    stack: list[Json] = [value] if kinds else []
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str) and item.startswith("#"):
            found.add(item[1:])
    return found
