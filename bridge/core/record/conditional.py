"""Conditional requests and references: what a bundle leaves to be looked up, and what it then says.

Source: https://hl7.org/fhir/R4/http.html#cond-update and https://hl7.org/fhir/R4/http.html#ccreate.
Pure: who holds the store finds the ids, in the transaction that applies the bundle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from bridge.core.errors import BridgeError, Fault
from bridge.core.record.bundle import Json, JsonObject

__all__ = ["Condition", "conditions", "references", "resolved"]


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """A search that must be answered before the bundle is applied: `Patient`, `identifier=a|1`.

    Positional, because it is a pair. The query is as the sender wrote it, percent-encoding
    included.
    """

    type: str
    query: str


def conditions(bundle: JsonObject) -> tuple[Condition, ...]:
    """Every condition in a canonical bundle, sorted, each once; usually none."""
    found = {condition for entry in _entries(bundle) if (condition := _of_entry(entry))}
    for reference in references(bundle):
        condition = _of_text(cast("str", reference["reference"]))
        if condition is not None:
            found.add(condition)
    return tuple(sorted(found))


def resolved(
    bundle: JsonObject,
    found: Mapping[Condition, tuple[str, ...]],
    beside: Mapping[Condition, tuple[str, ...]] | None = None,
) -> JsonObject:
    """The bundle with every condition answered, as `merge.apply_bundle` wants it.

    Args:
        bundle: as parsed from its canonical bytes; never altered.
        found: ids of the stored resources that meet each condition of `conditions(bundle)`.
        beside: ids of the resources of the bundle itself that do. A reference may lead to them,
            for FHIR resolves it after the writes; whether an entry is done depends on what was
            stored before.

    Returns:
        A create whose condition one resource meets is gone and every reference to it leads
        to that resource, as is one whose condition an earlier create of the bundle stated; an
        update or delete names the resource that met its condition; an update that met none
        creates under its own id, a delete that met none is gone.

    Raises:
        BridgeError: several resources meet one condition (FHIR answers 412), none meets
            that of a reference, or two entries turn out to write one resource.
    """
    if not conditions(bundle):
        return bundle
    names: dict[str, str] = {}
    known = dict(found)
    entries: list[Json] = []
    written: set[str] = set()
    for index, entry in enumerate(_entries(bundle)):
        answered = _answered(index, entry, known, names)
        if answered is not None:
            _check_once(index, answered, written)
            entries.append(answered)
    whole = {key: value for key, value in bundle.items() if key != "entry"}
    if entries:  # FHIR knows no empty list
        whole["entry"] = entries
    for condition, ids in (beside or {}).items():
        here = [names.get(f"{condition.type}/{one}", one).rpartition("/")[2] for one in ids]
        known[condition] = tuple(dict.fromkeys((*known.get(condition, ()), *here)))
    return cast("JsonObject", _relinked(whole, names, known))


def _check_once(index: int, entry: JsonObject, written: set[str]) -> None:
    """https://hl7.org/fhir/R4/http.html#trules: identities must not overlap, resolved ones too."""
    body = entry.get("resource")
    name = cast("dict[str, str]", entry.get("request", {})).get("url", "")
    if isinstance(body, dict):
        name = "/".join(cast("str", body[part]) for part in ("resourceType", "id"))
    if name in written:
        raise BridgeError(
            "request-repeated",
            Fault.SENDER,
            what="two entries write one resource",
            where=f"Bundle.entry[{index}].request",
            do="say in one entry what it is to become",
        )
    written.add(name)


def _answered(
    index: int,
    entry: JsonObject,
    found: dict[Condition, tuple[str, ...]],
    names: dict[str, str],
) -> JsonObject | None:
    condition = _of_entry(entry)
    if condition is None:
        return entry
    where = f"Bundle.entry[{index}].request"
    ids = _at_most_one(condition, found, where)
    request = dict(cast("JsonObject", entry["request"]))
    if request["method"] == "DELETE":
        url: Json = f"{condition.type}/{ids[0]}" if ids else ""
        return {**entry, "request": {**request, "url": url}} if ids else None
    body = cast("JsonObject", entry["resource"])
    mine = cast("str", body["id"])
    theirs = ids[0] if ids else mine
    names[f"{condition.type}/{mine}"] = f"{condition.type}/{theirs}"
    found[condition] = (theirs,)  # the next entry of this condition meets this one
    if request["method"] == "POST":
        request.pop("ifNoneExist", None)
        return None if ids else {**entry, "request": request}
    request["url"] = f"{condition.type}/{theirs}"
    return {**entry, "request": request, "resource": {**body, "id": theirs}}


def _at_most_one(
    condition: Condition, found: Mapping[Condition, tuple[str, ...]], where: str
) -> tuple[str, ...]:
    ids = found.get(condition, ())
    if len(ids) > 1:
        raise BridgeError(
            "condition-ambiguous",
            Fault.SENDER,
            what=f"{len(ids)} resources meet the condition",
            where=where,
            do="use a condition that only one resource can meet",
        )
    return ids


def _relinked(
    value: Json, names: Mapping[str, str], found: Mapping[Condition, tuple[str, ...]]
) -> Json:
    """A copy in which every reference leads where its condition, or its entry, went."""
    if isinstance(value, list):
        return [_relinked(item, names, found) for item in value]
    if not isinstance(value, dict):
        return value
    copy: JsonObject = {key: _relinked(item, names, found) for key, item in value.items()}
    text = copy.get("reference")
    if isinstance(text, str):
        condition = _of_text(text)
        copy["reference"] = names.get(text, text)
        if condition is not None:
            copy["reference"] = _met(condition, found)
    return copy


def _met(condition: Condition, found: Mapping[Condition, tuple[str, ...]]) -> str:
    ids = _at_most_one(condition, found, f"reference to {condition.type}")
    if not ids:
        raise BridgeError(
            "condition-unmet",
            Fault.SENDER,
            what="no resource meets the condition of a reference",
            where=f"reference to {condition.type}",
            do="create what it refers to first, or send both in one transaction",
        )
    return f"{condition.type}/{ids[0]}"


def _entries(bundle: JsonObject) -> list[JsonObject]:
    listed = bundle.get("entry")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _of_entry(entry: JsonObject) -> Condition | None:
    request = entry.get("request")
    if not isinstance(request, dict):
        return None
    url, query = cast("str", request.get("url", "")), request.get("ifNoneExist")
    if isinstance(query, str):
        return Condition(url, _query(query, url))
    return _of_text(url)


def _query(text: str, kind: str) -> str:
    """The search of an `ifNoneExist`: what follows the `?`, though HAPI sends the whole URL."""
    before, mark, query = text.partition("?")
    is_url = mark and "=" not in before and before.rpartition("/")[2] in {"", kind}
    return query if is_url else text


def _of_text(text: str) -> Condition | None:
    kind, mark, query = text.partition("?")
    return Condition(kind, query) if mark and kind.isalpha() and query else None


def references(value: Json) -> Iterator[JsonObject]:
    """Every Reference with a literal reference, wherever it stands in the value."""
    stack: list[Json] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item.get("reference"), str):
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
