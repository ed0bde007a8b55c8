"""`POST /fhir`: Bundles. A transaction is all or nothing; each entry of a batch has its own fate.

https://hl7.org/fhir/R4/http.html#transaction. Reads inside are answered after the writes.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec import Raw

from bridge.api import answers
from bridge.api.access import holding
from bridge.api.node import Node, TheNode
from bridge.api.problems import outcome, status_line, status_of
from bridge.api.queries import Return, asked_of, json_wanted, return_wanted
from bridge.api.reads import Asking, read_url
from bridge.api.routes.fhir_write import STATUS, Said, counted, fhir_body, shown
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId, instant_text
from bridge.core.policy.access import CLINICAL, Caller, Role, allow
from bridge.core.search.ranges import date_range
from bridge.flows.batch import BatchEntry, EntryResult, receive_batch
from bridge.flows.write import receive_and_project

__all__ = ["router"]

router = APIRouter(prefix="/fhir", tags=["FHIR"], dependencies=[Depends(json_wanted)])
RECORD = "https://fhir-anchor.dev/StructureDefinition/record"
"""Extension of a response entry: the record that the entry became."""
Either = Annotated[Caller, Depends(holding(Role.SENDER, Role.READER, Role.COMPLIANCE))]
WRITERS = frozenset({Role.SENDER, Role.ADMIN})
MAX_READS = 100
"""GET entries of one Bundle: each is a search of its own."""
Told = dict[str, Any]


class _Request(msgspec.Struct, frozen=True, omit_defaults=True):
    method: str = ""
    url: str = ""
    ifMatch: str = ""  # noqa: N815 - FHIR's own spelling, here and below
    ifNoneMatch: str = ""  # noqa: N815
    ifNoneExist: str = ""  # noqa: N815
    ifModifiedSince: str = ""  # noqa: N815


class _Entry(msgspec.Struct, frozen=True):
    request: _Request = _Request()
    resource: Raw = Raw(b"")


class _Submitted(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    type: str = ""
    entry: list[_Entry] = []


@router.post("", response_class=Response)
async def post_bundle(request: Request, node: TheNode, client: Either) -> Response:
    """A Bundle of any type, or one resource."""
    asked_of(request)
    raw = await fhir_body(request)
    asking = Asking(node=node, caller=client, base=answers.base_of(request))
    full = return_wanted(request) is Return.REPRESENTATION
    return await run_in_threadpool(_answer, asking, raw, full=full)


def _answer(asking: Asking, raw: bytes, *, full: bool) -> Response:
    submitted = _read(raw)
    reads = [entry for entry in submitted.entry if entry.request.method == "GET"]
    if reads:
        _check_reads(reads, asking.caller)
    written, headers = _written(asking, raw, submitted, only_reads=len(reads))
    wanted = [one.written for one in written if one.written and full]
    bodies = shown(asking.node, asking.caller, wanted) if wanted else {}
    results = iter(written)
    kinds = submitted.entry if reads else [_Entry()] * len(written)
    entries = [
        _read_entry(asking, entry.request)
        if entry.request.method == "GET"
        else _written_entry(next(results), bodies)
        for entry in kinds
    ]
    kind = "transaction-response" if submitted.type == "transaction" else "batch-response"
    bundle = {"resourceType": "Bundle", "type": kind, **({"entry": entries} if entries else {})}
    return answers.fhir(msgspec.json.encode(bundle), headers=headers)


def _read(raw: bytes) -> _Submitted:
    """What can be read of it; the dialect says what is wrong with the rest, and keeps it."""
    try:
        found = msgspec.json.decode(raw, type=_Submitted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Submitted()
    is_written = found.resourceType == "Bundle" and found.type in {"batch", "transaction"}
    return found if is_written else _Submitted()


def _check_reads(reads: list[_Entry], caller: Caller) -> None:
    """Before anything is written: who may not read gets nothing done."""
    allow(caller, CLINICAL)
    if len(reads) > MAX_READS:
        raise BridgeError(
            "bundle-reads",
            Fault.SENDER,
            what=f"over {MAX_READS} reads in one Bundle",
            where="Bundle.entry",
            do="send parts",
        )


def _written(
    asking: Asking, raw: bytes, submitted: _Submitted, *, only_reads: int
) -> tuple[tuple[EntryResult, ...], Said]:
    """The results of the entries that write, and what the answer says of the record."""
    node, caller = asking.node, asking.caller
    if only_reads and only_reads == len(submitted.entry):
        _check_alone(node, raw)
        return (), {}
    allow(caller, WRITERS)
    inbound = node.inbound(caller, raw, {})
    if submitted.type == "batch":
        numbers = node.feeds.numbers(caller)
        entries = [_batch_entry(e) for e in submitted.entry if e.request.method != "GET"]
        results = receive_batch(inbound, entries, numbers, node.writing)
        for one in results:
            node.metrics.received.labels("fhir", _status(one)).inc()
        node.wake()
        records = {one.record for one in results if one.record}
        return results, {"X-Record-Id": records.pop()} if len(records) == 1 else {}
    with node.metrics.answer_seconds.labels("fhir").time():
        done = counted(node, receive_and_project(inbound, node.writing))
    received = done.received
    results = tuple(EntryResult(record=received.record, written=entry) for entry in done.entries)
    return results, {"X-Record-Id": received.record, "X-Record-Status": received.status}


def _check_alone(node: Node, raw: bytes) -> None:
    """A Bundle of reads is judged like any other, and leaves no record: it said nothing."""
    node.fhir.convert(raw, sender="")


def _batch_entry(entry: _Entry) -> BatchEntry:
    request = msgspec.structs.replace(entry.request, url=entry.request.url.removeprefix("/"))
    said: Said = msgspec.to_builtins(request)
    return BatchEntry(raw=bytes(entry.resource), request=tuple(said.items()))


def _status(one: EntryResult) -> str:
    return "stored" if one.reason is None else "quarantined" if one.record else "refused"


def _read_entry(asking: Asking, request: _Request) -> Told:
    """What the same GET would have answered by itself."""
    try:
        answer = read_url(asking, request.url, _known(request))
    except BridgeError as error:
        return _refused(error)
    response: Told = {"status": status_line(answer.status_code)}
    if "etag" in answer.headers:
        response["etag"] = answer.headers["etag"]
    body = bytes(answer.body)
    return {**({"resource": Raw(body)} if body else {}), "response": response}


def _known(request: _Request) -> Said:
    """What the client has already, as the headers of a request of its own would say it."""
    since = date_range(request.ifModifiedSince)
    tags = {"if-none-match": request.ifNoneMatch} if request.ifNoneMatch else {}
    return tags | ({"if-modified-since": answers.http_date(since[0])} if since else {})


def _written_entry(one: EntryResult, bodies: dict[Any, bytes]) -> Told:
    """https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response."""
    if one.reason is not None:
        return _refused(one.reason, one.record)
    entry = one.written
    if entry is None or entry.ref is None:
        return {"response": {**_record(one.record), "status": status_line(204)}}
    response = {
        **_record(one.record),
        "status": status_line(STATUS[entry.outcome]),
        "location": f"{entry.ref}/_history/{entry.version}",
        "etag": answers.etag(entry.version),
        **({"lastModified": instant_text(entry.at)} if entry.at else {}),
    }
    body = bodies.get(entry)
    return {**({"resource": Raw(body)} if body else {}), "response": response}


def _refused(error: BridgeError, record: RecordId | None = None) -> Told:
    told = {**_record(record), "status": status_line(status_of(error)), "outcome": outcome(error)}
    return {"response": told}


def _record(record: RecordId | None) -> Told:
    return {"extension": [{"url": RECORD, "valueId": record}]} if record else {}
