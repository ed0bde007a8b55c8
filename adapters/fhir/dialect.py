"""FHIR R4 JSON as a dialect: a Bundle or one resource to the canonical bundle.

Numbers and dateTimes stay as they were written; ids of what is created or stated, and the
references to them, are the only things that change. https://hl7.org/fhir/R4/http.html.
"""

from collections.abc import Mapping
from typing import cast

from adapters.fhir.bundle import (
    check_bundle,
    check_requests,
    entries_of,
    made_relative,
    storable_part,
)
from adapters.fhir.glance import check_entries, head_of
from adapters.fhir.identity import ALONE, lanes_of, resolve_links, resolve_references
from adapters.fhir.names import STATED, give_ids
from adapters.fhir.problems import Problems
from adapters.fhir.r4 import check_resource
from bridge.core.ids import Instant, sha256
from bridge.core.record import canon
from bridge.core.record.bundle import Apply, CanonicalBundle, Finding, Json, JsonObject
from bridge.core.search.ranges import EARLIEST, date_range
from bridge.ports.dialect import Envelope, Verdict

__all__ = ["RULES", "FhirDialect", "convert", "problems_in"]

RULES = "fhir-anchor/fhir-r4/1"
"""Name of these rules: its digest stands in each record as the mapping that made the bundle."""

_WRITTEN = frozenset({"batch", "transaction"})


class FhirDialect:
    """`bridge.ports.dialect.Dialect` for FHIR R4 JSON."""

    name = "fhir"

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """Type and control id where the JSON can be read; never raises."""
        body = head_of(raw)
        return Envelope(
            sender=sender, message_type=_message_type(body), control_id=_control_id(body)
        )

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """See `convert`; FHIR JSON is UTF-8 whatever the transport says of a charset."""
        del charset
        return convert(raw, sender=sender)

    def convert_request(
        self, raw: bytes, *, sender: str, request: Mapping[str, str]
    ) -> CanonicalBundle:
        """One resource, of any type, as its HTTP request says; see `convert`."""
        return convert(raw, sender=sender, request=request)

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """Empty: the HTTP door words it, as Bundle or OperationOutcome."""
        del raw, verdict, at
        return b""


def convert(
    raw: bytes, *, sender: str, request: Mapping[str, str] | None = None
) -> CanonicalBundle:
    """The canonical bundle of a FHIR input.

    Args:
        raw: UTF-8 JSON of a Bundle (transaction, batch, collection, document, message or
            searchset) or of one resource: with an id it is a PUT, without one a POST.
        sender: name space of the ids of what is created.
        request: what an HTTP request says of the one resource that `raw` is; a Bundle is then
            a resource like any other.

    Returns:
        A Bundle whose every resource has its id, with `request` as sent, without its reads:
        `request.ifNoneExist` and `Type?query` references are left for
        `bridge.core.record.conditional` to resolve against what is stored.

    Raises:
        InvalidResource: with every problem found.
        BridgeError: the bytes are no clean JSON.
    """
    check_entries(raw)
    value = canon.parse(raw)
    problems = _judged(value)
    problems.raise_any()
    body = cast("JsonObject", value)
    control_id = _control_id(body) if request is None else ""
    submitted = request is None and body["resourceType"] == "Bundle"
    bundle = _submitted(body, problems) if submitted else _single(body, request)
    problems.raise_any()
    source = sha256(raw)
    names = give_ids(bundle, namespace=sender, source=source)
    _in_order(bundle, problems)
    if submitted:
        resolve_references(body, names, problems)
        resolve_links(body, names, problems.links)
    else:
        resolve_references(bundle, names, problems, within=ALONE)
    problems.raise_any()
    return CanonicalBundle(
        canonical=canon.canonical(bundle),
        source=source,
        mapping=sha256(RULES.encode()),
        apply=Apply.REQUESTS,
        message_type=_message_type(body) if submitted else cast("str", body["resourceType"]),
        control_id=control_id,
        lanes=lanes_of(bundle, problems),
    )


def problems_in(raw: bytes) -> tuple[Finding, ...]:
    """Everything wrong with one resource or Bundle as such, for `$validate`; empty when valid.

    What a transaction may ask of this node is not judged: only whether it is valid R4.

    Raises:
        BridgeError: the bytes are no clean JSON.
    """
    check_entries(raw)
    return tuple(_judged(canon.parse(raw)).found)


def _judged(value: Json) -> Problems:
    problems = Problems()
    shape = check_resource(value, None, problems)
    if shape is not None and shape.name == "Bundle":
        check_bundle(cast("JsonObject", value), (None, "Bundle"), problems)
    return problems


def _submitted(value: JsonObject, problems: Problems) -> JsonObject:
    """The bundle without its reads, which the door answers, and without what states nothing."""
    kind, at = value["type"], (None, "Bundle")
    if kind in _WRITTEN:
        made_relative(value)
        check_requests(value, at, problems)
    elif kind not in STATED:
        problems.add("bundle-type", (at, "type"), "a bundle of this type states nothing to store")
    return storable_part(value)


def _single(body: JsonObject, request: Mapping[str, str] | None) -> JsonObject:
    kind, name = cast("str", body["resourceType"]), body.get("id")
    said: JsonObject = {"method": "POST", "url": kind}
    if request is not None:
        said = dict(request)
    elif isinstance(name, str):
        said = {"method": "PUT", "url": f"{kind}/{name}"}
    entry: JsonObject = {"resource": body, "request": said}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def _in_order(bundle: JsonObject, problems: Problems) -> None:
    """What a bundle states it states once, or once a version: then the newest comes last.

    What requests write is judged by `check_requests`.
    """
    places: dict[str, list[int]] = {}
    entries = entries_of(bundle) if bundle["type"] in STATED else []
    for index, entry in enumerate(entries):
        body = entry.get("resource")
        if isinstance(body, dict):
            name = f"{cast('str', body['resourceType'])}/{cast('str', body['id'])}"
            places.setdefault(name, []).append(index)
    for repeated in (one for one in places.values() if len(one) > 1):
        stated = [entries[index] for index in repeated]
        if len({_version(entry)[1] for entry in stated}) < len(stated):
            place = (((None, "Bundle"), "entry"), repeated[-1])
            problems.add("resource-repeated", place, "another entry states this resource")
        for index, entry in zip(repeated, sorted(stated, key=_version), strict=True):
            cast("list[Json]", bundle["entry"])[index] = entry


def _version(entry: JsonObject) -> tuple[Instant, str]:
    """When the source wrote this version, and what it calls it."""
    meta = cast("dict[str, str]", cast("JsonObject", entry["resource"]).get("meta", {}))
    written = date_range(meta.get("lastUpdated", ""))
    return written[0] if written else EARLIEST, meta.get("versionId", "")


def _message_type(body: JsonObject) -> str:
    kind, use = body.get("resourceType"), body.get("type")
    if not isinstance(kind, str) or len(kind) > 64:
        return ""
    return f"Bundle/{use}" if kind == "Bundle" and isinstance(use, str) else kind


def _control_id(body: JsonObject) -> str:
    """Bundle.identifier.value, else the id of the MessageHeader."""
    mark = body.get("identifier")
    if body.get("resourceType") != "Bundle":
        return ""
    if isinstance(mark, dict) and isinstance(mark.get("value"), str):
        return cast("str", mark["value"])
    first = entries_of(body)[:1]
    header = first[0].get("resource") if first else None
    if isinstance(header, dict) and header.get("resourceType") == "MessageHeader":
        name = header.get("id")
        return name if isinstance(name, str) else ""
    return ""
