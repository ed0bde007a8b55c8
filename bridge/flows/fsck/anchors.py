"""What other systems say of the log: anchoring attempts and stamps, against the log itself."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import TreeSize, instant, sha256
from bridge.core.proof.anchors import Anchor, CalldataAnchor, EvmAnchor, parse_anchor, seconds_text
from bridge.core.proof.block import block_of_receipt, block_of_transaction
from bridge.core.proof.calldata import parse_posted, transaction_data
from bridge.core.proof.evm import find_anchored, parse_transaction_receipt
from bridge.core.proof.keccak import keccak256
from bridge.core.proof.members import load
from bridge.core.proof.ots import BitcoinAttestation, attestations, parse_ots
from bridge.core.proof.rfc3161 import verify_token
from bridge.flows.fsck.finding import Difference, Progress, pages
from bridge.ports.anchors import Attempt, State
from bridge.ports.chain import Inclusion, Payload
from bridge.ports.logbook import LogBook
from bridge.ports.stored import Stored, StoredStamp

__all__ = ["attempts", "stamps"]

MAX_EVIDENCE = 1 << 20
"""As of a receipt, which carries it."""
_ON_CHAIN = frozenset({State.MINED, State.FINAL, State.EVIDENCED})
_SETTLED = {
    State.PLANNED: False,
    State.SIGNED: False,
    State.SENT: False,
    State.MINED: False,
    State.FINAL: False,
    State.EVIDENCED: True,
}
"""The others may be either: a failed one until its block is final."""


def attempts(
    stored: Stored,
    book: LogBook,
    transaction: Callable[[Attempt], str | None],
    progress: Progress,
) -> Iterator[Difference]:
    """Every attempt anchors a head of this log, by the bytes that were signed, and its evidence."""
    told = lambda done: progress("anchors", done)  # noqa: E731  the one stage of this loop
    for page in pages(stored, stored.attempts, 0, lambda one: one.id, told):
        for one in page:
            where = f"anchor attempt {one.id} on {one.chain}"
            found = _head(one, book) or transaction(one) or _state(one) or _evidence(one)
            if found is not None:
                yield Difference(where=where, what=found)


def _head(one: Attempt, book: LogBook) -> str | None:
    """Size and root are the log's, and the note is the checkpoint that was published of them."""
    published = book.published(size_from=one.payload.size)
    if published is None or published.size != one.payload.size:
        return "no checkpoint of its size was published"
    if (published.root, published.note) != (one.payload.root, one.checkpoint):
        return "its root or note is not the published checkpoint's"
    return None


def _state(one: Attempt) -> str | None:
    """It holds what its state needs."""
    if one.settled is not _SETTLED.get(one.state, one.settled):
        return "whether it is watched is not what its state says"
    if (one.evidence is not None) is not (one.state is State.EVIDENCED):
        return "its state is not what its evidence says"
    if one.state in _ON_CHAIN and one.inclusion is None:
        return "its block is gone"
    return None


def _evidence(one: Attempt) -> str | None:
    """What became of it is what its evidence proves."""
    if one.evidence is None:
        return None
    try:
        told = parse_anchor(load(one.evidence, max_size=MAX_EVIDENCE, where="evidence"), "evidence")
        proved, tx = _proved(told)
    except BridgeError as error:
        return f"its evidence proves nothing: {error.what}"
    if one.signed is None or tx != one.signed.tx_hash:
        return "its evidence is of another transaction"
    if one.inclusion != proved or proved.anchored is None:
        return "its block, time or event is not what its evidence proves"
    if (proved.anchored.size, proved.anchored.root) != (one.payload.size, one.payload.root):
        return "its evidence is of another head"
    return _said(told, one, proved)


def _said(told: Anchor, one: Attempt, proved: Inclusion) -> str | None:
    """What it repeats in words is what its header proves: a verifier refuses it otherwise."""
    if not isinstance(told, EvmAnchor | CalldataAnchor):
        return None
    same = {
        "chain": told.chain == one.chain,
        "transaction": one.signed is not None and told.tx == one.signed.tx_hash,
        "block number": told.block_number == proved.block_number,
        "block hash": told.block_hash == proved.block_hash,
        "time": told.time == seconds_text(int(proved.time.timestamp())),
        "contract": isinstance(told, CalldataAnchor) or "0x" + told.address.hex() == one.contract,
    }
    wrong = [name for name, is_so in same.items() if not is_so]
    return f"the {', '.join(wrong)} of its evidence is not what is proved" if wrong else None


def _proved(anchor: Anchor) -> tuple[Inclusion, bytes]:
    """The block and event that the evidence itself leads to, and the transaction it names."""
    if isinstance(anchor, CalldataAnchor):
        return _posted(anchor)
    if not isinstance(anchor, EvmAnchor):
        raise _not_evm()
    header = block_of_receipt(
        anchor.header,
        index=anchor.receipt_index,
        receipt=anchor.receipt,
        nodes=anchor.receipt_proof,
    )
    event = find_anchored(
        parse_transaction_receipt(anchor.receipt), address=anchor.address, log_id=anchor.log_id
    )
    if event.position != anchor.log_position:
        raise _elsewhere()
    return (
        Inclusion(
            block_number=header.number,
            block_hash=header.hash,
            time=instant(datetime.fromtimestamp(header.timestamp_s, UTC)),
            anchored=Payload(prev_root=event.previous, size=TreeSize(event.size), root=event.root),
        ),
        anchor.tx,
    )


def _posted(anchor: CalldataAnchor) -> tuple[Inclusion, bytes]:
    header = block_of_transaction(
        anchor.header,
        index=anchor.transaction_index,
        transaction=anchor.transaction,
        nodes=anchor.transaction_proof,
    )
    head = parse_posted(transaction_data(anchor.transaction))
    return (
        Inclusion(
            block_number=header.number,
            block_hash=header.hash,
            time=instant(datetime.fromtimestamp(header.timestamp_s, UTC)),
            anchored=Payload(prev_root=head.previous, size=head.size, root=head.root),
        ),
        keccak256(anchor.transaction),
    )


def _elsewhere() -> BridgeError:
    return BridgeError(
        "anchor-evidence",
        Fault.US,
        what="the event stands at another place of its transaction",
        where="log_position",
        do="keep the database as it is",
    )


def _not_evm() -> BridgeError:
    return BridgeError(
        "evidence-kind",
        Fault.US,
        what="it is of a kind that no attempt captures",
        where="evidence",
        do="run fsck of the version that captured it",
    )


def stamps(stored: Stored) -> Iterator[Difference]:
    """Every stamp is of the checkpoint whose row it is, and as complete as it says."""
    for page in pages(stored, stored.stamps, (0, ""), _place, lambda _done: None):
        for one in page:
            try:
                found = _stamp(one)
            except BridgeError as error:
                found = error.what
            if found is not None:
                where = f"{one.kind} stamp of checkpoint {one.size}"
                yield Difference(where=where, what=found)


def _place(one: StoredStamp) -> tuple[int, str]:
    return (one.size, one.kind)


def _stamp(one: StoredStamp) -> str | None:
    complete = one.state == "complete"
    if not complete and one.state != "pending":
        return "its state is none of ours"
    if one.kind == "ots":
        timestamp = parse_ots(one.token)
        if timestamp.message != sha256(one.note):
            return "it is of other bytes than the checkpoint"
        seen = any(isinstance(found, BitcoinAttestation) for _, found in attestations(timestamp))
        return None if seen is complete else "its state is not what its proof holds"
    if one.kind != "rfc3161":
        return "its kind is none of ours"
    try:
        verify_token(one.token, one.note, roots=())
    except BridgeError as error:
        if error.code != "token-untrusted":
            raise
    return None if complete else "a token is complete when it comes"
