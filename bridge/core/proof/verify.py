"""Verification as twelve numbered checks, the same numbers as in docs/spec/verify.md.

Pure: what it believes comes in as `Trust`, what a chain says comes in through `HeadReader`s.
"""

from collections.abc import Callable, Sequence

from bridge.core.errors import BridgeError
from bridge.core.ids import Digest, sha256
from bridge.core.log.checkpoint import Checkpoint
from bridge.core.log.merkle import leaf_hash, verify_inclusion
from bridge.core.proof.anchored import check_anchor
from bridge.core.proof.anchors import (
    CalldataAnchor,
    EvmAnchor,
    OtherAnchor,
    OtsAnchor,
    TokenAnchor,
)
from bridge.core.proof.calldata import check_calldata
from bridge.core.proof.endpoints import HeadReader
from bridge.core.proof.heads import check_checkpoint, check_rebase, check_witnesses, is_foreign
from bridge.core.proof.lookalike import lookalike
from bridge.core.proof.receipt import Receipt, ResourcePart, parse_receipt
from bridge.core.proof.report import AnchorOutcome, Check, Level, Report, Verdict
from bridge.core.proof.stamped import BitcoinReader, check_ots, check_token
from bridge.core.proof.trust import NO_TRUST, Trust
from bridge.core.proof.verdict import conclude
from bridge.core.record.canon import canonicalise
from bridge.core.record.claims import Kind, commitment, leaf

__all__ = ["MAX_DOCUMENT", "verify"]

MAX_DOCUMENT = 64 << 20
"""More than intake ever accepts; hashing it takes a tenth of a second."""


def verify(
    receipt: bytes,
    document: bytes | None,
    *,
    trust: Trust = NO_TRUST,
    chain: Sequence[HeadReader] = (),
    bitcoin: Sequence[BitcoinReader] = (),
) -> Report:
    """Check a receipt, and a document against it, believing nobody but `trust`.

    Args:
        receipt: the receipt's bytes.
        document: the bytes that are claimed to be what was sealed: the canonical bundle, the source
            as received, or a resource version as served; None checks the receipt alone.
        trust: keys, witnesses and contracts to believe.
        chain: endpoints of the chains, each asked once an anchor.
        bitcoin: sources of Bitcoin block headers that `trust` does not know.

    Returns:
        A report, whatever the input: an unreadable receipt is a failed check 1.
    """
    try:
        read = parse_receipt(receipt)
    except BridgeError as error:
        return _unreadable(error)
    first = Check(id=1, name="receipt", ok=True, detail=_read_detail(read))
    second, digest = _check_document(read, document)
    third = _check_claims(read, digest, given=document is not None)
    fourth, checkpoint = check_checkpoint(read, trust)
    checks = [first, second, third, fourth]
    outcomes: tuple[AnchorOutcome, ...] = ()
    if checkpoint is not None:
        seventh, heads = check_rebase(read, checkpoint, trust)
        checks += [_check_inclusion(read, checkpoint), check_witnesses(read, trust), seventh]
        outcomes = tuple(
            check_anchor(anchor, origin=checkpoint.origin, heads=heads, trust=trust, readers=chain)
            for anchor in read.anchors
            if isinstance(anchor, EvmAnchor)
        )
        outcomes += tuple(
            check_calldata(
                anchor, origin=checkpoint.origin, heads=heads, trust=trust, readers=chain
            )
            for anchor in read.anchors
            if isinstance(anchor, CalldataAnchor)
        )
        outcomes += _check_stamps(read, trust, bitcoin, proved=bool(heads))
        checks += [check for outcome in outcomes for check in outcome.checks]
    checks += [
        Check(id=number, name=name, ok=None, detail=f"the receipt carries no {name} proof")
        for number, name in ((9, "opentimestamps"), (10, "rfc3161"))
        if name not in {check.name for check in checks}
    ]
    return conclude(
        checks,
        outcomes,
        given=document is not None,
        foreign=bool(trust.logs and checkpoint is not None and is_foreign(checkpoint, trust)),
    )


def _check_document(receipt: Receipt, document: bytes | None) -> tuple[Check, Digest | None]:
    """2: the digest of the exact bytes; else of a canonical copy, and say so."""
    name = "document"
    if document is None:
        detail = "no document was given: the receipt alone is checked"
        return Check(id=2, name=name, ok=None, detail=detail), None
    if len(document) > MAX_DOCUMENT:
        detail = f"the document exceeds {MAX_DOCUMENT} bytes, more than was ever accepted"
        return Check(id=2, name=name, ok=False, detail=detail), None
    exact = sha256(document)
    copy = exact if exact in _sealed(receipt).values() else _canonical_digest(document)
    if copy != exact and copy in _sealed(receipt).values():
        detail = "the bytes differ, a canonical copy of them was taken: the file was re-serialised"
        return Check(id=2, name=name, ok=True, detail=f"{detail}; SHA-256 {copy.hex()}"), copy
    detail = f"SHA-256 of the exact bytes is {exact.hex()}"
    if copy not in _sealed(receipt).values() and (
        words := lookalike(document, _sealed(receipt).values())
    ):
        detail += f"; {words} it would be what was sealed: a program saved it otherwise, "
        detail += "ask for the file as it was exported"
    return Check(id=2, name=name, ok=True, detail=detail), exact


def _canonical_digest(document: bytes) -> Digest:
    """Of the canonical form; of the bytes themselves when they have none, such as HL7v2."""
    try:
        return sha256(canonicalise(document))
    except BridgeError:
        return sha256(document)


def _sealed(receipt: Receipt) -> dict[str, Digest]:
    """What a document can be, by name: the resource version, or any claim that is disclosed.

    The value of `resources` is the root of a tree: what hashes to it is two hashes, no document.
    """
    if receipt.resource is not None:
        return {receipt.resource.name: receipt.resource.value}
    shown = {claim.name: claim.value for claim in receipt.disclosed}
    if receipt.kind is Kind.REVISION:
        shown.pop("resources", None)
    return shown


def _check_claims(receipt: Receipt, digest: Digest | None, *, given: bool) -> Check:
    """3: the document's digest is one that the leaf commits to."""
    if receipt.resource is not None:
        refusal = _refusal(lambda: _verify_resource(receipt, receipt.resource))
        if refusal is not None:
            detail = f"this version is not among those of its message: {refusal}"
            return Check(id=3, name="claims", ok=False, detail=detail)
    sealed = _sealed(receipt)
    if not given:
        detail = f"the leaf commits to {len(receipt.claims())} claims; shown: {', '.join(sealed)}"
        return Check(id=3, name="claims", ok=True, detail=detail)
    hidden = ", ".join(claim.name for claim in receipt.hidden)
    if not sealed:
        detail = f"the receipt shows nothing that a document could be; it hides {hidden}"
        return Check(id=3, name="claims", ok=None, detail=detail)
    names = [name for name, value in sealed.items() if value == digest]
    if not names:
        wanted = ", ".join(f"{name} {value.hex()}" for name, value in sealed.items())
        detail = "the document is not what was sealed: it was changed, or belongs to another "
        detail += f"receipt; sealed: {wanted}"
        if hidden and receipt.resource is None:
            detail += f"; hidden, so not compared: {hidden}"
        return Check(id=3, name="claims", ok=False, detail=detail)
    detail = f"the document is the sealed {names[0]}"
    return Check(id=3, name="claims", ok=True, detail=detail)


def _verify_resource(receipt: Receipt, part: ResourcePart | None) -> None:
    """The version's claim stands in the tree whose root is the value of the claim `resources`."""
    if part is None:
        return
    root = next(claim.value for claim in receipt.disclosed if claim.name == "resources")
    verify_inclusion(leaf_hash(part.claim().digest()), part.index, part.size, part.path, root)


def _check_inclusion(receipt: Receipt, checkpoint: Checkpoint) -> Check:
    """5: the recomputed leaf stands at the index, by a path of the exact length."""
    index = receipt.proof.index
    refusal = _refusal(
        lambda: verify_inclusion(
            leaf_hash(leaf(receipt.kind, commitment(receipt.claims()))),
            index,
            checkpoint.size,
            receipt.proof.path,
            checkpoint.root,
        )
    )
    if refusal is not None:
        refusal = f"the log does not hold it at place {index}: {refusal}"
    detail = refusal or f"leaf {index} of {checkpoint.size} leads to the checkpoint's root"
    return Check(id=5, name="inclusion", ok=refusal is None, detail=detail)


def _check_stamps(
    receipt: Receipt, trust: Trust, bitcoin: Sequence[BitcoinReader], *, proved: bool
) -> tuple[AnchorOutcome, ...]:
    """9 and 10: what was stamped is a checkpoint that the receipt proves."""
    later = [step.checkpoint for step in receipt.rebase] if proved else []
    notes = (receipt.proof.checkpoint, *later)
    proofs = [anchor for anchor in receipt.anchors if isinstance(anchor, OtsAnchor)]
    tokens = [anchor for anchor in receipt.anchors if isinstance(anchor, TokenAnchor)]
    return (
        *(check_ots(one, notes=notes, trust=trust, readers=bitcoin) for one in proofs),
        *(check_token(one, notes=notes, trust=trust) for one in tokens),
    )


def _unreadable(error: BridgeError) -> Report:
    """A receipt that cannot be read says nothing about any document."""
    first = Check(id=1, name="receipt", ok=False, detail=str(error))
    words = "Cannot say: the receipt cannot be read."
    last = Check(id=12, name="verdict", ok=None, detail=words)
    return Report(
        verdict=Verdict.CANNOT_SAY, level=Level.FAILED, existed_by=None, checks=(first, last)
    )


def _read_detail(receipt: Receipt) -> str:
    said = ["well formed"]
    if receipt.unknown:
        said.append(f"{len(receipt.unknown)} members of a later version were not looked at")
    later = sum(isinstance(anchor, OtherAnchor) for anchor in receipt.anchors)
    if later:
        said.append(f"{later} anchors of a kind that this version does not know count for nothing")
    return "; ".join(said)


def _refusal(step: Callable[[], object]) -> str | None:
    """None when the step raises nothing, else its refusal in words."""
    try:
        step()
    except BridgeError as error:
        return str(error)
    return None
