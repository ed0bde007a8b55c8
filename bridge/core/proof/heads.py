"""Checks 4, 6 and 7: who signed the heads of the log that a receipt brings along.

A key is believed for the heads that the trust file gives it: a retired one for those that it signed
while it was the log's, so that whoever steals it later can sign no newer one.
"""

from bridge.core.errors import BridgeError, Fault
from bridge.core.log.checkpoint import Checkpoint, parse_checkpoint
from bridge.core.log.merkle import verify_consistency
from bridge.core.log.note import open_note, parse_note
from bridge.core.proof.endpoints import LiveHead
from bridge.core.proof.receipt import Rebase, Receipt
from bridge.core.proof.report import Check
from bridge.core.proof.trust import Trust

__all__ = ["check_checkpoint", "check_rebase", "check_witnesses", "is_foreign"]

_MAX_SHOWN = 120
"""Characters of a log's name in a report: a stranger's may have 64,000."""


def check_checkpoint(receipt: Receipt, trust: Trust) -> tuple[Check, Checkpoint | None]:
    """4: the checkpoint is well formed and signed by a key that the trust file gives its origin."""
    name, note = "checkpoint", receipt.proof.checkpoint
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except BridgeError as error:
        detail = f"what the log signed cannot be read: {error}"
        return Check(id=4, name=name, ok=False, detail=detail), None
    said = f"log {_shown(checkpoint.origin)} with {checkpoint.size} leaves"
    if is_foreign(checkpoint, trust):
        detail = f"{said}: no key of this log in your trust file, so anybody may have signed"
        return Check(id=4, name=name, ok=None, detail=detail), checkpoint
    try:
        _signed(note, checkpoint, trust)
    except BridgeError as error:
        detail = f"{said}, but its signature does not hold: {error}"
        return Check(id=4, name=name, ok=False, detail=detail), checkpoint
    detail = f"{said}, signed by a key of your trust file"
    return Check(id=4, name=name, ok=True, detail=detail), checkpoint


def is_foreign(checkpoint: Checkpoint, trust: Trust) -> bool:
    """Whether the trust file gives this log no key."""
    return all(one.origin != checkpoint.origin for one in trust.logs)


def check_witnesses(receipt: Receipt, trust: Trust) -> Check:
    """6: enough independent witnesses saw this checkpoint; too few lowers the level."""
    if not trust.witnesses:
        detail = "your trust file names no witnesses"
        return Check(id=6, name="witnesses", ok=None, detail=detail)
    needed, seen = max(1, trust.witnesses_needed), 0
    try:
        seen = len(open_note(receipt.proof.checkpoint, trust.witnesses).verified)
    except BridgeError as error:
        if error.code != "note-unsigned":
            detail = f"the signature of a witness is false: {error}"
            return Check(id=6, name="witnesses", ok=False, detail=detail)
    detail = f"{seen} of the {needed} needed witnesses signed the checkpoint"
    return Check(id=6, name="witnesses", ok=True if seen >= needed else None, detail=detail)


def check_rebase(
    receipt: Receipt, checkpoint: Checkpoint, trust: Trust
) -> tuple[Check, tuple[LiveHead, ...]]:
    """7: each later checkpoint holds everything that the receipt's own one holds."""
    heads = [LiveHead(size=checkpoint.size, root=checkpoint.root)]
    try:
        heads += [_later_head(step, checkpoint, trust) for step in receipt.rebase]
    except BridgeError as error:
        detail = f"a later state of the log does not follow from this one: {error}"
        return Check(id=7, name="rebase", ok=False, detail=detail), ()
    sizes = ", ".join(str(head.size) for head in heads[1:])
    if not sizes:
        detail = "the receipt carries no later checkpoint and needs none unless it is anchored"
        return Check(id=7, name="rebase", ok=None, detail=detail), tuple(heads)
    detail = f"the log only grew from {checkpoint.size} to {sizes} leaves"
    return Check(id=7, name="rebase", ok=True, detail=detail), tuple(heads)


def _later_head(step: Rebase, first: Checkpoint, trust: Trust) -> LiveHead:
    later = parse_checkpoint(parse_note(step.checkpoint).text)
    if later.origin != first.origin:
        raise BridgeError(
            "rebase-origin",
            Fault.SENDER,
            what=f"a later checkpoint is of another log, {later.origin!r:.80}",
            where="receipt.rebase",
            do="fetch the receipt again from the node that issued it",
        )
    if not is_foreign(later, trust):
        _signed(step.checkpoint, later, trust)
    verify_consistency(first.size, later.size, first.root, later.root, step.path)
    return LiveHead(size=later.size, root=later.root)


def _signed(note: bytes, checkpoint: Checkpoint, trust: Trust) -> None:
    """Return when a key that the trust file gives this head signed it."""
    known = [one for one in trust.logs if one.origin == checkpoint.origin]
    try:
        open_note(note, [one.key for one in known if one.signs(checkpoint.size)])
    except BridgeError as error:
        late = [one for one in known if not one.signs(checkpoint.size)]
        for one in late if error.code == "note-unsigned" else ():
            if one.key.key_id in {signature.key_id for signature in parse_note(note).signatures}:
                raise BridgeError(
                    "key-retired",
                    Fault.PEER,
                    what="the only key that signed it was retired when the log had "
                    f"{one.until} leaves, so whoever signed this is not the log",
                    where=f"signature of {one.origin!a}",
                    do="keep the receipt as evidence, and ask the log's operator",
                ) from error
        raise


def _shown(origin: str) -> str:
    """Letters of other alphabets look like those of a name that one knows: they are spelt out."""
    if len(origin) > _MAX_SHOWN:
        origin = f"{origin[:_MAX_SHOWN]}..."
    return origin if origin.isascii() else f"{origin!a} (not all of its letters are ASCII)"
