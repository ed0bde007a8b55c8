"""Give pending leaves their place in the log, and sign what the log has become.

The durable steps, in order: indices, tiles, head, checkpoint. A crash between any two is mended by
running this again: it goes on behind the last step that took effect, with the same leaves, so the
same bytes come out. There is no other recovery.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Digest, TreeSize
from bridge.core.log.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from bridge.core.log.merkle import EMPTY_ROOT, leaf_hashes, verify_consistency
from bridge.core.log.tiles import edge_root, edge_tiles, grow, path_of, prove_consistency
from bridge.ports.logbook import AnchoredHead, Head, HighWater, LogBook, PublishedHead
from bridge.ports.signer import Signer
from bridge.ports.sources import Clock

__all__ = ["MAX_LEAVES", "Sequenced", "sequence", "signable_head"]

MAX_LEAVES = 10_000
"""A batch: 40 tiles, a fifth of a second of work, so that a checkpoint is never far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """A checkpoint that this run published."""

    size: TreeSize
    root: Digest
    leaves: int
    """How many more leaves it covers than the checkpoint before it."""


def sequence(
    *,
    book: LogBook,
    signer: Signer,
    clock: Clock,
    origin: str,
    max_leaves: int = MAX_LEAVES,
    high_water: HighWater | None = None,
) -> Sequenced | None:
    """Take one batch of pending leaves to a published checkpoint, or finish the batch a crash left.

    Call again until it returns None: nothing pending, or another process is sequencing.

    Args:
        book: where the log is stored.
        signer: of the log's key.
        clock: for the time beside a checkpoint, which proves nothing.
        origin: identity of the log.
        max_leaves: of a batch.
        high_water: knows the newest head outside the database and is told of each checkpoint before
            the next may be signed, so that a log that was rolled back is never signed.

    Raises:
        BridgeError: `log-behind`, `log-fork`, `log-origin`, `tile-differs`, `tile-form`,
            `leaf-missing` and `sequencer-raced`: nothing was signed, and a person has to look;
            whatever the ports raise.
    """
    with book.sequencing() as alone:
        if not alone:
            return None
        head, newest = signable_head(book, origin, high_water.newest if high_water else None)
        covered = newest.size if newest else TreeSize(0)
        if head.size == covered:
            head = _extend(book, head, book.assign(head, max_leaves))
        if head.size == covered:
            return None
        _refuse_fork(book, head, newest, "the newest checkpoint")
        book.publish(_signed(head, signer), clock.now())
        if high_water:
            high_water.keep(AnchoredHead(size=head.size, root=head.root))
        return Sequenced(size=head.size, root=head.root, leaves=head.size - covered)


def signable_head(
    book: LogBook, origin: str, high_water: Callable[[], AnchoredHead | None] | None
) -> tuple[Head, PublishedHead | None]:
    """The head that a run goes on from, and the newest checkpoint; takes no lock, changes nothing.

    Read in this order, a log that grows meanwhile is behind nothing.

    Raises:
        BridgeError: as `sequence`, when it would refuse to go on.
    """
    known, newest = high_water() if high_water else None, book.newest()
    head = _stored_head(book, origin)
    _refuse_fork(book, head, known, "the independent head")
    _refuse_fork(book, head, newest, "the newest checkpoint")
    return head, newest


def _stored_head(book: LogBook, origin: str) -> Head:
    """The head, once its own tiles lead to it: a tree is never grown on edited tiles."""
    head = book.head() or Head(origin=origin, size=TreeSize(0), root=EMPTY_ROOT)
    if head.origin != origin:
        raise BridgeError(
            "log-origin",
            Fault.OPERATOR,
            what=f"the stored log is {head.origin!r}, the configured origin is {origin!r}",
            where="log.origin",
            do="set the origin back, or use a fresh database: a log never changes its name",
        )
    if not hmac.compare_digest(edge_root(head.size, book.tiles(edge_tiles(head.size))), head.root):
        raise _stop("tile-differs", "the newest tiles do not lead to the root of the head", head)
    return head


def _refuse_fork(
    book: LogBook, head: Head, known: AnchoredHead | PublishedHead | None, what: str
) -> None:
    """Stop unless the head only adds to a head that others have seen."""
    if known is None or known.size == 0:
        return
    if known.size > head.size:
        raise BridgeError(
            "log-behind",
            Fault.OPERATOR,
            what=f"{what} has {known.size} leaves, the stored log has {head.size}",
            where=f"log of {head.origin}",
            do="this database is an older copy: restore the newest one, and sign nothing before; "
            "if no copy ever had so many leaves, it is a junk head of a thief: see the runbook",
        )
    try:
        path = prove_consistency(known.size, head.size, book.tiles)
        verify_consistency(known.size, head.size, known.root, head.root, path)
    except BridgeError as error:
        if error.fault is Fault.PEER:
            raise  # the database went away while tiles were read: that says nothing of the log
        raise _stop("log-fork", f"the stored log does not extend {what}", head) from error


def _extend(book: LogBook, head: Head, size: TreeSize) -> Head:
    """Grow the tree over the leaves that have indices; the head moves when all tiles are proved."""
    if size == head.size:
        return head
    leaves = book.leaves(head.size, size)  # read back: what is hashed is what was committed
    grown = grow(head.size, book.tiles(edge_tiles(head.size)), leaf_hashes(leaves))
    book.write(grown.tiles)
    stored = book.tiles(tuple(grown.tiles))
    for tile, data in grown.tiles.items():
        if stored.get(tile) != data:
            raise _stop("tile-differs", f"{path_of(tile)} reads back as other bytes", head)
    after = Head(origin=head.origin, size=grown.size, root=grown.root)
    book.advance(head, after)
    return after


def _signed(head: Head, signer: Signer) -> PublishedHead:
    """The checkpoint of the head, its signature verified by us before anyone else sees it."""
    checkpoint = Checkpoint(origin=head.origin, size=head.size, root=head.root)
    note = signer.sign(checkpoint.encode())
    if open_checkpoint(note, [VerifierKey.parse(signer.verifier_key)], head.origin) != checkpoint:
        raise _stop("checkpoint-differs", "the signer signed another text", head)
    return PublishedHead(size=head.size, root=head.root, note=note)


def _stop(code: str, what: str, head: Head) -> BridgeError:
    return BridgeError(
        code,
        Fault.US,
        what=what,
        where=f"log of {head.origin}, head of {head.size} leaves",
        do="sign nothing, keep the database as it is, and run fsck",
    )
