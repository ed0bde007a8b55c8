"""Records: bytes, header, leaf; and what was never a record, or is owed for one."""

from collections import Counter
from collections.abc import Iterator

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, sha256
from bridge.core.record.canon import canonical, parse
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Kind, claim, commitment, leaf
from bridge.core.record.header import RecordHeader, idempotency_key_of, refusal_key, resend_key
from bridge.flows.fsck.finding import Derive, Difference, Progress, pages
from bridge.ports.stored import Stored, StoredRecord, StoredRefusal

__all__ = ["mappings", "owed", "record_differences", "records", "refusals"]

_STATES = {"open": (False, False), "retried": (True, False), "dismissed": (False, True)}
"""Of a refusal: whether it names the record that it became, and why it was put away."""


def mappings(stored: Stored) -> Iterator[Difference]:
    """Every mapping that is kept is what its digest says."""
    with stored.unit():
        changed = stored.changed_mapping()
    if changed is not None:
        yield Difference(where=f"mapping {changed.hex()}", what="its document was changed")


def records(
    stored: Stored, progress: Progress, derive: Derive | None, underived: Counter[str]
) -> Iterator[Difference]:
    """Every record leads from its bytes to its leaf; where asked, they are converted again."""
    told = lambda done: progress("records", done)  # noqa: E731  the one stage of this loop
    for page in pages(stored, stored.records, 0, lambda one: one.seq, told):
        for record in page:
            yield from record_differences(record)
            found = derive(record) if derive else None
            if found is not None and found.ok is False:
                yield Difference(where=f"record {record.id}, conversion", what=found.detail)
            elif found is not None and found.ok is None:
                underived[found.detail] += 1


def record_differences(record: StoredRecord) -> Iterator[Difference]:
    """Digests, canonical form, header, leaf of one record."""
    where = f"record {record.id}"
    if sha256(record.source) != record.source_digest:
        yield Difference(where=f"{where}, claim source", what="the bytes as received were changed")
    if sha256(record.bundle) != record.bundle_digest:
        yield Difference(where=f"{where}, claim bundle", what="the bundle was changed")
    if not _is_canonical(record.bundle):
        yield Difference(where=f"{where}, claim bundle", what="the bundle is not canonical")
    if record.header != _header(record):
        yield Difference(
            where=f"{where}, claim header",
            what="what is said of it beside its bytes (feed, number, time, type, sender, control "
            "id, character set, way to apply, answer) is not what was sealed",
        )
    if record.leaf != _leaf(record):
        what = "has no leaf" if record.leaf is None else "its claims do not lead to its leaf"
        yield Difference(where=f"{where}, leaf", what=what)
    name = record.control_id or idempotency_key_of(record.header)
    source = Digest(record.source_digest)
    if record.resend_key != resend_key(sender=record.sender, name=name, source=source):
        yield Difference(where=f"{where}, resend key", what="a resend would not be known again")


def _is_canonical(bundle: bytes) -> bool:
    try:
        return canonical(parse(bundle)) == bundle
    except BridgeError:
        return False


def _header(record: StoredRecord) -> bytes:
    """As the columns say it; the one member that no column repeats is taken from what is sealed."""
    return RecordHeader(
        record=record.id,
        feed=record.feed,
        number=record.number,
        received=record.received,
        message_type=record.message_type,
        sender=record.sender,
        pinned=record.pinned,
        charset=record.charset,
        dialect=record.dialect,
        control_id=record.control_id,
        apply=record.apply,
        answer=record.answer,
        idempotency_key=idempotency_key_of(record.header),
    ).encode()


def _leaf(record: StoredRecord) -> bytes:
    values = (
        sha256(record.bundle),
        sha256(record.header),
        record.mapping,
        sha256(record.source),
    )
    digests = {
        name: claim(name, record.salts[n * SALT_SIZE : (n + 1) * SALT_SIZE], value)
        for n, (name, value) in enumerate(zip(RECORD_NAMES, values, strict=True))
    }
    return leaf(Kind.RECORD, commitment(digests))


def refusals(stored: Stored) -> Iterator[Difference]:
    """What was refused has no leaf; what can be said of it hangs together."""
    for page in pages(stored, stored.refusals, "", lambda one: one.id, lambda _done: None):
        for one in page:
            yield from _refusal(one)


def _refusal(one: StoredRefusal) -> Iterator[Difference]:
    where = f"refused input {one.id}"
    key = refusal_key(
        sender=one.sender,
        control_id=one.control_id,
        reason=one.reason,
        source=one.source,
        request=one.request,
    )
    if one.resend_key != key:
        yield Difference(
            where=where, what="sender, control id, reason, request or bytes were changed"
        )
    if f"({one.where})" not in one.reason:
        yield Difference(where=where, what="its place is not the one that its reason names")
    if _STATES.get(one.state) != (one.retried_as is not None, bool(one.dismissed_because)):
        yield Difference(where=where, what="its state is not what became of it")


def owed(stored: Stored) -> Iterator[Difference]:
    """An answer that is owed is the answer that was given."""
    with stored.unit():
        wrong = stored.owed_otherwise()
    if wrong is not None:
        yield Difference(
            where=f"answer owed for {wrong}", what="it is not the one that was given then"
        )
