"""Bytes to durable records, promised to the log: one commit for a group of inputs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from traceback import extract_tb
from typing import Literal

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, Instant, RecordId, record_id, sha256
from bridge.core.plain import plain
from bridge.core.record.bundle import CanonicalBundle
from bridge.core.record.claims import RECORD_NAMES, SALT_SIZE, Kind, claim, commitment, leaf
from bridge.core.record.header import RecordHeader, refusal_key, resend_key
from bridge.ports.dialect import Accepted, Dialect, Envelope, Refused
from bridge.ports.intake import Appended, Intake, NewRecord, Quarantined
from bridge.ports.sources import Clock, Entropy

__all__ = [
    "SHARE",
    "Inbound",
    "Offer",
    "Received",
    "accept",
    "keep",
    "nothing_else",
    "prepare",
    "receive",
    "record_leaf",
    "refuse",
]

ID_SIZE = 10
SHARE = ID_SIZE + len(RECORD_NAMES) * SALT_SIZE
"""Random bytes of one input: those of its record id, then one salt a claim."""
DEFECTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What code raises that met a value it did not expect; not what the machine raises."""
NO_ENVELOPE = Envelope(sender="", message_type="", control_id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One input as a door hands it in."""

    raw: bytes
    feed: str
    number: int
    sender: str = ""
    """Profile that the listener or token pins; empty lets the message say it."""
    charset: str = ""
    resend_key_hint: str | None = None
    """Stands for the control id where the input has none, such as an Idempotency-Key."""
    request: tuple[tuple[str, str], ...] = ()
    """Members of `Bundle.entry.request` that an HTTP request said of a single resource: `method`,
    `url`, `ifMatch`, `ifNoneMatch`, `ifNoneExist`. Only `flows.write` knows them."""
    deliver_stored: str = ""
    """Address that the answer is owed to beside the connection, once the input is stored."""
    deliver_refused: str = ""
    """The same, once it is refused."""
    body_id: str = ""
    """Id in the body of a conditional update, which must be that of what it meets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one input; when a caller holds it, it is durable."""

    record: RecordId
    answer: bytes
    status: Literal["stored", "duplicate", "quarantined"]
    reason: BridgeError | None = None
    """Why it was refused, when it was."""
    bundle: CanonicalBundle | None = None


def receive(
    inputs: Sequence["Inbound | Offer"],
    *,
    dialect: Dialect,
    intake: Intake,
    clock: Clock,
    entropy: Entropy,
) -> tuple[Received, ...]:
    """Store a group of inputs in one transaction; one result an input, in order.

    An input that a door has prepared is taken as it is, any other is prepared here.

    When this returns, every record stands with its source bytes, bundle, claims, lanes and pending
    leaf, and every refusal stands in quarantine: answers may leave. An input that cannot be
    converted or stored is refused alone. A resend changes nothing and gets the first answer.

    Raises:
        BridgeError: `store-unavailable` when the database is down: nothing may be acknowledged, and
            the sender tries again.
    """
    at = clock.now()
    prepared = [
        one
        if isinstance(one, Offer)
        else prepare(one, dialect=dialect, at=at, random=entropy.take(SHARE))
        for one in inputs
    ]
    offers = _refuse_reused(prepared, dialect=dialect, intake=intake)
    try:
        return keep(offers, intake)
    except BridgeError as error:
        if error.code not in {"store-refused", "store-conflict"}:
            raise
    return tuple(
        _keep_alone(offer, dialect=dialect, intake=intake, entropy=entropy) for offer in offers
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One input, converted or refused, before it is durable."""

    inbound: Inbound
    row: NewRecord | Quarantined
    reason: BridgeError | None = None
    refuses_reuse: bool = False


def prepare(inbound: Inbound, *, dialect: Dialect, at: Instant, random: bytes) -> Offer:
    """Convert one input, make its claims and word its answer; pure.

    Its number counts the messages of the feed. `random` is `SHARE` fresh bytes.
    """
    try:
        with _defects_named():
            bundle = dialect.convert(inbound.raw, sender=inbound.sender, charset=inbound.charset)
    except BridgeError as reason:
        return refuse(inbound, reason, dialect=dialect, at=at, random=random)
    return accept(inbound, bundle, dialect=dialect, at=at, random=random)


@contextmanager
def _defects_named() -> Iterator[None]:
    """A dialect that breaks on a message refuses it: kept, and seen by a person.

    Otherwise its sender would be told to come again, and would, for ever, with all behind it.
    """
    try:
        yield
    except DEFECTS as error:
        raise _defect(error) from error


def _defect(error: Exception) -> BridgeError:
    place = extract_tb(error.__traceback__)[-1]
    return BridgeError(
        "conversion-failed",
        Fault.US,
        what=f"this node failed to convert the message, {type(error).__name__}",
        where=f"{PurePath(place.filename).name}:{place.lineno}",
        do="the message is kept: report this defect, and retry the record when it is mended",
    )


def accept(
    inbound: Inbound, bundle: CanonicalBundle, *, dialect: Dialect, at: Instant, random: bytes
) -> Offer:
    """The record of a converted input, with its claims and its answer; pure."""
    new, salts = record_id(at, random[:ID_SIZE]), random[ID_SIZE:]
    bundle = _indexable(bundle)
    envelope = NO_ENVELOPE
    if bundle.control_id or not inbound.sender:  # else nothing of it is asked for, and it costs
        envelope = dialect.envelope(inbound.raw, sender=inbound.sender)
    sender, name = plain(inbound.sender or envelope.sender), plain(inbound.resend_key_hint or "")
    answer = dialect.answer(inbound.raw, Accepted(record=new, bundle=bundle), at=at)
    digest = sha256(bundle.canonical)
    header = RecordHeader(
        record=new,
        feed=inbound.feed,
        number=inbound.number,
        received=at,
        message_type=bundle.message_type,
        sender=sender,
        pinned=plain(inbound.sender),
        charset=plain(inbound.charset),
        dialect=dialect.name,
        control_id=bundle.control_id,
        apply=bundle.apply.value,
        answer=answer,
        idempotency_key=name,
    ).encode()
    row = NewRecord(
        id=new,
        feed=inbound.feed,
        number=inbound.number,
        sender=sender,
        pinned=plain(inbound.sender),
        charset=plain(inbound.charset),
        dialect=dialect.name,
        received=at,
        source=inbound.raw,
        bundle=bundle,
        bundle_digest=digest,
        header=header,
        salts=salts,
        leaf=record_leaf(bundle, digest, header=header, salts=salts),
        answer=answer,
        resend_key=resend_key(sender=sender, name=bundle.control_id or name, source=bundle.source),
        sequence=envelope.sequence,
        deliver_to=inbound.deliver_stored,
    )
    return Offer(inbound=inbound, row=row, refuses_reuse=envelope.refuses_reuse)


def refuse(
    inbound: Inbound, reason: BridgeError, *, dialect: Dialect, at: Instant, random: bytes
) -> Offer:
    """The quarantine row of an input, answered in the dialect's own form; pure."""
    new = record_id(at, random[:ID_SIZE])
    envelope = dialect.envelope(inbound.raw, sender=inbound.sender)
    sender, control_id = plain(envelope.sender), plain(envelope.control_id)
    row = Quarantined(
        id=new,
        feed=inbound.feed,
        number=inbound.number,
        sender=sender,
        pinned=plain(inbound.sender),
        charset=plain(inbound.charset),
        dialect=dialect.name,
        received=at,
        message_type=plain(envelope.message_type),
        control_id=control_id,
        source=inbound.raw,
        code=reason.code,
        where=reason.where,
        reason=str(reason),
        answer=dialect.answer(inbound.raw, Refused(record=new, reason=reason), at=at),
        resend_key=refusal_key(
            sender=sender,
            control_id=control_id,
            reason=str(reason),
            source=inbound.raw,
            request=inbound.request,
        ),
        request=inbound.request,
        deliver_to=inbound.deliver_refused,
    )
    return Offer(inbound=inbound, row=row, reason=reason)


def _refuse_reused(offers: Sequence[Offer], *, dialect: Dialect, intake: Intake) -> Sequence[Offer]:
    """Where the sender's profile says so, a control id that is taken refuses its message."""
    if not any(offer.refuses_reuse for offer in offers):
        return offers
    taken: dict[tuple[str, str], Digest] = {}
    judged = []
    for offer in offers:
        row = offer.row
        if isinstance(row, NewRecord) and offer.refuses_reuse and row.bundle.control_id:
            first = taken.setdefault((row.sender, row.bundle.control_id), row.bundle.source)
            if first != row.bundle.source or intake.holds(row) is not None:
                judged.append(_reused(offer, row, dialect))
                continue
        judged.append(offer)
    return judged


def _reused(offer: Offer, row: NewRecord, dialect: Dialect) -> Offer:
    reason = BridgeError(
        "control-id-reused",
        Fault.SENDER,
        what="this control id was used before for another message",
        where="MSH-10",
        do="give each message a control id of its own; a resend has the same bytes",
    )
    random = row.salts[:ID_SIZE]  # of a record that will not be: nothing else knows them
    return refuse(offer.inbound, reason, dialect=dialect, at=row.received, random=random)


def record_leaf(bundle: CanonicalBundle, digest: Digest, *, header: bytes, salts: bytes) -> bytes:
    """The leaf over the four claims of a record; `digest` is of the canonical bytes.

    The salts stand in the order of `RECORD_NAMES`.
    """
    values = (digest, sha256(header), bundle.mapping, bundle.source)
    claims = {
        name: claim(name, salts[i * SALT_SIZE : (i + 1) * SALT_SIZE], value)
        for i, (name, value) in enumerate(zip(RECORD_NAMES, values, strict=True))
    }
    return leaf(Kind.RECORD, commitment(claims))


def _indexable(bundle: CanonicalBundle) -> CanonicalBundle:
    control_id, message_type = plain(bundle.control_id), plain(bundle.message_type)
    if (control_id, message_type) == (bundle.control_id, bundle.message_type):
        return bundle
    return replace(bundle, control_id=control_id, message_type=message_type)


def nothing_else(_: RecordId) -> None:
    """The usual commit: of the inputs alone."""


def keep(
    offers: Sequence[Offer], intake: Intake, also: Callable[[RecordId], None] = nothing_else
) -> tuple[Received, ...]:
    """All offers in one transaction; `also` joins it with the id of each that is a record."""
    records = [offer.row for offer in offers if isinstance(offer.row, NewRecord)]
    refused = [offer.row for offer in offers if isinstance(offer.row, Quarantined)]
    with intake.unit():
        kept = intake.append(records)
        for one in kept:
            also(one.id)
        appended = iter(kept)
        quarantined = iter(intake.quarantine(refused))
    return tuple(
        _stored(offer.row, next(appended))
        if isinstance(offer.row, NewRecord)
        else _quarantined(offer, next(quarantined))
        for offer in offers
    )


def _keep_alone(offer: Offer, *, dialect: Dialect, intake: Intake, entropy: Entropy) -> Received:
    """One offer in a transaction of its own; what PostgreSQL cannot hold is quarantined."""
    try:
        return keep([offer], intake)[0]
    except BridgeError as reason:
        if reason.code != "store-refused" or isinstance(offer.row, Quarantined):
            raise
        refusal = refuse(
            offer.inbound,
            reason,
            dialect=dialect,
            at=offer.row.received,
            random=entropy.take(ID_SIZE),
        )
    return keep([refusal], intake)[0]


def _stored(row: NewRecord, kept: Appended) -> Received:
    return Received(
        record=kept.id,
        answer=kept.answer,
        status="duplicate" if kept.duplicate else "stored",
        bundle=row.bundle,
    )


def _quarantined(offer: Offer, kept: Appended) -> Received:
    return Received(record=kept.id, answer=kept.answer, status="quarantined", reason=offer.reason)
