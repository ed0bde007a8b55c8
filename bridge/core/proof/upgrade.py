"""A receipt grows in place: what the log was anchored by since is added, nothing else changes."""

from dataclasses import replace

from bridge.core.errors import BridgeError, Fault
from bridge.core.proof.receipt import Receipt

__all__ = ["upgraded"]


def upgraded(old: Receipt, new: Receipt) -> Receipt:
    """The old receipt with the later checkpoints and anchors of the new one.

    What the old one has stays, also what the new one no longer carries. Nothing is verified here:
    an anchor counts when `verify` finds it good.

    Raises:
        BridgeError: `receipt-differs` when the fixed parts differ. Of one leaf that means that the
            log shows two histories: both files are evidence.
    """
    if _fixed(old) != _fixed(new):
        raise BridgeError(
            "receipt-differs",
            Fault.PEER,
            what="the node now gives another receipt for the same leaf",
            where="receipt.tlog_proof",
            do="keep both files: if both verify, the log shows two histories",
        )
    known = {step.checkpoint for step in old.rebase}
    later = tuple(step for step in new.rebase if step.checkpoint not in known)
    anchors = tuple(anchor for anchor in new.anchors if anchor not in old.anchors)
    return replace(old, rebase=(*old.rebase, *later), anchors=(*old.anchors, *anchors))


def _fixed(receipt: Receipt) -> tuple[object, ...]:
    """Commitment, place, first checkpoint, version: the same whoever discloses how much."""
    claims = tuple(sorted(receipt.claims().items()))
    return receipt.kind, receipt.proof, claims, receipt.resource
