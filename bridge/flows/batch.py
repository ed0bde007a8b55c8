"""A FHIR batch: each entry has its own fate, and a bad one costs its neighbours nothing.

Source: https://hl7.org/fhir/R4/http.html#transaction. A batch in which all is well is one record
and one commit, as it came. Where something is wrong with an entry, each entry becomes a record of
its own, with the bytes of its resource as source; what is refused is kept in quarantine, alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import RecordId
from bridge.flows.receive import Inbound
from bridge.flows.write import Ports, WrittenEntry, deletion, receive_and_project, write

__all__ = ["BatchEntry", "EntryResult", "receive_batch"]

MAX_APART = 1_000
"""Entries that are taken apart, a transaction each: some seconds. A larger batch must be clean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEntry:
    """One writing entry as it was sent."""

    raw: bytes
    """Of its resource; empty for a deletion."""
    request: tuple[tuple[str, str], ...]
    """Members of its request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryResult:
    """What became of one entry: written, or the reason why not."""

    record: RecordId | None
    written: WrittenEntry | None = None
    reason: BridgeError | None = None


def receive_batch(
    inbound: Inbound, entries: Sequence[BatchEntry], numbers: Iterator[int], ports: Ports
) -> tuple[EntryResult, ...]:
    """One result an entry, in order.

    Args:
        inbound: the batch as it came.
        entries: its writing entries.
        numbers: of the feed, for entries that become records of their own.
        ports: of the node.

    Raises:
        BridgeError: the bundle itself is wrong, or the database is down: nothing was kept.
    """
    try:
        bundle = ports.dialect.convert(inbound.raw, sender=inbound.sender)
        whole = write(inbound, bundle, ports)
    except BridgeError as reason:
        if reason.fault is Fault.PEER or reason.fault is Fault.US:
            raise
        if not _one_entry_is_wrong(reason) or len(entries) > MAX_APART:
            reason.kept_as = receive_and_project(inbound, ports).received.record
            raise
        return tuple(_alone(inbound, entry, next(numbers), ports) for entry in entries)
    record = whole.received.record
    return tuple(EntryResult(record=record, written=entry) for entry in whole.entries)


def _one_entry_is_wrong(reason: BridgeError) -> bool:
    """Neither the JSON nor the bundle around the entries is."""
    places = [problem.where for problem in getattr(reason, "problems", ())]
    if places:
        return all(place.startswith("Bundle.entry[") for place in places)
    return not reason.code.startswith("json-")


def _alone(inbound: Inbound, entry: BatchEntry, number: int, ports: Ports) -> EntryResult:
    """The entry as if it were a request of its own; a database that is down ends its turn only."""
    method = dict(entry.request).get("method")
    one = replace(inbound, raw=entry.raw, number=number, request=entry.request)
    if method == "DELETE":
        one = replace(one, raw=deletion(dict(entry.request)), request=())
    try:
        done = receive_and_project(one, ports)
    except BridgeError as reason:
        return EntryResult(record=None, reason=reason)
    received = done.received
    if received.reason is not None:
        return EntryResult(record=received.record, reason=received.reason)
    return EntryResult(record=received.record, written=done.entries[0])
